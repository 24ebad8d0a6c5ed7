package asof_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/asof"
	"github.com/banquet-fs/banquet/offline/offlinetest"
)

var micros = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}

// made makes rows of a key, a time and doubles, each batch as it is read. Row i
// has the key and the second that of gives.
func made(schema *arrow.Schema, rows int, of func(i int) (key, second int64)) iter.Seq[arrow.RecordBatch] {
	const step = 8192
	return func(yield func(arrow.RecordBatch) bool) {
		for first := 0; first < rows; first += step {
			b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
			for i := first; i < min(first+step, rows); i++ {
				key, second := of(i)
				for c, f := range b.Fields() {
					switch f := f.(type) {
					case *array.Int64Builder:
						f.Append(key)
					case *array.TimestampBuilder:
						f.Append(arrow.Timestamp(second * 1_000_000))
					case *array.Float64Builder:
						f.Append(float64(i*100 + c))
					}
				}
			}
			if !yield(b.NewRecordBatch()) {
				return
			}
		}
	}
}

// sequence is a reader of batches that are made as they are read.
type sequence struct {
	array.RecordReader
	schema *arrow.Schema
	next   func() (arrow.RecordBatch, bool)
	batch  arrow.RecordBatch
}

func newSequence(schema *arrow.Schema, rows iter.Seq[arrow.RecordBatch]) (s *sequence, stop func()) {
	s = &sequence{schema: schema}
	s.next, stop = iter.Pull(rows)
	return s, stop
}

func (s *sequence) Schema() *arrow.Schema          { return s.schema }
func (s *sequence) RecordBatch() arrow.RecordBatch { return s.batch }
func (s *sequence) Err() error                     { return nil }

func (s *sequence) Next() (more bool) {
	s.batch, more = s.next()
	return more
}

// measured measures the heap while its sources are read.
type measured struct {
	offline.Store
	measure func()
}

func (m measured) Range(ctx context.Context, q offline.Query) (array.RecordReader, error) {
	r, err := m.Store.Range(ctx, q)
	return &measuredReader{RecordReader: r, measure: m.measure}, err
}

type measuredReader struct {
	array.RecordReader
	measure func()
	batches int
}

func (r *measuredReader) Next() bool {
	if r.batches++; r.batches%8 == 0 {
		r.measure()
	}
	return r.RecordReader.Next()
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemoryIsBounded joins rows of many keys, and of one key alone, with two
// views of 12 features: 40 MB of answers with 4 MB of memory.
func TestMemoryIsBounded(t *testing.T) {
	const rows, limit, margin = 200_000, 4 << 20, 12 << 20
	for name, key := range map[string]func(i int) int64{
		"many keys": func(i int) int64 { return int64(i*7919) % rows },
		"one key":   func(int) int64 { return 7 },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base, most := heap(), int64(0)
			measure := func() { most = max(most, heap()) }
			memory := new(offlinetest.Memory)
			j := asof.New(measured{memory, measure}, asof.Options{Memory: limit, Dir: dir})
			views := wideViews(t, memory, rows, key)
			schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "at", Type: micros}}, nil)
			entities, stop := newSequence(schema, made(schema, rows, func(i int) (int64, int64) { return key(i), int64(i*31%rows) + 1 }))
			defer stop()
			began := time.Now()
			r, err := j.PointInTime(t.Context(), offline.Join{Entities: entities, Views: views})
			if err != nil {
				t.Fatal(err)
			}
			n, batches := 0, 0
			for r.Next() {
				n += int(r.RecordBatch().NumRows())
				if batches++; batches%8 == 0 {
					measure()
				}
			}
			if r.Err() != nil || n != rows {
				t.Fatal(n, r.Err())
			}
			t.Logf("%d MB in %v", (most-base)>>20, time.Since(began))
			if most-base > limit+margin {
				t.Errorf("%d MB are in use, with a limit of %d", (most-base)>>20, limit>>20)
			}
			r.Release()
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// wideViews are two views of many rows.
func wideViews(t *testing.T, b *offlinetest.Memory, rows int, key func(i int) int64) []offline.JoinView {
	t.Helper()
	fields := []arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "ts", Type: micros}}
	v := offline.JoinView{Timestamp: "ts", Keys: []offline.JoinKey{{Column: "k", Type: types.ValueType_INT64}}}
	for i := range 12 {
		name := fmt.Sprint("f", i)
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64})
		v.Features, v.Types = append(v.Features, name), append(v.Types, types.ValueType_DOUBLE)
	}
	schema := arrow.NewSchema(fields, nil)
	var views []offline.JoinView
	for _, name := range []string{"one", "two"} {
		table := offlinetest.Table{Name: name, Schema: schema, Rows: made(schema, rows, func(i int) (int64, int64) { return key(i), int64(i) })}
		v.Name = name
		v.Source = b.Write(t, table)
		views = append(views, v)
	}
	return views
}

