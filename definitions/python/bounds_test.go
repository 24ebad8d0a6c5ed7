//go:build unix

package python_test

import (
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/definitions/python"
)

// Programs that would use all time or memory are stopped early.
func TestWorkIsBounded(t *testing.T) {
	const many = 100_000
	for name, source := range map[string]string{
		"an endless loop":             "while True:\n    pass\n",
		"mutual recursion":            "def f(n): return g(n)\ndef g(n): return f(n)\nx = f(0)\n",
		"recursive objects":           "class A:\n    def __init__(self): self.x = A()\nA()\n",
		"doubling text":               "x = 'ab'\nwhile True: x = x + x\n",
		"a dict that grows by itself": "d = {i: i for i in range(1000)}\nwhile True: d |= d\n",
		"a set that grows by itself":  "s = {str(i) for i in range(10000)}\nwhile True: s |= s\n",
		"arguments that double":       "def f(*a): return a + a\nu = (1,)\nwhile True: u = f(*u)\n",
		"arguments passed on":         "def f(*a): return a\nu = (1,) * 100000\nwhile True: u = f(*u)\n",
		"named arguments":             "d = {f'n{i}': i for i in range(10000)}\ndef f(**k): return k\nwhile True: f(**d)\n",
		"a wide %-format":             "x = ('%99999d' * 5000) % ((1,) * 5000)\n",
		"wide %-formats":              "while True: ('%99999d' * 5) % ((1,) * 5)\n",
		"text of unknown values":      "import pandas as pd\nx = pd.f()\nwhile True: x = str(x) + str(x)\n",
		"calls of unknown values":     "import pandas as pd\nx = pd.f()\nwhile True: x = x(x)\n",
		"characters of a text":        "x = 'a' * 1000000\nwhile True: x[5]\n",
		"the first of two":            "x = 'a' * 1000000\nwhile True:\n    try: a, b = x\n    except ValueError: pass\n",
		"the length of a text":        "x = 'a' * 1000000\nwhile True: len(x)\n",
		"deleted items":               "x = list(range(100000))\nwhile True:\n    x.append(1)\n    del x[0]\n",
		"sorted rows":                 "x = [(1,) * 5000 + (i,) for i in range(20)]\nwhile True: x.sort()\n",
		"views of keys":               "x = {i: 1 for i in range(20000)}\nwhile True: x.keys() & x.keys()\n",
		"messages of assertions":      "x = list(range(100000))\nwhile True:\n    try: assert False, x\n    except AssertionError: pass\n",
		"patterns that are compiled":  "import re\nwhile True:\n    for i in range(1000): re.compile('(.{1,100}){1,9}' + str(i))\n",
		"a large pattern":             "import re\nre.findall('(.{1,100}){1,9}c', 'ab' * 100000)\n",
		"rows of CSV":                 "import csv\nx = ['a,' * 500000]\nwhile True: list(csv.reader(x))\n",
		"knots of tuples":             "x = ()\nfor i in range(100): x = (x, x)\nwhile True:\n    import pandas as pd\n    pd.f(x)\n",
		"equal knots":                 "x, y = [], []\nfor i in range(60): x, y = [x, x], [y, y]\nx == y\n",
		"iterators that are kept":     "x = []\nwhile True: x.append(zip([], []))\n",
		"generators that are kept":    "x = []\nwhile True: x.append(i for i in [])\n",
		"loggers":                     "import logging\ni = 0\nwhile True:\n    logging.getLogger(str(i)); i += 1\n",
		"dates that are read":         "from datetime import datetime\nwhile True: datetime.strptime('2024-01-01', '%Y-%m-%d')\n",
		"dates that are written":      "from datetime import datetime\nd = datetime(2024, 1, 1)\nwhile True: d.strftime('%Y-%m-%d' * 1000)\n",
		"paths that grow":             "from pathlib import Path\np = Path('a')\nwhile True: p = p / 'b'\n",
		"templates":                   "from string import Template\nx = Template('$a' * 100000)\nwhile True: x.substitute(a='b' * 1000)\n",
		"directories":                 "import os\nwhile True: os.listdir('.')\n",
		"JSON in parts":               "import json\nx = []\nwhile True: x.append(json.loads('[[1, 2], {\"a\": 3}]'))\n",
		"much text":                   "x = []\nwhile True: x.append('a' * 1000000)\n",
		"joined text":                 "a = ['x' * 1000] * 1000\nx = []\nwhile True: x.append(''.join(a))\n",
		"doubling lists":              "x = [0]\nwhile True: x.extend(x)\n",
		"copied lists":                "a = [0] * 100000\nx = []\nwhile True: x.append(list(a))\n",
		"nested loops":                "x = [i for i in range(1000) for j in range(1000) for k in range(1000)]\n",
		"a product":                   "from itertools import product\nx = list(product(*[range(100)] * 5))\n",
		"text of a knot":              "x = [1]\nfor i in range(100): x = [x, x, x]\ny = str(x)\n",
		"JSON of a knot":              "import json\nx = [1]\nfor i in range(100): x = [x, x, x]\ny = json.dumps(x)\n",
		"copies of a knot":            "import copy\nx = [1]\nfor i in range(40): x = [x, x, x]\nwhile True: copy.deepcopy(x)\n",
		"keys that are tuples":        "x = ()\nfor i in range(1000): x = (x, x)\ny = {x: 1}\n",
		"replaced text":               "x = 'a' * 1000\nwhile True: x = x.replace('a', 'aa')\n",
		"a large power":               "x = 10 ** 10 ** 10\n",
		"deep blocks":                 nestedBlocks(400),
		"a long sum":                  "x = " + strings.Repeat("1+", many) + "1\n",
		"a long chain":                "x = a" + strings.Repeat(".b", many) + "\n",
		"many brackets":               "x = " + strings.Repeat("[", many) + "\n",
		"many signs":                  "x = " + strings.Repeat("-", many) + "1\n",
		"many lambdas":                "x = " + strings.Repeat("lambda: ", many) + "1\n",
		"many f-strings":              "x = " + strings.Repeat(`f'{f"{`, 1000) + "1" + strings.Repeat(`}"}'`, 1000) + "\n",
		"many elifs":                  "if 0: pass\n" + strings.Repeat("elif 0: pass\n", many),
		"chained assignments":         strings.Repeat("x = ", many) + "1\n",
		"deleted keys":                "x = {i: i for i in range(20000)}\nfor i in range(20000): del x[i]\n",
		"searched lists":              "x = list(range(50000))\nfor i in range(50000): x.index(i)\n",
		"contained items":             "x = list(range(50000))\nfor i in range(50000): (-1 in x)\n",
		"compared lists":              "a = list(range(50000))\nb = list(range(50000))\nfor i in range(50000): a == b\n",
		"upper text":                  "x = 'a' * 1000000\nfor i in range(100000): x.upper()\n",
		"split text":                  "x = 'a ' * 400000\nfor i in range(100000): x.split()\n",
		"JSON that is read":           "import json\nx = json.dumps(list(range(50000)))\nfor i in range(100000): json.loads(x)\n",
		"a long path":                 "from pathlib import Path\nx = Path('a/' * 100000)\n",
		"wide formats":                "while True: format(1, '100000d')\n",
		"aliases of YAML":             "import yaml\nx = yaml.safe_load('a: &a [x]\\n' + ''.join(f'k{i}: &k{i} [*k{i-1}, *k{i-1}]\\n' if i else 'k0: &k0 [1, 1]\\n' for i in range(60)))\ny = str(x)\n",
		"merged YAML":                 "import yaml\nx = yaml.safe_load('a: &a {x: 1}\\n' + 'b: {<<: *a}\\n' * 200000)\n",
		"patterns":                    "import re\nwhile True: re.findall('(a|b)+c', 'ab' * 1000)\n",
		"files read again":            "while True: open('conf.json').read()\n",
		"spread dict":                 "x = {i: i for i in range(50000)}\nfor i in range(100000): {**x}\n",
		"passed list":                 "x = [i for i in range(50000)]\ndef f(*a): pass\nfor i in range(100000): f(*x)\n",
	} {
		t.Run(name, func(t *testing.T) {
			run := newRun()
			defer run.Close()
			run.Limit(t.Context(), 400_000, 12<<20) // a part of the real bounds, to be quick
			ends(t, run, source, 500*time.Millisecond)
		})
	}
}

