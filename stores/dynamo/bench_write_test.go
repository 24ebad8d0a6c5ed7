package dynamo_test

import (
	"fmt"
	"testing"

	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
)

// BenchmarkWrite writes rows of ten features to a server that accepts everything
// at once: it measures the client.
func BenchmarkWrite(b *testing.B) {
	for name, sdk := range map[string]bool{"direct": false, "sdk": true} {
		b.Run(name, func(b *testing.B) {
			c, err := awsconf.Load(b.Context(), awsconf.Options{
				Region: "ap-northeast-2", Endpoint: dynamotest.StartFixed(b, func([]byte) []byte { return []byte(`{"UnprocessedItems":{}}`) }),
			})
			if err != nil {
				b.Fatal(err)
			}
			s := dynamo.Open(dynamo.Options{AWS: c, SDK: sdk})
			b.Cleanup(func() { _ = s.Close() })
			names := make([]string, 10)
			for f := range names {
				names[f] = fmt.Sprintf("feature_%d", f)
			}
			recs, _ := records(1000)
			for i := range recs {
				recs[i].Values = nil
				for f := range names {
					recs[i].Values = append(recs[i].Values, fmt.Appendf(nil, "\x12\x0bvalue %05d", f))
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Write(b.Context(), zip, stores.NewSelection(names...), recs, stores.Replace); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*len(recs))/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
