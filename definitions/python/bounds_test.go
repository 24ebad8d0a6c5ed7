package python_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/definitions/python"
)

// Programs that would use all time or memory are stopped early.
func TestWorkIsBounded(t *testing.T) {
	const many = 100_000
	for name, source := range map[string]string{
		"an endless loop":      "while True:\n    pass\n",
		"mutual recursion":     "def f(n): return g(n)\ndef g(n): return f(n)\nx = f(0)\n",
		"recursive objects":    "class A:\n    def __init__(self): self.x = A()\nA()\n",
		"doubling text":        "x = 'ab'\nwhile True: x = x + x\n",
		"much text":            "x = []\nwhile True: x.append('a' * 1000000)\n",
		"joined text":          "a = ['x' * 1000] * 1000\nx = []\nwhile True: x.append(''.join(a))\n",
		"doubling lists":       "x = [0]\nwhile True: x.extend(x)\n",
		"copied lists":         "a = [0] * 100000\nx = []\nwhile True: x.append(list(a))\n",
		"nested loops":         "x = [i for i in range(1000) for j in range(1000) for k in range(1000)]\n",
		"a product":            "from itertools import product\nx = product(*[range(100)] * 5)\n",
		"text of a knot":       "x = [1]\nfor i in range(100): x = [x, x, x]\ny = str(x)\n",
		"JSON of a knot":       "import json\nx = [1]\nfor i in range(100): x = [x, x, x]\ny = json.dumps(x)\n",
		"copies of a knot":     "import copy\nx = [1]\nfor i in range(40): x = [x, x, x]\ny = copy.deepcopy(x)\n",
		"keys that are tuples": "x = ()\nfor i in range(1000): x = (x, x)\ny = {x: 1}\n",
		"replaced text":        "x = 'a' * 1000\nwhile True: x = x.replace('a', 'aa')\n",
		"a large power":        "x = 10 ** 10 ** 10\n",
		"deep blocks":          nestedBlocks(400),
		"a long sum":           "x = " + strings.Repeat("1+", many) + "1\n",
		"a long chain":         "x = a" + strings.Repeat(".b", many) + "\n",
		"many brackets":        "x = " + strings.Repeat("[", many) + "\n",
		"many signs":           "x = " + strings.Repeat("-", many) + "1\n",
		"many lambdas":         "x = " + strings.Repeat("lambda: ", many) + "1\n",
		"many f-strings":       "x = " + strings.Repeat(`f'{f"{`, 1000) + "1" + strings.Repeat(`}"}'`, 1000) + "\n",
		"many elifs":           "if 0: pass\n" + strings.Repeat("elif 0: pass\n", many),
		"chained assignments":  strings.Repeat("x = ", many) + "1\n",
		"deleted keys":         "x = {i: i for i in range(20000)}\nfor i in range(20000): del x[i]\n",
		"searched lists":       "x = list(range(50000))\nfor i in range(50000): x.index(i)\n",
		"contained items":      "x = list(range(50000))\nfor i in range(50000): (-1 in x)\n",
		"compared lists":       "a = list(range(50000))\nb = list(range(50000))\nfor i in range(50000): a == b\n",
		"upper text":           "x = 'a' * 1000000\nfor i in range(100000): x.upper()\n",
		"split text":           "x = 'a ' * 400000\nfor i in range(100000): x.split()\n",
		"JSON that is read":    "import json\nx = json.dumps(list(range(50000)))\nfor i in range(100000): json.loads(x)\n",
		"a long path":          "from pathlib import Path\nx = Path('a/' * 100000)\n",
		"wide formats":         "while True: format(1, '100000d')\n",
		"aliases of YAML":      "import yaml\nx = yaml.safe_load('a: &a [x]\\n' + ''.join(f'k{i}: &k{i} [*k{i-1}, *k{i-1}]\\n' if i else 'k0: &k0 [1, 1]\\n' for i in range(60)))\ny = str(x)\n",
		"merged YAML":          "import yaml\nx = yaml.safe_load('a: &a {x: 1}\\n' + 'b: {<<: *a}\\n' * 20000)\n",
		"patterns":             "import re\nwhile True: re.findall('(a|b)+c', 'ab' * 1000)\n",
		"files read again":     "while True: open('conf.json').read()\n",
		"spread dict":          "x = {i: i for i in range(50000)}\nfor i in range(100000): {**x}\n",
		"passed list":          "x = [i for i in range(50000)]\ndef f(*a): pass\nfor i in range(100000): f(*x)\n",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, _, err := read(source)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if took > 10*time.Second {
				t.Errorf("it took %s: %v", took, err)
			}
			if made := (after.TotalAlloc - before.TotalAlloc) >> 20; made > 2000 {
				t.Errorf("it made %d MiB: %v", made, err)
			}
		})
	}
}

func nestedBlocks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "if 1:\n")
	}
	b.WriteString(strings.Repeat(" ", n) + "pass\n")
	return b.String()
}

// Each file has its own budget: a file that uses it up does not affect the next.
func TestEachFileHasItsOwnBounds(t *testing.T) {
	run := newRun()
	if _, err := run.Load(&python.File{Name: "a.py", Source: "while True: pass\n"}, "a"); err == nil || !strings.Contains(err.Error(), "a.py:1:") || !strings.Contains(err.Error(), "too much work") {
		t.Errorf("the error is %v", err)
	}
	m, err := run.Load(&python.File{Name: "b.py", Source: "x = sum(range(1000))\n"}, "b")
	if err != nil || m.Names["x"] != int64(499500) {
		t.Errorf("b.py gives %v, %v", m.Names["x"], err)
	}
}