// With the real bounds, too, programs end within a second and below 200 MiB.
func TestBoundsOfTimeAndMemory(t *testing.T) {
	for name, source := range map[string]string{
		"steps":           "while True: pass\n",
		"items":           "x = [0]\nwhile True: x += x\n",
		"numbers":         "x = list(range(10 ** 12))\n",
		"entries":         "x = {}\nfor i in range(10 ** 12): x[str(i)] = [i]\n",
		"texts":           "x = []\nwhile True: x.append(('%99999d' * 5) % ((1,) * 5))\n",
		"parts of a text": "x = 'a,' * 500000\ny = []\nwhile True: y.append(x.split(','))\n",
		"classes":         "x = []\nwhile True:\n    class C: pass\n    x.append(C)\n",
	} {
		t.Run(name, func(t *testing.T) {
			run := newRun()
			defer run.Close()
			ends(t, run, source, 3*time.Second) // all threads, and the collector's
		})
	}
}

// ends checks that a program is stopped in time and at a place, and that the heap stays
// below 200 MiB.
func ends(t *testing.T, run *python.Interpreter, source string, within time.Duration) {
	t.Helper()
	runtime.GC()
	stop, peak := make(chan bool), make(chan uint64)
	go func() {
		heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		most := uint64(0)
		for {
			metrics.Read(heap)
			most = max(most, heap[0].Value.Uint64())
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	began := cpu(t)
	_, err := run.Load(&python.File{Name: "program.py", Path: "/repo/program.py", Source: source}, "program")
	took := cpu(t) - began
	stop <- true
	if most := <-peak >> 20; most > 200 || took > within {
		t.Errorf("it ends after %s, with %d MiB: %v", took, most, err)
	}
	switch {
	case err == nil:
		t.Error("it ends")
	case !strings.HasPrefix(err.Error(), "program.py:") || python.ExceptionClass(err) != "":
		t.Errorf("it ends with %v", err)
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
