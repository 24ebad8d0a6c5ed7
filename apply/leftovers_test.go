package apply_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

// The records of tables to drop that an apply heeds are those of its project, of any
// apply that was stopped; damaged ones stop nothing and go.
func TestRecordsOfTablesToDrop(t *testing.T) {
	w := newWorld(t)
	if err := w.apply(t, "a", "b"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"c", "d"} { // tables that no registry lists
		spec := stores.TableSpec{Table: stores.Table{Project: "p", View: name}}
		if _, err := w.Admin.Do(t.Context(), []stores.Change{{Action: stores.Create, Spec: spec, Name: "p_" + name}}); err != nil {
			t.Fatal(err)
		}
	}
	table := func(project, view string) []byte {
		return fmt.Appendf(nil, `[{"Project":%q,"View":%q,"Version":0}]`, project, view)
	}
	w.records = map[string][]byte{
		"drop/p":          table("p", "c"),        // as an older version has named it
		"drop/p/1":        table("p", "b"),        // which the registry lists again
		"drop/p/2":        []byte("{damaged"),     //
		"drop/p/3":        table("q", "d"),        // of another project
		"drop/p2":         table("p", "d"),        // the project p2
		"drop/p2/4":       table("p", "d"),        //
		"runs/p/whatever": []byte("another kind"), //
	}
	p, err := apply.New(w.options()).Plan(t.Context(), objects("a", "b"))
	if err != nil || len(p.Drop) != 1 || p.Drop[0].View != "c" || len(p.Tables) != 1 {
		t.Errorf("the plan is %+v, %v", p, err)
	}
	if err := w.apply(t, "a", "b"); err != nil {
		t.Fatal(err)
	}
	if views, tables := w.state(t); fmt.Sprint(views, tables) != "[a b] [a b d]" {
		t.Errorf("views %v, tables %v", views, tables)
	}
	if len(w.records) != 3 || w.records["drop/p2"] == nil || w.records["drop/p2/4"] == nil || w.records["runs/p/whatever"] == nil {
		t.Errorf("left are %v", w.records)
	}
}

// indexed is a source of columns that knows which indexes are missing.
type indexed struct {
	missing map[string]string // by view
	asked   []offline.JoinView
}

func (x *indexed) MissingIndex(_ context.Context, v offline.JoinView) (string, error) {
	x.asked = append(x.asked, v)
	if x.missing[v.Name] == "fails" {
		return "", fault.New(fault.Unavailable, "no answer")
	}
	return x.missing[v.Name], nil
}

// Missing indexes are advised once for each statement; a view that cannot be asked about
// is left out, and so is one that is made of other views.
func TestMissingIndexes(t *testing.T) {
	o := &registry.Objects{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		v := viewNamed(name)
		v.Spec.EntityColumns = []*core.FeatureSpecV2{{Name: "renamed", ValueType: types.ValueType_INT64}, {Name: registry.DummyKey}}
		v.Spec.BatchSource = &core.DataSource{Name: name, TimestampField: "at", CreatedTimestampColumn: "made", FieldMapping: map[string]string{"k": "renamed"}}
		o.FeatureViews = append(o.FeatureViews, v)
	}
	o.FeatureViews[4].Spec.SourceViews = []*core.FeatureViewSpec{{Name: "a"}}
	x := &indexed{missing: map[string]string{"a": "CREATE 1", "b": "CREATE 1", "c": "fails", "d": "CREATE 2", "e": "CREATE 3"}}
	got := apply.Indexes(t.Context(), o, x)
	if want := []apply.Index{{View: "a", Statement: "CREATE 1"}, {View: "d", Statement: "CREATE 2"}}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	if v := x.asked[0]; len(x.asked) != 4 || len(v.Keys) != 1 || v.Keys[0].Column != "k" || v.Timestamp != "at" || v.Created != "made" {
		t.Errorf("%d views are asked about, the first as %+v", len(x.asked), v)
	}
}
