package python_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/definitions/python"
)

// What iterators, scopes and context managers are not read exactly is refused by
// name, where it is first seen; no handler of the file takes that.
func TestLazyConstructsThatAreRefused(t *testing.T) {
	for _, c := range []struct{ construct, source, refusal string }{
		{"the order of a set of numbers", "s = {10, 20, 3}\nx = list(s)\n", "program.py:2:5: the order of a set of numbers is not read; write sorted(…) of it"},
		{"a loop over a set of numbers", "for x in {10, 2}: pass\n", "the order of a set of numbers is not read"},
		{"keys that are changed for others during a loop", "d = {'a': 1, 'b': 2}\nfor k in d:\n    del d[k]\n    d[k + 'x'] = 1\n", "program.py:2:10: going through a dictionary whose keys change meanwhile is not read"},
		{"a generator left unfinished within a finally", "def g():\n    try:\n        yield 1\n    finally:\n        print('end')\nx = next(g())\n", "generator g() is left unfinished within a try or with, which is not read"},
		{"a generator left unfinished within a with", "from contextlib import nullcontext\ndef g():\n    with nullcontext():\n        yield 1\nfor x in g(): break\n", "generator g() is left unfinished within a try or with"},
		{"an object gone through by __getitem__", "class A:\n    def __getitem__(self, i): return [1, 2][i]\nx = list(A())\n", "iterating over a A by its __getitem__ is not read; give the class an __iter__"},
		{"reversed of an object", "class A:\n    def __reversed__(self): return iter([])\nx = reversed(A())\n", "reversed() of a A is not read"},
		{"throw of a class, a value and a traceback", "def g(): yield\ng().throw(ValueError, 'x', None)\n", "throw() of more than an exception is not read"},
		{"sending to yield from of a list", "def g(): yield from [1, 2]\ni = g()\nnext(i)\ni.send(3)\n", "sending to 'yield from' of a list_iterator is not read"},
		{"close of a generator expression", "g = (x for x in [])\ng.close()\n", "generator.close is not read"},
		{"an unknown context manager that an error leaves", "import torch\nwith torch.no_grad():\n    {}['x']\n", "whether torch.no_grad() swallows this error cannot be known without running Python"},
		{"an __exit__ whose answer is not known", "import torch\nclass M:\n    def __enter__(self): pass\n    def __exit__(self, *a): return torch.x\nwith M():\n    {}['x']\n", "whether __exit__ of a M swallows this error cannot be known"},
		{"contextlib.ExitStack", "from contextlib import ExitStack\nwith ExitStack() as s:\n    {}['x']\n", "whether contextlib.ExitStack() swallows this error cannot be known"},
		{"async with", "async def f(): pass\nasync with f(): pass\n", "program.py:2:12: async with is not read"},
		{"nonlocal without a function around it", "def f():\n    nonlocal x\n    x = 1\n", "program.py:2:5: no binding for nonlocal 'x' found"},
		{"nonlocal of a name of the module", "x = 1\ndef f():\n    def g():\n        nonlocal x\n    g()\n", "program.py:4:9: no binding for nonlocal 'x' found"},
		{"nonlocal at the top", "nonlocal x\n", "no binding for nonlocal 'x' found"},
		{"nonlocal of a name that the function around declares global", "def f():\n    global x\n    x = 1\n    def g():\n        nonlocal x\n", "no binding for nonlocal 'x' found"},
		{"global after the name is bound", "def f():\n    x = 1\n    global x\n", "program.py:3:5: name 'x' is assigned to before it is declared global"},
		{"global of a parameter", "def f(x):\n    global x\n", "name 'x' is assigned to before it is declared global"},
		{"isinstance by a function of itertools", "from itertools import count\nx = isinstance(1, count)\n", "isinstance() by count is not read"},
		{"more open generators than are kept", "def g():\n    while True: yield 1\nx = [g() for _ in range(5000)]\nfor y in x: next(y)\n", "more than 4000 generators are begun and not ended"},
		{"match on an unknown value", "import torch\nmatch [torch.x]:\n    case [[a]]: pass\n", "this case depends on what cannot be known without running Python (torch.x)"},
		{"identity of equal tuples", "t = (1, 2)\nx = t is t\n", "program.py:2:5: whether two equal values of type tuple are one is not read; compare them by =="},
		{"identity of equal ranges", "x = range(3) is range(0, 3)\n", "whether two equal values of type range are one is not read"},
		{"a slice of a range beyond 64 bits", "x = range(2 ** 62, 2 ** 62 + 10, 3)[:]\n", "this integer does not fit 64 bits"},
		{"views of dicts and their methods", "x = {'a': 1}.keys().isdisjoint([])\n", "attribute 'isdisjoint' of a dict_keys is not read"},
	} {
		t.Run(c.construct, func(t *testing.T) {
			_, run, err := read(c.source)
			run.Close()
			if err == nil || !strings.Contains(err.Error(), c.refusal) || python.ExceptionClass(err) != "" {
				t.Errorf("%s\nends with %v, want %s", c.source, err, c.refusal)
			}
		})
	}
}

// Generators that nobody asks any more end with the reader, and none of their
// code runs.
func TestCloseEndsGenerators(t *testing.T) {
	before := runtime.NumGoroutine()
	m, run, err := read("log = []\ndef g():\n    try:\n        yield 1\n        yield 2\n    except ValueError:\n        pass\n    log.append(3)\nopen_ones = [g() for _ in range(100)]\nfirst = [next(x) for x in open_ones]\n")
	if err != nil {
		t.Fatal(err)
	}
	run.Close()
	for i := 0; i < 1000 && runtime.NumGoroutine() > before; i++ {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines are left, %d were there before", n, before)
	}
	if got := python.Repr(m.Names["log"]); got != "[]" {
		t.Errorf("log = %s", got)
	}
}

// Work is bounded for iterators as for lists.
func TestEndlessIteratorsAreGivenUp(t *testing.T) {
	for name, source := range map[string]string{
		"a list of an endless generator": "def g():\n    while True: yield 1\nx = list(g())\n",
		"a sum of an endless count":      "from itertools import count\nx = sum(count())\n",
		"an endless filter":              "from itertools import repeat\nx = next(filter(None, repeat(0)))\n",
		"an endless chain":               "from itertools import chain, repeat\nx = list(chain.from_iterable(repeat([])))\n",
		"a cycle that is searched":       "from itertools import cycle\nx = 3 in cycle([1, 2])\n",
		"a range that is added up":       "x = sum(range(10 ** 12))\n",
		"generators within generators":   "def g(n):\n    yield from g(n + 1)\nx = list(g(0))\n",
		"a list that extends itself":     "x = [1]\nfor y in x: x.append(y)\n",
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, run, err := read(source)
			run.Close()
			if err == nil || python.ExceptionClass(err) != "" || time.Since(began) > 10*time.Second {
				t.Errorf("after %s it ends with %v", time.Since(began), err)
			}
		})
	}
}
