package fault

import "strings"

// PythonList shows names as Python prints a list of them, as texts of Feast do.
func PythonList(names []string) string {
	if len(names) == 0 {
		return "[]"
	}
	return "['" + strings.Join(names, "', '") + "']"
}
