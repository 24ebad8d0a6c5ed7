package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// copies computes the feature of an on-demand view: the items of the source's rows.
type copies struct {
	source *source
	nulls  int64
	no     error // why the views called no cannot be computed
}

func (c *copies) CheckWritten(_ *registry.Project, v *registry.View) error {
	if v.Name == "no" {
		return c.no
	}
	return nil
}

func (c *copies) Written(_ context.Context, _ *registry.Project, _ *registry.View, start, end time.Time, nulls func(int64)) (array.RecordReader, error) {
	q := offline.Query{Start: start, End: end}
	nulls(c.nulls)
	return batchOf(q, c.source.choose(q))
}

// withCopies adds on-demand views of carts to a shop.
func withCopies(t *testing.T, s *shop, views ...string) *bytes.Buffer {
	t.Helper()
	_, err := registry.Update(t.Context(), s.opt.Storage, func(reg *core.Registry) error {
		for _, name := range views {
			items := []*core.FeatureSpecV2{{Name: "items", ValueType: types.ValueType_INT64}}
			reg.OnDemandFeatureViews = append(reg.OnDemandFeatureViews, &core.OnDemandFeatureView{Spec: &core.OnDemandFeatureViewSpec{
				Name: name, Project: "shop", Entities: []string{"shopper"}, Features: items, WriteToOnlineStore: true,
				Sources: map[string]*core.OnDemandSource{"carts": {Source: &core.OnDemandSource_FeatureViewProjection{
					FeatureViewProjection: &core.FeatureViewProjection{FeatureViewName: "carts", FeatureColumns: items},
				}}},
			}, Meta: &core.OnDemandFeatureViewMeta{}})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	records, _ := s.opt.Storage.(*file.Storage)
	s.opt.Log, s.opt.Runs = slog.New(slog.NewTextHandler(&log, nil)), records.Records()
	s.opt.Computer = &copies{source: s.source, no: fault.New(fault.Unimplemented, "it needs request data")}
	return &log
}

// itemsOf are the items that a table has for shoppers.
func (s *shop) itemsOf(t *testing.T, view string, shoppers ...int) string {
	t.Helper()
	l := value.NewKeyLayout(3, []string{"shopper"})
	var texts []string
	for _, id := range shoppers {
		key, err := l.Append(nil, [][]byte{value.AppendInt64(nil, int64(id))})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := s.online.Read(t.Context(), []stores.Read{{Table: stores.Table{Project: "shop", View: view}, Features: stores.NewSelection("items"), Keys: [][]byte{key}}})
		if err != nil {
			t.Fatal(err)
		}
		if row := rows.Reads[0][0]; row.Found {
			text, _ := value.AppendJSON(nil, row.Values[0])
			texts = append(texts, fmt.Sprintf("%d: %s at %s", id, text, row.Event.UTC().Format("15:04")))
		}
	}
	return strings.Join(texts, ", ")
}

func TestOnDemandViewsAreMaterialized(t *testing.T) {
	s := newShop(t, false, "carts")
	log := withCopies(t, s, "copy", "no")
	s.source.add(row{1, 10, noon.Add(-3 * time.Hour), time.Time{}}, row{1, 11, noon.Add(-time.Hour), time.Time{}}, row{2, 20, noon.Add(-2 * time.Hour), time.Time{}})
	before, _, err := s.opt.Storage.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.opt.Computer.(*copies).nulls = 5 //nolint:forcetypeassert // withCopies has set it
	results, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Views: []string{"copy"}, Start: noon.Add(-24 * time.Hour), End: noon})
	if err != nil {
		t.Fatal(err)
	}
	if r := results[0]; r.Read != 8 || r.Keys != 2 || r.Written != 2 || r.NullKeys != 5 {
		t.Errorf("%+v", r)
	}
	if got, want := s.itemsOf(t, "copy", 1, 2, 3), "1: 11 at 11:00, 2: 20 at 10:00"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	after, _, err := s.opt.Storage.Load(t.Context())
	if err != nil || !proto.Equal(before, after) {
		t.Error("the run has changed the registry", err)
	}

	// Nothing tells which rows are stored, so each is compared.
	results, err = ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Views: []string{"copy"}, Start: noon.Add(-24 * time.Hour), End: noon.Add(-2 * time.Hour)})
	if err != nil || results[0].Written != 1 || results[0].Older != 1 {
		t.Errorf("an older window: %+v, %v", results, err)
	}

	// A run of all views has them last, and leaves out what cannot be computed.
	results, err = ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Start: noon.Add(-24 * time.Hour), End: noon})
	if err != nil || len(results) != 2 || results[0].View != "carts" || results[1].View != "copy" {
		t.Errorf("%+v, %v", results, err)
	}
	if !strings.Contains(log.String(), `msg="feature view left out: it needs request data" view=no`) {
		t.Error(log)
	}
	if _, err = ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Views: []string{"no"}, End: noon}); err == nil || err.Error() != "it needs request data" {
		t.Errorf("a named view: %v", err)
	}
}

