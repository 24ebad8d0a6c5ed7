package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// warnOfSources looks at the file sources of feature views before an apply.
// What is wrong is said and stops nothing, as in Feast: the files may come
// later. Sources in a database are not asked; validate asks them.
func (r *repository) warnOfSources(ctx context.Context, objects *registry.Objects) {
	warn := func(view string, err error) {
		fmt.Fprintf(r.app.err, "warning: feature view %s: %s\n", view, fault.Of(err).Text)
	}
	for _, v := range objects.FeatureViews {
		source := v.GetSpec().GetBatchSource()
		if source.GetType() != core.DataSource_BATCH_FILE {
			continue
		}
		columns, err := r.files().Columns(ctx, source)
		if err != nil {
			warn(v.GetSpec().GetName(), err)
			continue
		}
		field := source.GetTimestampField()
		if field != "" && !slices.ContainsFunc(columns, func(c offline.Column) bool { return c.Name == field }) {
			warn(v.GetSpec().GetName(), fault.New(fault.Invalid, "%s has no column %s, which timestamp_field names", source.GetFileOptions().GetUri(), field))
		}
	}
}

// warnOfConfig says what the configuration asks for and does not get.
func (r *repository) warnOfConfig() {
	for _, w := range r.config.Warnings() {
		fmt.Fprintln(r.app.err, "warning: "+w)
	}
}
