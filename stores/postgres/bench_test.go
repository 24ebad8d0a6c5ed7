package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/postgres"
)

// BenchmarkRead reads the views of a request from tables right after a load, and
// after the server has analyzed them. The median is less affected by other work
// on the machine than the mean.
func BenchmarkRead(b *testing.B) {
	for _, c := range []struct{ views, features, entities int }{{2, 10, 100_000}, {10, 25, 10_000}} {
		opt := options(b)
		for v := range c.views {
			pgtest.Exec(b, opt, fmt.Sprintf(`CREATE TABLE "p_v%[1]d" (entity_key BYTEA, feature_name TEXT, value BYTEA, value_text TEXT NULL, vector_value BYTEA NULL,
				event_ts TIMESTAMPTZ, created_ts TIMESTAMPTZ);
				ALTER TABLE "p_v%[1]d" SET (autovacuum_enabled = off);
				INSERT INTO "p_v%[1]d" SELECT convert_to('entity-key-of-a-usual-length-' || lpad(k::text, 8, '0'), 'UTF8'), 'feature_' || f, '\x2903030303030303'::bytea, '1234', NULL, now(), now()
				FROM generate_series(0, %[2]d) k, generate_series(0, %[3]d) f ORDER BY hashint4(k);
				ALTER TABLE "p_v%[1]d" ADD PRIMARY KEY (entity_key, feature_name); CREATE INDEX "p_v%[1]d_ek" ON "p_v%[1]d" (entity_key)`, v, c.entities-1, c.features-1))
		}
		for _, counted := range []bool{false, true} {
			if counted {
				pgtest.Exec(b, opt, "ANALYZE")
			}
			for _, n := range []int{1, 100} {
				b.Run(fmt.Sprintf("views=%d/features=%d/keys=%d/counted=%v", c.views, c.views*c.features, n, counted), func(b *testing.B) {
					s := postgres.New(opt)
					defer func() { _ = s.Close() }()
					benchmarkRead(b, s, c.views, c.features, n, c.entities)
				})
			}
		}
	}
}

func benchmarkRead(b *testing.B, s stores.Store, views, features, n, entities int) {
	var names []string
	for f := range features {
		names = append(names, fmt.Sprintf("feature_%d", f))
	}
	selection := stores.NewSelection(names...)
	var keys [][]byte
	for i := range n {
		keys = append(keys, fmt.Appendf(nil, "entity-key-of-a-usual-length-%08d", i*997%entities))
	}
	var reads []stores.Read
	for v := range views {
		reads = append(reads, stores.Read{Table: stores.Table{Project: "p", View: fmt.Sprintf("v%d", v)}, Features: selection, Keys: keys})
	}
	b.ReportAllocs()
	var took []time.Duration
	var received int64
	for b.Loop() {
		began := time.Now()
		r, err := s.Read(b.Context(), reads)
		took = append(took, time.Since(began))
		if err != nil || r.Reads[views-1][n-1].Err != nil || r.Reads[views-1][n-1].Values[features-1] == nil {
			b.Fatal(err)
		}
		received = r.Stats.Received
		r.Release()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-us")
	b.ReportMetric(float64(took[0].Microseconds()), "least-us")
	b.ReportMetric(float64(received), "received-B")
}
