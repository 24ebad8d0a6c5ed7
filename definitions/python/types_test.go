package python_test

import (
	"testing"

	"github.com/banquet-fs/banquet/definitions/python"
)

// The types of Python's own types and functions, and the error texts of
// divisions.
func TestTypesOfBuiltins(t *testing.T) {
	for source, want := range map[string]string{
		"out = (type(type).__name__, type(int).__name__, type(len).__name__)":                      "('type', 'type', 'builtin_function_or_method')",
		"out = (isinstance(int, type), isinstance(len, type), isinstance(5, type))":                "(True, False, False)",
		"out = (type(len) is type(print), type(int) is type(str), type(len) is type(int))":         "(True, True, False)",
		"try: 1 / 0\nexcept ZeroDivisionError as e: out = str(e)":                                  "'division by zero'",
		"out = 0\ntry: out = 1 % 0\nexcept ZeroDivisionError as e: out = isinstance(e, Exception)": "True",
	} {
		m, _, err := read(source)
		if err != nil {
			t.Errorf("%s\n%v", source, err)
			continue
		}
		if got := python.Repr(m.Names["out"]); got != want {
			t.Errorf("%s\n%s, want %s", source, got, want)
		}
	}
	for _, source := range []string{"import math\nout = type(math.sqrt)", "try: 1 % 0\nexcept ZeroDivisionError as e: out = str(e)"} {
		if m, _, err := read(source); err == nil {
			t.Errorf("%s\nis read as %s", source, python.Repr(m.Names["out"]))
		}
	}
}
