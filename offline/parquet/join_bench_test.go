package parquet_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
)

// The sources of the benchmark: as many rows, for as many keys, with as many
// features of type double.
const (
	benchRows     = 1_000_000
	benchKeys     = 100_000
	benchFeatures = 12
)

var benchTime = arrow.Timestamp(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())

// benchBatches makes rows of a random key and a random time of 30 days.
func benchBatches(schema *arrow.Schema, seed uint64, rows int) iter.Seq[arrow.RecordBatch] {
	const step = 50_000
	return func(yield func(arrow.RecordBatch) bool) {
		random := rand.New(rand.NewPCG(seed, 0))
		for first := 0; first < rows; first += step {
			b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
			for range min(step, rows-first) {
				for _, c := range b.Fields() {
					switch c := c.(type) {
					case *array.Int64Builder:
						c.Append(random.Int64N(benchKeys))
					case *array.TimestampBuilder:
						c.Append(benchTime + arrow.Timestamp(random.Int64N(30*24*3600)*1_000_000))
					case *array.Float64Builder:
						c.Append(random.Float64())
					default:
						panic(c.Type())
					}
				}
			}
			if !yield(b.NewRecordBatch()) {
				return
			}
		}
	}
}

// BenchmarkJoin joins entity rows with two files of a million rows.
func BenchmarkJoin(b *testing.B) {
	at := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	fields := []arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "ts", Type: at}, {Name: "made", Type: at}}
	var names []string
	for i := range benchFeatures {
		names = append(names, fmt.Sprint("f", i))
		fields = append(fields, arrow.Field{Name: names[i], Type: arrow.PrimitiveTypes.Float64})
	}
	schema := arrow.NewSchema(fields, nil)
	files := newBackend(b, ".parquet", writeParquet)
	var views []offline.JoinView
	for i := range 2 {
		v := offline.JoinView{
			Name: fmt.Sprint("view", i), Timestamp: "ts", Created: "made", Features: names, TTL: 14 * 24 * time.Hour,
			Keys: []offline.JoinKey{{Column: "k", Type: types.ValueType_INT64}},
		}
		for range names {
			v.Types = append(v.Types, types.ValueType_DOUBLE)
		}
		v.Source = files.Write(b, offlinetest.Table{Name: v.Name, Schema: schema, Rows: benchBatches(schema, uint64(i), benchRows)})
		views = append(views, v)
	}
	entities := arrow.NewSchema(fields[:2], nil)
	for _, rows := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			peak := offlinetest.PeakMemory(b)
			for b.Loop() {
				join := offline.Join{Entities: &sequence{schema: entities, rows: benchBatches(entities, 9, rows)}, Views: views}
				r, err := files.store.PointInTime(b.Context(), join)
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for r.Next() {
					n += int(r.RecordBatch().NumRows())
				}
				if r.Err() != nil || n != rows {
					b.Fatal(n, r.Err())
				}
				r.Release()
			}
			b.ReportMetric(float64(peak()>>20), "peak-MB")
		})
	}
}

// sequence is a reader of batches that are made as they are read.
type sequence struct {
	array.RecordReader
	schema *arrow.Schema
	rows   iter.Seq[arrow.RecordBatch]
	next   func() (arrow.RecordBatch, bool)
	batch  arrow.RecordBatch
}

func (s *sequence) Schema() *arrow.Schema          { return s.schema }
func (s *sequence) RecordBatch() arrow.RecordBatch { return s.batch }
func (s *sequence) Err() error                     { return nil }

func (s *sequence) Next() (more bool) {
	if s.next == nil {
		s.next, _ = iter.Pull(s.rows)
	}
	s.batch, more = s.next()
	return more
}
