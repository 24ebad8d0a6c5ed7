//go:build unix

package python_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/definitions/python"
)

// Whatever a file is doing, the end of the context ends it, with the error of the context
// and no place in the file.
func TestTheEndOfTheContextEndsAnyProgram(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	list := sweep()
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = append([]string{
		"x = list(range(300000, 0, -1))\nwhile True: sorted(x)\n",
		"x = [[i] * 100 for i in range(5000)]\nwhile True: sorted(x, key=lambda v: (v, v))\n",
		"class A:\n    def __init__(self, n): self.n = n\n    def __lt__(self, o): return self.n < o.n\nwhile True: sorted([A(i % 7) for i in range(3000)])\n",
		"class A:\n    def __eq__(self, o):\n        while True: pass\nA() == A()\n",
		"def f(n):\n    while True: yield n\nsum(f(0))\n",
		"while True:\n    try:\n        while True: raise ValueError(1)\n    except ValueError: pass\n    finally: x = 1\n",
		"def f():\n    try:\n        while True: pass\n    finally:\n        while True: pass\nf()\n",
		"import re\nwhile True: re.findall('(a|b|,)+c', TEXT)\n",
		"import json\nwhile True: json.loads(json.dumps(LIST))\n",
		"import yaml\nwhile True: yaml.safe_load('- a: 1\\n' * 3000)\n",
		"import csv\nwhile True: list(csv.reader([TEXT]))\n",
		"import copy\nwhile True: copy.deepcopy(ROWS)\n",
	}, list[:30]...)
	run := loadLarge(t)
	for n, source := range list {
		ctx, cancel := context.WithCancel(t.Context())
		run.Limit(ctx, 100_000_000, 1<<30) // longer than the test waits
		wait := time.Duration(random.IntN(20)) * time.Millisecond
		var stopped time.Duration
		time.AfterFunc(wait, func() {
			stopped = cpu(t)
			cancel()
		})
		_, err := run.Load(&python.File{Name: "program.py", Source: "from large import *\n" + source}, fmt.Sprint("program", n))
		ended := cpu(t)
		switch {
		case err == nil:
			t.Errorf("%s\nends", source)
		case python.ExceptionClass(err) != "":
			t.Errorf("%s\nraises %v", source, err)
		case ctx.Err() == nil: // refused before
		case !errors.Is(err, context.Canceled):
			if ended-stopped > 100*time.Millisecond {
				t.Errorf("%s\nends with %v", source, err)
			}
		case ended-stopped > time.Second:
			t.Errorf("%s\nends %s after the context", source, ended-stopped)
		}
		cancel()
	}
}
