package ingest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/stores"
)

// original is a row as a test makes it.
type original struct {
	key            string
	event, created time.Time
	place          uint64
	values         [][]byte
}

// append packs the row as the encoder does.
func (o *original) append(slab []byte) []byte {
	slab = appendHead(slab, []byte(o.key), momentOf(o.event), momentOf(o.created), o.place, 0)
	for _, v := range o.values {
		slab = append(binary.AppendUvarint(slab, uint64(len(v))), v...)
	}
	return slab
}

// newestOf is what must remain of rows, by the plainest means.
func newestOf(rows []original) []original {
	byKey := map[string]original{}
	for _, r := range rows {
		old, seen := byKey[r.key]
		if !seen || r.event.After(old.event) ||
			r.event.Equal(old.event) && (r.created.After(old.created) || r.created.Equal(old.created) && r.place < old.place) {
			byKey[r.key] = r
		}
	}
	var list []original
	for _, r := range byKey {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b original) int { return strings.Compare(a.key, b.key) })
	return list
}

// sift sends rows through a pile with some sorters and an amount of memory.
func sift(t testing.TB, dir string, rows []original, sorters int, memory int64) (out []original, files int) {
	p := newPile(spool.Options{Dir: dir, Memory: memory}, sorters)
	defer p.close()
	var group sync.WaitGroup
	for i, s := range p.sorters {
		group.Go(func() {
			for n := i; n < len(rows); n += sorters {
				if err := s.end(rows[n].append(s.begin())); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	p.settle()
	for range 2 { // the rows can be read again
		out = nil
		m, err := p.rows()
		if err != nil {
			t.Fatal(err)
		}
		for {
			row, err := m.row()
			if err != nil {
				t.Fatal(err)
			}
			if row == nil {
				break
			}
			var r stores.Record
			row.unpack(&r, nil)
			o := original{key: string(r.Key), event: r.Event, created: r.Created, place: binary.LittleEndian.Uint64(row[32:])}
			for _, v := range r.Values {
				o.values = append(o.values, slices.Clone(v))
			}
			out = append(out, o)
		}
	}
	return out, len(p.files)
}

func compareOriginals(t testing.TB, want, got []original) {
	t.Helper()
	equal := cmp.Comparer(func(a, b original) bool {
		return a.key == b.key && a.event.Equal(b.event) && a.created.Equal(b.created) && a.place == b.place && slices.EqualFunc(a.values, b.values, slices.Equal[[]byte])
	})
	if !cmp.Equal(want, got, equal) {
		t.Errorf("%d rows, want %d; the first difference:\n%.2000s", len(got), len(want), cmp.Diff(want, got, equal))
	}
}

// Whatever fits into memory, the newest row of each key remains, in the order of
// the keys.
func TestTheNewestRowsOfAnyAmount(t *testing.T) {
	for _, c := range []struct {
		rows, keys, sorters int
		memory              int64
		spills              bool
	}{
		{0, 1, 2, 1 << 20, false},
		{1, 1, 2, 1, true},
		{5000, 5000, 1, 64 << 20, false},
		{5000, 3000, 3, 64 << 20, false},
		{5000, 4000, 2, 40 << 10, true},
		{5000, 7, 2, 16 << 10, false}, // the newest rows stay few
		{9000, 9000, 2, 2 << 10, true},
		{9000, 300, 3, 9 << 10, true},
	} {
		t.Run(fmt.Sprint(c.rows, " rows of ", c.keys, " keys in ", c.memory), func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(c.rows+c.keys)))
			dir := t.TempDir()
			rows := make([]original, c.rows)
			for i := range rows {
				at := time.Unix(random.Int64N(50)-25, random.Int64N(3)).UTC()
				rows[i] = original{
					key: fmt.Sprint("a common beginning ", random.IntN(c.keys)), event: at, created: at.Add(time.Duration(random.IntN(3))), place: uint64(i),
					values: [][]byte{fmt.Append(nil, i), nil, make([]byte, random.IntN(200))},
				}
			}
			got, files := sift(t, dir, rows, c.sorters, c.memory)
			compareOriginals(t, newestOf(rows), got)
			if (files > 0) != c.spills || files > 4*fanIn {
				t.Errorf("%d files", files)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Error("left behind:", left, err)
			}
		})
	}
}

// FuzzPile makes rows of bytes: a few bytes of a key, times and a value each.
func FuzzPile(f *testing.F) {
	f.Add([]byte("abcdefghijklmnopqrstuvwxyz"), uint16(100), byte(1))
	f.Add([]byte{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 255, 1, 2, 3, 4}, uint16(1), byte(2))
	f.Fuzz(func(t *testing.T, b []byte, memory uint16, sorters byte) {
		var rows []original
		for len(b) >= 5 && len(rows) < 500 {
			n := min(int(b[0]%11), len(b)-5)
			r := original{
				event: time.Unix(int64(int8(b[1])), int64(b[2]%2)).UTC(), created: time.Unix(int64(b[3]%3), 0).UTC(),
				key: string(b[5 : 5+n]), place: uint64(len(rows)), values: [][]byte{b[:b[4]%5]},
			}
			if b[3] > 250 {
				r.created = time.Time{}
			}
			rows, b = append(rows, r), b[5+n:]
		}
		got, _ := sift(t, t.TempDir(), rows, 1+int(sorters%3), int64(memory)+1)
		compareOriginals(t, newestOf(rows), got)
	})
}

// Times of all years keep their order and value.
func TestMoments(t *testing.T) {
	list := []time.Time{
		time.UnixMicro(-1 << 63), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
		{},
		time.Date(1969, 12, 31, 23, 59, 59, 1, time.UTC), time.Unix(0, -1),
		time.Unix(0, 0), time.Unix(0, 1), time.Date(2024, 2, 29, 0, 0, 0, 999999999, time.UTC), time.UnixMicro(1<<63 - 2),
	}
	for i, a := range list {
		if got := momentAt(momentOf(a).append(nil)).time(); !got.Equal(a) || got.IsZero() != a.IsZero() {
			t.Errorf("%v became %v", a, got)
		}
		for j, b := range list {
			if got := momentOf(a).compare(momentOf(b)); got != a.Compare(b) || got != order(int64(i), int64(j)) {
				t.Errorf("%v and %v: %d", a, b, got)
			}
		}
	}
}

// A temporary file that cannot be made, written or read is one clear line.
func TestATemporaryFileThatFails(t *testing.T) {
	row := original{key: "k", values: [][]byte{make([]byte, 100)}}
	p := newPile(spool.Options{Dir: t.TempDir() + "/gone", Memory: 1}, 1)
	if err := p.sorters[0].end(row.append(nil)); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "/gone does not exist; make it") {
		t.Error(err)
	}
	p = newPile(spool.Options{Dir: t.TempDir(), Memory: 1}, 1)
	defer p.close()
	if err := p.sorters[0].end(row.append(nil)); err != nil {
		t.Fatal(err)
	}
	if err := p.files[0].file.Truncate(50); err != nil {
		t.Fatal(err)
	}
	if _, err := p.rows(); fault.KindOf(err) != fault.Unavailable {
		t.Error(err)
	}
}
