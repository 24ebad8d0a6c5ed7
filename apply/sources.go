package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/similar"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// Sources checks that the sources of feature views can be read and have the columns that
// the views need, and returns an error for each problem. A source of a store that
// banquet does not have is not checked. It reads each source once.
func Sources(ctx context.Context, objects *registry.Objects, columns Columns) []error {
	c := sourceCheck{in: &inference{ctx: ctx, columns: columns, known: map[string][]offline.Column{}}, failed: map[string]bool{}}
	for _, v := range objects.FeatureViews {
		s := v.GetSpec()
		if len(s.GetSourceViews()) == 0 {
			c.view(s.GetName(), s.GetBatchSource(), s.GetEntityColumns(), s.GetFeatures())
		}
	}
	for _, v := range objects.StreamFeatureViews {
		s := v.GetSpec()
		c.view(s.GetName(), s.GetBatchSource(), s.GetEntityColumns(), s.GetFeatures())
	}
	return c.problems
}

type sourceCheck struct {
	in       *inference
	failed   map[string]bool // sources that could not be read
	problems []error
}

// view checks the source of one view.
func (c *sourceCheck) view(name string, source *core.DataSource, lists ...[]*core.FeatureSpecV2) {
	if source == nil || c.failed[identity(source)] {
		return
	}
	columns, err := c.in.of(source)
	if err != nil || columns == nil {
		c.failed[identity(source)] = true
		if err != nil && fault.KindOf(err) != fault.Unimplemented {
			c.add(fault.KindOf(err), name, "%s", fault.Of(err).Text)
		}
		return
	}
	original := encode.Originals(source.GetFieldMapping())
	c.time(name, source, columns, "timestamp_field", original(source.GetTimestampField()))
	c.time(name, source, columns, "created_timestamp_column", original(source.GetCreatedTimestampColumn()))
	for _, list := range lists {
		for _, f := range list {
			if f.GetName() != registry.DummyKey {
				c.column(name, source, columns, original(f.GetName()))
			}
		}
	}
}

// time checks a column of times.
func (c *sourceCheck) time(view string, source *core.DataSource, columns []offline.Column, field, name string) {
	if name == "" {
		return // a source without an event time is refused elsewhere
	}
	column := c.column(view, source, columns, name)
	if column == nil {
		return
	}
	switch column.Type {
	case types.ValueType_UNIX_TIMESTAMP, types.ValueType_STRING, types.ValueType_INVALID:
	default:
		c.add(fault.Invalid, view, "column %s of data source %s, its %s, is %s: a number is not a time, since its unit is unknown; convert it in the source",
			name, source.GetName(), field, native(column))
	}
}

func native(c *offline.Column) string {
	if c.Native != "" {
		return c.Native
	}
	return c.Type.String()
}

// column finds a column of a source, nil if it has none.
func (c *sourceCheck) column(view string, source *core.DataSource, columns []offline.Column, name string) *offline.Column {
	at := slices.IndexFunc(columns, func(o offline.Column) bool { return o.Name == name })
	if at >= 0 {
		return &columns[at]
	}
	var names []string
	for _, o := range columns {
		names = append(names, o.Name)
	}
	hint := ""
	if best := similar.Nearest(name, names); best != "" {
		hint = "; did you mean " + best + "?"
	}
	c.add(fault.Invalid, view, "data source %s has no column %s%s", source.GetName(), name, hint)
	return nil
}

func (c *sourceCheck) add(kind fault.Kind, view, format string, args ...any) {
	c.problems = append(c.problems, fault.New(kind, "feature view %s: %s", view, fmt.Sprintf(format, args...)).About("feature view", view, ""))
}