// TestNoRoomForTemporaryFiles: the error names the directory, and nothing is held.
func TestNoRoomForTemporaryFiles(t *testing.T) {
	dir := t.TempDir() + "/gone"
	memory := new(offlinetest.Memory)
	j := asof.New(memory, asof.Options{Memory: 1, Dir: dir})
	views := wideViews(t, memory, 20_000, func(i int) int64 { return int64(i) })
	schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "at", Type: micros}}, nil)
	entities, stop := newSequence(schema, made(schema, 20_000, func(i int) (int64, int64) { return int64(i), int64(i) }))
	defer stop()
	q := offline.Query{Source: views[0].Source, Columns: []string{"k"}, Timestamp: "ts"}
	for name, open := range map[string]func() (array.RecordReader, error){
		"PointInTime": func() (array.RecordReader, error) {
			return j.PointInTime(t.Context(), offline.Join{Entities: entities, Views: views})
		},
		"Latest":  func() (array.RecordReader, error) { return j.Latest(t.Context(), q, []int{0}) },
		"Moments": func() (array.RecordReader, error) { return j.Moments(t.Context(), views, time.Time{}, time.Time{}) },
	} {
		r, err := open()
		if err == nil {
			r.Release()
		}
		if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := memory.Held(t); n > 0 {
		t.Errorf("%d readers are held", n)
	}
}

// TestMemoryOfMoments: sorted moments are in files, of which some rows each are
// in memory.
func TestMemoryOfMoments(t *testing.T) {
	const rows, limit, margin = 400_000, 1 << 20, 8 << 20
	base, most := heap(), int64(0)
	measure := func() { most = max(most, heap()) }
	store := new(offlinetest.Memory)
	j := asof.New(measured{store, measure}, asof.Options{Memory: limit, Dir: t.TempDir()})
	views := wideViews(t, store, rows, func(i int) int64 { return int64(i) })
	r, err := j.Moments(t.Context(), views, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	n := 0
	for r.Next() {
		n += int(r.RecordBatch().NumRows())
		measure()
	}
	if r.Err() != nil || n != rows {
		t.Errorf("%d moments, %v; want %d", n, r.Err(), rows)
	}
	if most-base > limit+margin {
		t.Errorf("%d MB are in use, with a limit of %d", (most-base)>>20, limit>>20)
	}
}

// Large keys make small batches.
func TestMomentsOfLargeKeys(t *testing.T) {
	const rows, size = 40, 1 << 20
	m := new(offlinetest.Memory)
	schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.BinaryTypes.String}, {Name: "ts", Type: micros}}, nil)
	keys, times := array.NewStringBuilder(memory.DefaultAllocator), array.NewBuilder(memory.DefaultAllocator, micros)
	for i := range rows {
		keys.Append(strings.Repeat(string(rune('A'+i)), size))
	}
	times.AppendEmptyValues(rows)
	batch := array.NewRecordBatch(schema, []arrow.Array{keys.NewArray(), times.NewArray()}, rows)
	view := offline.JoinView{
		Name: "v", Timestamp: "ts", Keys: []offline.JoinKey{{Column: "k", Type: types.ValueType_STRING}},
		Source: m.Write(t, offlinetest.Table{Name: "src", Schema: schema, Rows: slices.Values([]arrow.RecordBatch{batch})}),
	}
	r, err := asof.New(m, asof.Options{Dir: t.TempDir()}).Moments(t.Context(), []offline.JoinView{view}, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	n := int64(0)
	for r.Next() {
		if n += r.RecordBatch().NumRows(); r.RecordBatch().NumRows() > 8 {
			t.Errorf("a batch has %d rows of 1 MB", r.RecordBatch().NumRows())
		}
	}
	if r.Err() != nil || n != rows {
		t.Errorf("%d rows, %v; want %d", n, r.Err(), rows)
	}
}