// An incremental run goes back by the largest ttl of the sources, or a year, since no window
// is recorded.
func TestIncrementalRunsOfOnDemandViews(t *testing.T) {
	for ttl, want := range map[time.Duration]time.Duration{30 * 24 * time.Hour: 30 * 24 * time.Hour, 0: 52 * 7 * 24 * time.Hour} {
		s := newShop(t, false, "carts")
		withCopies(t, s, "copy")
		if _, err := registry.Update(t.Context(), s.opt.Storage, func(reg *core.Registry) error {
			reg.FeatureViews[0].Spec.Ttl = durationpb.New(ttl)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		s.source.add(row{1, 10, noon.Add(-want), time.Time{}}, row{2, 20, noon.Add(-want - time.Second), time.Time{}})
		for range 2 {
			results, err := ingest.New(s.opt).MaterializeIncremental(t.Context(), ingest.Request{Views: []string{"copy"}, End: noon})
			if err != nil || results[0].Written != 1 || !results[0].Start.Equal(noon.Add(-want)) || results[0].Assumed {
				t.Errorf("ttl %s: %+v, %v", ttl, results, err)
			}
		}
	}
}

func TestDryRunsAndShardsOfOnDemandViews(t *testing.T) {
	s := newShop(t, false, "carts")
	withCopies(t, s, "copy")
	for id := range 40 {
		s.source.add(row{id, int64(id), noon, time.Time{}})
	}
	req := ingest.Request{Views: []string{"copy"}, Start: noon.Add(-time.Hour), End: noon, DryRun: true}
	results, err := ingest.New(s.opt).Materialize(t.Context(), req)
	if err != nil || results[0].Estimate == nil || results[0].Estimate.Rows != 40 || s.itemsOf(t, "copy", 1) != "" {
		t.Errorf("%+v, %v", results, err)
	}
	written := 0
	for i := range 3 {
		req.DryRun, req.Shard = false, ingest.Shard{Index: i, Count: 3}
		results, err := ingest.New(s.opt).Materialize(t.Context(), req)
		if err != nil || results[0].Waiting != "" || results[0].Written == 0 {
			t.Errorf("%+v, %v", results, err)
			continue
		}
		written += results[0].Written
	}
	if written != 40 {
		t.Errorf("three shards have written %d rows", written)
	}
}

func TestAnEmptyWindowOfAnOnDemandView(t *testing.T) {
	s := newShop(t, false, "carts")
	withCopies(t, s, "copy")
	req := ingest.Request{Views: []string{"copy"}, Start: noon.Add(-time.Hour), End: noon}
	for _, dry := range []bool{false, true} {
		req.DryRun = dry
		results, err := ingest.New(s.opt).Materialize(t.Context(), req)
		if err != nil || results[0].Hint != "copy: its sources hold no row with an event time" {
			t.Errorf("%+v, %v", results, err)
		}
	}
	s.source.add(row{1, 10, noon.Add(-3 * time.Hour), time.Time{}})
	results, err := ingest.New(s.opt).Materialize(t.Context(), req)
	const want = "copy: its sources have no row between 2024-06-01 11:00:00+00:00 and 2024-06-01 12:00:00+00:00; to materialize all of them: banquet materialize 2024-06-01T09:00:00 2024-06-01T09:00:00 --views copy"
	if err != nil || results[0].Hint != want {
		t.Error(cmp.Diff(want, results[0].Hint), err)
	}
}

func TestOnDemandViewsThatAreNotMaterialized(t *testing.T) {
	s := newShop(t, false, "carts")
	withCopies(t, s, "copy")
	for want, change := range map[string]func(v *core.OnDemandFeatureViewSpec){
		"OnDemandFeatureView copy is not configured for write_to_online_store.": func(v *core.OnDemandFeatureViewSpec) { v.WriteToOnlineStore = false },
		"Feature view 'copy' is disabled; ":                                     func(v *core.OnDemandFeatureViewSpec) { v.WriteToOnlineStore, v.Disabled = true, true },
	} {
		if _, err := registry.Update(t.Context(), s.opt.Storage, func(reg *core.Registry) error {
			change(reg.OnDemandFeatureViews[0].Spec)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Views: []string{"copy"}, End: noon}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := registry.Update(t.Context(), s.opt.Storage, func(reg *core.Registry) error {
		reg.OnDemandFeatureViews[0].Spec.Disabled, reg.OnDemandFeatureViews[0].Spec.WriteToOnlineStore = false, true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.opt.Computer = nil
	if _, err := ingest.New(s.opt).Materialize(t.Context(), ingest.Request{Views: []string{"copy"}, End: noon}); fault.KindOf(err) != fault.Unimplemented {
		t.Error("an offline store without joins:", err)
	}
}
