package ingest_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/stores"
)

// many is a source of many rows, each of another key, in no order of keys.
type many struct {
	offline.Store
	rows int
}

// manyReader makes the rows when they are read.
type manyReader struct {
	m      *many
	schema *arrow.Schema
	at     int
	batch  arrow.RecordBatch
}

func (m *many) Range(context.Context, offline.Query) (array.RecordReader, error) {
	us := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	f := []arrow.Field{{Name: "shopper", Type: arrow.PrimitiveTypes.Int64}}
	for i := range 12 {
		f = append(f, arrow.Field{Name: fmt.Sprint("f", i), Type: arrow.PrimitiveTypes.Float64})
	}
	f = append(f, arrow.Field{Name: "at", Type: us}, arrow.Field{Name: "made", Type: us})
	return &manyReader{m: m, schema: arrow.NewSchema(f, nil)}, nil
}
func (r *manyReader) Retain()                        {}
func (r *manyReader) Release()                       {}
func (r *manyReader) Err() error                     { return nil }
func (r *manyReader) Schema() *arrow.Schema          { return r.schema }
func (r *manyReader) RecordBatch() arrow.RecordBatch { return r.batch }
func (r *manyReader) Record() arrow.RecordBatch      { return r.batch }
func (r *manyReader) Next() bool {
	if r.at >= r.m.rows {
		return false
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, r.schema)
	defer b.Release()
	for range min(4096, r.m.rows-r.at) {
		i := r.at
		r.at++
		b.Field(0).(*array.Int64Builder).Append(int64(i) * 7919) //nolint:forcetypeassert // as the schema says
		for j := range 12 {
			b.Field(1 + j).(*array.Float64Builder).Append(float64(i*j) / 100) //nolint:forcetypeassert // as the schema says
		}
		t := arrow.Timestamp(noon.Add(-time.Hour).UnixMicro() + int64(i)*10)
		b.Field(13).(*array.TimestampBuilder).Append(t) //nolint:forcetypeassert // as the schema says
		b.Field(14).(*array.TimestampBuilder).Append(t) //nolint:forcetypeassert // as the schema says
	}
	r.batch = b.NewRecordBatch()
	return true
}

func (m *many) Span(context.Context, offline.Query) (offline.Span, error) {
	return offline.Span{}, nil
}

// sink is a store that keeps nothing.
type sink struct{ stores.Writer }

func (*sink) Write(context.Context, stores.Table, *stores.Selection, []stores.Record, stores.Mode) (stores.Written, error) {
	return stores.Written{}, nil
}

// BenchmarkMaterialize materializes one key for each iteration, with twelve features
// of eight bytes, into a store that keeps nothing: what reading, sorting and
// spilling cost, and the peak of the process's memory.
func BenchmarkMaterialize(b *testing.B) {
	s := newShop(b, true, "carts")
	edit(b, s, func(v *core.FeatureView) {
		v.Spec.Features = nil
		for i := range 12 {
			v.Spec.Features = append(v.Spec.Features, &core.FeatureSpecV2{Name: fmt.Sprint("f", i), ValueType: types.ValueType_DOUBLE})
		}
	})
	s.opt.Offline, s.opt.Online, s.opt.Spool.Dir = &many{rows: b.N}, new(sink), b.TempDir()
	results, err := s.run(b.Context())
	if err != nil || results[0].Written != b.N {
		b.Fatal(results, err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return // the system does not tell
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	if kb, err := strconv.ParseFloat(strings.Fields(peak)[0], 64); err == nil {
		b.ReportMetric(kb/1024, "peak-MB")
	}
}
