package ingest_test

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/stores"
	onlinememory "github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/value"
)

// row is one row of a source: nil or zero is a null key, event time or created
// time.
type row struct {
	shopper  any
	items    int64
	at, made time.Time
}

// source is an offline store with its rows in memory.
type source struct {
	offline.Store
	mu      sync.Mutex
	rows    []row
	queries []offline.Query // of Span
	// ranged is called after Range has chosen its rows and before they are
	// read.
	ranged func(ctx context.Context) error
	spanOf func(ctx context.Context) error
}

func (s *source) add(rows ...row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, rows...)
}

func (s *source) choose(q offline.Query) []row {
	s.mu.Lock()
	defer s.mu.Unlock()
	var chosen []row
	for _, r := range s.rows {
		if r.at.IsZero() || !q.Start.IsZero() && r.at.Before(q.Start) || !q.End.IsZero() && r.at.After(q.End) ||
			!q.CreatedAfter.IsZero() && !r.made.After(q.CreatedAfter) {
			continue
		}
		chosen = append(chosen, r)
	}
	return chosen
}

func (s *source) Range(ctx context.Context, q offline.Query) (array.RecordReader, error) {
	rows := s.choose(q)
	if s.ranged != nil {
		if err := s.ranged(ctx); err != nil {
			return nil, err
		}
	}
	return batchOf(q, rows)
}

// batchOf is a reader of rows in one batch.
func batchOf(q offline.Query, rows []row) (array.RecordReader, error) {
	us := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	fields := []arrow.Field{
		{Name: "shopper", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "items", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "at", Type: us, Nullable: true},
	}
	if q.Created != "" {
		fields = append(fields, arrow.Field{Name: "made", Type: us, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, r := range rows {
		key, _ := b.Field(0).(*array.Int64Builder)
		if id, ok := r.shopper.(int); ok {
			key.Append(int64(id))
		} else {
			key.AppendNull()
		}
		b.Field(1).(*array.Int64Builder).Append(r.items) //nolint:forcetypeassert // as the schema says
		for i, t := range []time.Time{r.at, r.made}[:len(fields)-2] {
			times, _ := b.Field(2 + i).(*array.TimestampBuilder)
			if t.IsZero() {
				times.AppendNull()
			} else {
				times.AppendTime(t)
			}
		}
	}
	return array.NewRecordReader(schema, []arrow.RecordBatch{b.NewRecordBatch()})
}

func (s *source) Span(ctx context.Context, q offline.Query) (offline.Span, error) {
	s.mu.Lock()
	s.queries = append(s.queries, q)
	s.mu.Unlock()
	if s.spanOf != nil {
		if err := s.spanOf(ctx); err != nil {
			return offline.Span{}, err
		}
	}
	var span offline.Span
	for _, r := range s.choose(q) {
		if span.Rows == 0 || r.at.Before(span.First) {
			span.First = r.at
		}
		if span.Rows == 0 || r.at.After(span.Last) {
			span.Last = r.at
		}
		span.Rows++
	}
	return span, nil
}

// clock is a clock that tests set.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// shop is a project whose views, each with an integer key and an integer
// feature, all read one source.
type shop struct {
	opt    ingest.Options
	source *source
	online *onlinememory.Store
	clock  *clock
}

// noon is the time at which a shop opens.
var noon = time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)

func newShop(t testing.TB, created bool, views ...string) *shop {
	t.Helper()
	s := &shop{source: new(source), online: new(onlinememory.Store), clock: &clock{t: noon}}
	reg := &core.Registry{
		RegistrySchemaVersion: registry.SchemaVersion, VersionId: "1", LastUpdated: timestamppb.New(noon),
		Projects: []*core.Project{{Spec: &core.ProjectSpec{Name: "shop"}}},
		Entities: []*core.Entity{{Spec: &core.EntitySpecV2{Name: "shopper", JoinKey: "shopper", ValueType: types.ValueType_INT64, Project: "shop"}}},
	}
	batch := &core.DataSource{Name: "carts", Project: "shop", TimestampField: "at"}
	if created {
		batch.CreatedTimestampColumn = "made"
	}
	for _, name := range views {
		reg.FeatureViews = append(reg.FeatureViews, &core.FeatureView{Spec: &core.FeatureViewSpec{
			Name: name, Project: "shop", Entities: []string{"shopper"}, Online: true, Ttl: durationpb.New(30 * 24 * time.Hour),
			Features:    []*core.FeatureSpecV2{{Name: "items", ValueType: types.ValueType_INT64}},
			BatchSource: batch,
		}})
	}
	storage := file.New(filepath.Join(t.TempDir(), "registry.db"))
	if _, err := storage.Save(t.Context(), reg, ""); err != nil {
		t.Fatal(err)
	}
	s.opt = ingest.Options{Storage: storage, Project: "shop", Offline: s.source, Online: s.online, KeyVersion: 3, Now: s.clock.now}
	return s
}

// incremental runs up to end.
func (s *shop) incremental(t *testing.T, end time.Time) ingest.Result {
	t.Helper()
	results, err := ingest.New(s.opt).MaterializeIncremental(t.Context(), ingest.Request{End: end})
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

// intervals are those that the registry holds for a view.
func (s *shop) intervals(t *testing.T, view string) [][2]time.Time {
	t.Helper()
	reg, _, err := s.opt.Storage.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var list [][2]time.Time
	for _, v := range reg.GetFeatureViews() {
		if v.GetSpec().GetName() != view {
			continue
		}
		for _, i := range v.GetMeta().GetMaterializationIntervals() {
			list = append(list, [2]time.Time{i.GetStartTime().AsTime(), i.GetEndTime().AsTime()})
		}
	}
	return list
}

// stored are those of the given shoppers that have a row in carts, with their
// items.
func (s *shop) stored(t *testing.T, shoppers ...int) map[int]int64 {
	t.Helper()
	l := value.NewKeyLayout(3, []string{"shopper"})
	keys := make([][]byte, len(shoppers))
	for i, id := range shoppers {
		var err error
		if keys[i], err = l.Append(nil, [][]byte{value.AppendInt64(nil, int64(id))}); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := s.online.Read(t.Context(), []stores.Read{{Table: stores.Table{Project: "shop", View: "carts"}, Features: stores.NewSelection("items"), Keys: keys}})
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]int64{}
	for i, r := range rows.Reads[0] {
		if r.Found {
			found[shoppers[i]], _ = value.Int64(r.Values[0])
		}
	}
	return found
}

// some makes n rows of shoppers from 1 on, a minute apart, the last at the
// given time.
func some(n int, last time.Time) []row {
	var rows []row
	for i := n; i > 0; i-- {
		at := last.Add(-time.Duration(i-1) * time.Minute)
		rows = append(rows, row{shopper: n - i + 1, items: int64(n - i + 1), at: at, made: at})
	}
	return slices.Clip(rows)
}
