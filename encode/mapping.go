package encode

import (
	"fmt"
	"slices"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
)

// Originals returns the source's name of a view's name.
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

// checkMapping refuses a field mapping that is ambiguous for a name of the
// view: it maps two columns to the name, or maps the column of that name to
// another name. If another column is mapped to the name of a column, the column
// itself is not read, as in Feast.
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
			return mappingFault(v, "the source's field mapping renames column %s to %s, and no other column gives %s", name, to, name)
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
	return mappingFault(v, "the source's field mapping renames both column %s and column %s to %s; keep one of them", sources[0], sources[1], name)
}

func mappingFault(v *registry.View, format string, args ...any) error {
	return fault.New(fault.Invalid, "feature view %s: %s", v.Name, fmt.Sprintf(format, args...)).About("feature view", v.Name, v.Project)
}
