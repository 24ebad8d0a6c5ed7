package python_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/definitions/python"
)

// TestWhatATextTakesFromElsewhere checks Python's scopes: each case lists the
// names that a text needs, late names with an L, those of annotations with an H.
func TestWhatATextTakesFromElsewhere(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"def f(a, *b, c=1, **d):\n    return a, b, c, d, f\n", ""},
		{"def f(a=K, *, b=L):\n    return M\n", "K L ML"},
		{"def f(a: A, *b: B) -> C:\n    x: D = 1\n    return x\n", "AH BH CH"},
		{"def f(a: 'A.b') -> 'C[D]':\n    return a\n", "AHQ CHQ DHQ"},
		{"def f(x):\n    import a.b, c as d\n    from e import g as h\n    return a, d, h, c, e, g\n", "cL eL gL"},
		{"def f(x):\n    return [y + z for y in x for w in y if w]\n", "zL"},
		{"def f(x):\n    [y for y in x]\n    return y\n", "yL"},
		{"def f(x):\n    [y := 1 for _ in x]\n    return y\n", ""},
		{"def f(x):\n    return [a for a in a]\n", "aL"},
		{"def f(x):\n    return lambda y, z=w: x + y + v\n", "wL vL"},
		{"def f(x):\n    try:\n        pass\n    except E as e:\n        return e\n    with x as (a, [b, *c]):\n        return a, b, c\n", "EL"},
		{"def f(x):\n    for i, (j, k) in x:\n        del k\n    else:\n        return i, j\n    return n\n", "nL"},
		{"def f(x):\n    class C(B):\n        y = 1\n        def m(self):\n            return y\n    return C.y\n", "BL yL"},
		{"def f(x):\n    global G\n    G = x\n    return G\n", "GL GL GL"},
		{"def f(x):\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n        return n\n    return g\n", ""},
		{"def f(x):\n    return f'{x} {y:>{w}}'\n", "yL wL"},
		{"def f(x):\n    match x:\n        case [a, *b] | (a, b) if a > c:\n            return a, b\n        case d.e as g:\n            return g\n", "cL dL"},
		{"def f(x):\n    total += 1\n    y.z = 2\n    return total\n", "yL"},
		{"def f(x):\n    match x:\n        case {'a': y, b.c: [z], **rest}:\n            return y, z, rest\n        case C(u, v=w):\n            return u, v, w\n", "bL CL vL"},
		{"def f(x):\n    y: A\n    return y\nz: B = 1\n", "B"},
		{"async def f(x):\n    async for a in x:\n        await b\n", "bL"},
		{"@d(e)\ndef f(x):\n    return x\n", "d e"},
		{"K = 2\ndef f(x, k=K):\n    return k\n", ""},
	} {
		alone, err := python.ReadAlone(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var got []string
		for _, f := range alone.Free {
			name := f.Name
			for mark, is := range map[string]bool{"L": f.Late, "H": f.Hint && !f.Quoted, "HQ": f.Quoted} {
				if is {
					name += mark
				}
			}
			if at := strings.Index(c.text[f.At:], f.Name); at < 0 || !f.Quoted && !strings.HasPrefix(c.text[f.At:], "global") && at != 0 {
				t.Errorf("%q: %s does not stand at %d", c.text, f.Name, f.At)
			}
			got = append(got, name)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q takes %q, want %q", c.text, s, c.want)
		}
		if fmt.Sprint(alone.Functions) != "[f]" {
			t.Errorf("%q defines %v", c.text, alone.Functions)
		}
	}
}
