package offline

import (
	"slices"

	"github.com/banquet-fs/banquet/fault"
)

// CheckColumns returns an error if rows with columns of these names do not have exactly
// the columns of their source. Its text is Feast's.
func CheckColumns(columns []Column, names []string) error {
	have, want := map[string]bool{}, map[string]bool{}
	for _, name := range names {
		if have[name] {
			return fault.New(fault.Invalid, "The rows have two columns %s; name each column once", name)
		}
		have[name] = true
	}
	for _, c := range columns {
		want[c.Name] = true
	}
	missing, extra := absent(want, have), absent(have, want)
	if len(missing)+len(extra) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "The input dataframe columns do not match the batch source columns. missing_expected_columns: %s, extra_unexpected_columns: %s.",
		fault.PythonList(missing), fault.PythonList(extra))
}

// absent lists the names of a that b lacks, in order.
func absent(a, b map[string]bool) []string {
	var out []string
	for name := range a {
		if !b[name] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
