package encode

import (
	"fmt"
	"maps"
	"slices"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
)

// Originals gives the source's name of a view's name.
func Originals(mapping map[string]string) func(string) string {
	names := make(map[string]string, len(mapping))
	for from, to := range mapping {
		names[to] = from
	}
	return func(name string) string {
		if from, ok := names[name]; ok {
			return from
		}
		return name
	}
}

// checkMapping refuses a field mapping that leaves open which column of the
// source a name of the view is: two columns are called by it, or its own column
// is called by another name.
func checkMapping(v *registry.View) error {
	mapping := v.Batch.GetFieldMapping()
	if len(mapping) == 0 {
		return nil
	}
	sources := make(map[string][]string, len(mapping))
	for from, to := range mapping {
		sources[to] = append(sources[to], from)
	}
	names := []string{v.Batch.GetTimestampField(), v.Batch.GetCreatedTimestampColumn()}
	for _, name := range names {
		if err := oneSource(v, name, sources[name]); err != nil {
			return err
		}
	}
	for _, name := range columnNames(v) {
		if err := oneSource(v, name, sources[name]); err != nil {
			return err
		}
		if to, renamed := mapping[name]; renamed && len(sources[name]) == 0 {
			return mappingFault(v, "column %s of the source is called %s by its field mapping; there is no other one for %s", name, to, name)
		}
	}
	return nil
}

// CheckColumns refuses a source of which two columns are one name of the view: the
// column that the field mapping calls so, and another one that is called so in the
// source and has no mapping. columns are all that the source has.
func (l *Layout) CheckColumns(columns []string) error {
	mapping := l.view.Batch.GetFieldMapping()
	wanted := map[string]bool{l.view.Batch.GetTimestampField(): true, l.view.Batch.GetCreatedTimestampColumn(): true}
	for _, name := range columnNames(l.view) {
		wanted[name] = true
	}
	for _, from := range slices.Sorted(maps.Keys(mapping)) {
		to := mapping[from]
		if _, renamed := mapping[to]; wanted[to] && !renamed && slices.Contains(columns, to) {
			return mappingFault(l.view, "the source has a column %s, and its field mapping calls the column %s by that name, too; give one of them another name", to, from)
		}
	}
	return nil
}

// columnNames are the view's names of the columns that it needs.
func columnNames(v *registry.View) []string {
	var names []string
	if !v.Entityless {
		for _, k := range v.JoinKeys {
			names = append(names, k.Name)
		}
	}
	for _, f := range v.Features {
		names = append(names, f.Name)
	}
	return names
}

func oneSource(v *registry.View, name string, sources []string) error {
	if len(sources) < 2 {
		return nil
	}
	slices.Sort(sources)
	return mappingFault(v, "the source's columns %s and %s are both called %s by its field mapping; keep one of them", sources[0], sources[1], name)
}

func mappingFault(v *registry.View, format string, args ...any) error {
	return fault.New(fault.Invalid, "feature view %s: %s", v.Name, fmt.Sprintf(format, args...)).About("feature view", v.Name, v.Project)
}
