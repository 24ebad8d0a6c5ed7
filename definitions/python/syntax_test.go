package python_test

import (
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/definitions/python"
)

// A file that Python does not compile is refused, whether the code would run or
// not.
func TestWhatPythonDoesNotCompileIsRefused(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"try:\n    pass\nexcept ValueError, e:\n    pass\n", "3:18: invalid syntax: several exception types must be in parentheses"},
		{"def f(a, a): pass\n", "invalid syntax: two parameters are named a"},
		{"x = lambda a, a: 1\n", "invalid syntax: two parameters are named a"},
		{"def f(a=1, b): pass\n", "invalid syntax: parameter b has no default but follows one that has"},
		{"def f(**k, b): pass\n", "invalid syntax: parameter b follows **k"},
		{"def f(*a, *b): pass\n", "invalid syntax: * is allowed only once"},
		{"*a, *b = 1, 2\n", "1:1: invalid syntax: only one name of a list can have a star"},
		{"*a = [1]\n", "1:1: invalid syntax: this cannot be assigned to"},
		{"x := 1\n", "1:3: invalid syntax: a := statement must be in parentheses"},
		{"x = b'é'\n", "1:5: invalid syntax: bytes hold ASCII only"},
		{"def f():\n    from os import *\n", "2:20: invalid syntax: import * is allowed only at module level"},
		{"x = 1\nfrom __future__ import annotations\n", "2:1: invalid syntax: imports from __future__ must be at the beginning of a file"},
		{"from __future__ import braces\n", "1:24: invalid syntax: __future__ has no known braces"},
		{"match 1:\n    case _: pass\n    case 1: pass\n", "2:10: invalid syntax: this case matches everything, and other cases follow it"},
	} {
		err := python.Check(&python.File{Name: "f.py", Path: "/f.py", Source: c.source})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n%v, want %s", c.source, err, c.want)
		}
	}
}

func TestWhatPythonCompilesIsRead(t *testing.T) {
	for _, source := range []string{
		"\"\"\"Text.\"\"\"\nfrom __future__ import annotations; from __future__ import division\nfrom __future__ import print_function\n",
		"# a comment\n\nfrom __future__ import annotations\n",
		"def f(a, b=1, *c, d, e=2, **g): pass\n", "def f(a=1, *, b): pass\n", "def f(a, /, b=1, *, c): pass\n", "x = lambda a, *b, c: 1\n",
		"(x := 1)\n", "a, *b = 1, 2\n", "*a, = [1]\n", "(*a, b), *c = [[1], 2]\n", "for *a, b in []: pass\n",
		"x = b'\\xe9'\n", "from os import *\n",
		"match 1:\n    case x if x > 2: pass\n    case _: pass\nx = 1\n",
	} {
		if err := python.Check(&python.File{Name: "f.py", Path: "/f.py", Source: source}); err != nil {
			t.Errorf("%s\n%v", source, err)
		}
	}
}
