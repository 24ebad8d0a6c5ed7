package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
)

// accepting is an online store that takes everything at once.
type accepting struct{ stores.Writer }

func (accepting) Write(context.Context, stores.Table, *stores.Selection, []stores.Record, stores.Mode) (stores.Written, error) {
	return stores.Written{}, nil
}

// wide is a registry with a view of twelve features, and a frame of n rows for it.
func wide(tb testing.TB, n int) (*core.Registry, []ingest.Column) {
	tb.Helper()
	reg := kinds()
	spec := reg.FeatureViews[0].Spec
	spec.Features = nil
	var df strings.Builder
	column := func(name string, cell func(i int) string) {
		cells := make([]string, n)
		for i := range cells {
			cells[i] = cell(i)
		}
		fmt.Fprintf(&df, "%q:[%s],", name, strings.Join(cells, ","))
	}
	for f := range 12 {
		name, kind := fmt.Sprintf("feature_%d", f), []types.ValueType_Enum{types.ValueType_INT64, types.ValueType_DOUBLE, types.ValueType_STRING, types.ValueType_BOOL}[f%4]
		spec.Features = append(spec.Features, &core.FeatureSpecV2{Name: name, ValueType: kind})
		column(name, func(i int) string {
			return []string{fmt.Sprint(1000 + i), fmt.Sprintf("%d.25", i), fmt.Sprintf(`"value %d"`, i), "true"}[f%4]
		})
	}
	column("driver_id", func(i int) string { return fmt.Sprint(i) })
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	column("ts", func(i int) string { return at.Add(time.Duration(i) * time.Second).Format(`"2006-01-02T15:04:05"`) })
	return reg, frame(tb, "{"+df.String()+`"made":null}`)
}

// BenchmarkWrites measures the conversion of rows of twelve features, and their way to a
// DynamoDB that accepts everything at once.
func BenchmarkWrites(b *testing.B) {
	c, err := awsconf.Load(b.Context(), awsconf.Options{
		Region: "ap-northeast-2", Endpoint: dynamotest.StartFixed(b, func([]byte) []byte { return []byte(`{}`) }),
	})
	if err != nil {
		b.Fatal(err)
	}
	store := dynamo.Open(dynamo.Options{AWS: c})
	b.Cleanup(func() { _ = store.Close() })
	for name, online := range map[string]stores.Writer{"convert": accepting{}, "dynamodb": store} {
		for _, n := range []int{1, 500} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				reg, columns := wide(b, n)
				w := writerOf(b, reg, online, time.Now())
				b.ReportAllocs()
				for b.Loop() {
					if _, err := w.Write(b.Context(), ingest.WriteRequest{View: "batch", Rows: ingest.Rows{Columns: columns}}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}
