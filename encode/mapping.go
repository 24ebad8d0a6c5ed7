package encode

import (
	"fmt"
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
// is called by another name. A column of the source that has the name that another
// one is mapped to is not read, as in Feast.
func checkMapping(v *registry.View) error {
	mapping := v.Batch.GetFieldMapping()
	if len(mapping) == 0 {
		return nil
	}
	sources := make(map[string][]string, len(mapping))
	for from, to := range mapping {
		sources[to] = append(sources[to], from)
	}
	names := columnNames(v)
	for _, name := range append([]string{v.Batch.GetTimestampField(), v.Batch.GetCreatedTimestampColumn()}, names...) {
		if err := oneSource(v, name, sources[name]); err != nil {
			return err
		}
	}
	for _, name := range names {
		if to, renamed := mapping[name]; renamed && len(sources[name]) == 0 {
			return mappingFault(v, "column %s of the source is called %s by its field mapping; there is no other one for %s", name, to, name)
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
