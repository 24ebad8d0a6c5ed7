package python_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/definitions/python"
)

// Unused generators end with the reader, and none of their code runs.
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

// Work is bounded for iterators, too.
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
