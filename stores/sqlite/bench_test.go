package sqlite_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/sqlite"
	"github.com/banquet-fs/banquet/stores/storetest"
)

// BenchmarkWrite loads a table of 28,844 rows of six features as materialize
// does: in key order, 5,000 rows at a time, with four writers; into a new file,
// and over existing rows.
func BenchmarkWrite(b *testing.B) {
	const n, batch = 28844, 5000
	features := stores.NewSelection("city", "state", "location_type", "tax_returns_filed", "population", "total_wages")
	table := stores.Table{Project: "credit_scoring", View: "zipcode_features"}
	rng := rand.New(rand.NewPCG(1, 2))
	records := make([]stores.Record, n)
	for i, at := range rng.Perm(n) {
		key := append([]byte("\x01\x00\x00\x00\x02\x00\x00\x00\x07\x00\x00\x00zipcode\x04\x00\x00\x00\x08\x00\x00\x00"), binary.LittleEndian.AppendUint64(nil, uint64(at))...)
		number := func() []byte { return binary.AppendUvarint([]byte{4 << 3}, uint64(rng.IntN(1<<30))) }
		records[i] = stores.Record{
			Key: key, Event: time.Unix(1.7e9, 0), Created: time.Unix(1.7e9, 0),
			Values: [][]byte{[]byte("\x12\x0aFORT WORTH"), []byte("\x12\x02TX"), []byte("\x12\x07PRIMARY"), number(), number(), number()},
		}
	}
	slices.SortFunc(records, func(a, b stores.Record) int { return bytes.Compare(a.Key, b.Key) })
	load := func(b *testing.B, s stores.Store) {
		var group errgroup.Group
		group.SetLimit(4)
		for start := 0; start < n; start += batch {
			chunk := records[start:min(start+batch, n)]
			group.Go(func() error {
				_, err := s.Write(b.Context(), table, features, chunk, stores.Replace)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	for _, again := range []bool{false, true} {
		b.Run(fmt.Sprintf("again=%v", again), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				s, err := sqlite.Open(filepath.Join(b.TempDir(), "online.db"))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := storetest.Update(b.Context(), s, stores.Tables{Keep: []stores.TableSpec{{Table: table}}}); err != nil {
					b.Fatal(err)
				}
				if again {
					load(b, s)
				}
				b.StartTimer()
				load(b, s)
				b.StopTimer()
				_ = s.Close()
				b.StartTimer()
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
