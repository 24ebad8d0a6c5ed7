package main

import (
	"fmt"
	"slices"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/fault"
)

// warnOfSources prints the problems of data sources, and the indexes that they lack.
func (a *app) warnOfSources(p *apply.Plan) {
	for _, i := range p.Indexes {
		fmt.Fprintf(a.err, "warning: feature view %s: without an index on its join keys and event time, training sets read the whole table; make one with: %s\n", i.View, i.Statement)
	}
	for _, err := range slices.Concat(p.Functions, p.Sources) {
		fmt.Fprintf(a.err, "warning: %s\n", fault.Of(err).Text)
	}
}

// warnOfConfig warns about settings that have no effect.
func (r *repository) warnOfConfig() { r.warn(r.config.Warnings()) }

func (r *repository) warn(warnings []string) {
	for _, w := range warnings {
		fmt.Fprintln(r.app.err, "warning: "+w)
	}
}
