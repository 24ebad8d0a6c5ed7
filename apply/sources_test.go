package apply_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// catalog is the columns of sources by name, "name type"; a source without any cannot be
// read.
type catalog map[string]string

func (c catalog) Columns(_ context.Context, source *core.DataSource) ([]offline.Column, error) {
	text, ok := c[source.GetName()]
	if !ok {
		return nil, fault.Store(fault.NotFound, "table %s does not exist", source.GetName())
	}
	if text == "foreign" {
		return nil, fault.New(fault.Unimplemented, "a warehouse")
	}
	var list []offline.Column
	for column := range strings.SplitSeq(text, ", ") {
		name, kind, _ := strings.Cut(column, " ")
		list = append(list, offline.Column{Name: name, Type: types.ValueType_Enum(types.ValueType_Enum_value[kind]), Native: strings.ToLower(kind)})
	}
	return list, nil
}

func TestSources(t *testing.T) {
	view := func(source string, mapping map[string]string) *core.FeatureView {
		v := viewNamed("carts")
		v.Spec.BatchSource = &core.DataSource{Name: source, TimestampField: "at", CreatedTimestampColumn: "made", FieldMapping: mapping}
		return v
	}
	sources := catalog{
		"good":       "k INT64, f INT64, at UNIX_TIMESTAMP, made UNIX_TIMESTAMP, more BYTES",
		"texts":      "k INT64, f INT64, at STRING, made STRING",
		"numbers":    "k INT64, f INT64, at INT64, made UNIX_TIMESTAMP",
		"misspelt":   "k INT64, f INT64, att UNIX_TIMESTAMP, made UNIX_TIMESTAMP",
		"incomplete": "at UNIX_TIMESTAMP, made UNIX_TIMESTAMP",
		"renamed":    "k INT64, feature INT64, ts UNIX_TIMESTAMP, made UNIX_TIMESTAMP",
		"foreign":    "foreign",
	}
	for _, c := range []struct {
		name, source string
		mapping      map[string]string
		want         []string
	}{
		{"all is there", "good", nil, nil},
		{"times may be texts", "texts", nil, nil},
		{"a number is no time", "numbers", nil, []string{"feature view carts: column at of data source numbers, its timestamp_field, is int64: a number is not a time, since its unit is unknown; convert it in the source"}},
		{"a column that is spelt otherwise", "misspelt", nil, []string{"feature view carts: data source misspelt has no column at; did you mean att?"}},
		{"columns of keys and features", "incomplete", nil, []string{"feature view carts: data source incomplete has no column k", "feature view carts: data source incomplete has no column f"}},
		{"names of the source", "renamed", map[string]string{"feature": "f", "ts": "at"}, nil},
		{"no table", "gone", nil, []string{"feature view carts: table gone does not exist"}},
		{"a store that is not built", "foreign", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			objects := &registry.Objects{FeatureViews: []*core.FeatureView{view(c.source, c.mapping)}}
			var got []string
			for _, err := range apply.Sources(t.Context(), objects, sources) {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			w := newWorld(t)
			opt := w.options()
			opt.Columns = sources
			p, err := apply.New(opt).Plan(t.Context(), objects)
			if err != nil || p.Refused != nil || len(p.Sources) != len(c.want) {
				t.Errorf("the plan has %v, refused %v, %v", p.Sources, p.Refused, err)
			}
			opt.SkipSources = true
			if p, err = apply.New(opt).Plan(t.Context(), objects); err != nil || len(p.Sources) > 0 {
				t.Errorf("without the check the plan has %v, %v", p.Sources, err)
			}
		})
	}
	two := &registry.Objects{FeatureViews: []*core.FeatureView{view("gone", nil), view("gone", nil)}}
	if n := len(apply.Sources(t.Context(), two, sources)); n != 1 {
		t.Errorf("a source of two views is reported %d times", n)
	}
	if !slices.Equal([]error(nil), apply.Sources(t.Context(), &registry.Objects{}, sources)) {
		t.Error("nothing has problems")
	}
}
