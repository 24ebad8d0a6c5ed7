package python_test

import (
	"os"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/definitions/python"
)

// No program makes the reader panic or run without end.
func FuzzRead(f *testing.F) {
	for _, p := range programs(f) {
		f.Add(p.Source)
	}
	for _, s := range []string{
		"x = f'{a!r:>{w}}{{'\n", "match x:\n    case [a, *b] | {'k': v, **r} if a: pass\n    case C(x=1): pass\n", "async def f():\n    async for x in y: await z\n",
		"try: pass\nexcept* E as e: raise\n", "def f[T: int](a, /, *b: T, c=1, **d) -> T: yield from a\n", "type X[T] = list[T]\n", "with (a as b, c): pass\n",
		"@a.b[c](d)\nclass A(B, metaclass=C): x: int = 3\n", "x = y = *a, b\nx[1:2, ::3] @= z\n", "'\\N{DASH}' '\\ud800' b'\\xff' rb'\\'\n", "\tif x:\n  y\n",
		"0x_f 1_0 1e5j .5 0o7 0b1\n", "x = [[[[[[[[(((((((({}{}{}\n", "global a; del b, c[0]; assert d, e\n", "x=[x,x]\nx=[x,x]\nstr(x)\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		began := time.Now()
		m, run, err := read(source)
		defer run.Close()
		if m == nil && err == nil {
			t.Error("no module and no error")
		}
		if m != nil {
			for _, n := range m.Dir() {
				python.Repr(m.Names[n])
			}
		}
		if err := run.Finish(); err != nil {
			t.Error(err)
		}
		file := &python.File{Name: "f.py", Source: source}
		if python.Check(file) == nil {
			python.Imports(file)
			python.Imports(file)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// The parser accepts this repository's own Python.
func TestTheParserTakesWholeFiles(t *testing.T) {
	for _, path := range []string{"testdata/record.py", "../testdata/record.py"} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := python.Check(&python.File{Name: path, Source: string(b)}); err != nil {
			t.Error(err)
		}
	}
}
