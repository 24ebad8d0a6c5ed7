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

// warnOfSources checks the file sources of feature views before an apply. A problem is
// only a warning, as in Feast: the files may be written later. Only validate checks
// sources in a database.
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

// warnOfConfig warns about settings that have no effect.
func (r *repository) warnOfConfig() {
	for _, w := range r.config.Warnings() {
		fmt.Fprintln(r.app.err, "warning: "+w)
	}
}
