//go:build unix

package python_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/definitions/python"
)

// sweeps is the number of programs that TestNothingEscapesTheMeter runs; 0 means all.
var sweeps = flag.Int("sweeps", 150, "programs of the sweep over operations on large values, 0 for all") //nolint:gochecknoglobals // a flag of the test

// large are values that are slow to go through, by name. Shared parts make some of them
// larger than memory when they are written out.
const large = `
TEXT = "ab," * 300_000
WIDE = "é€" * 150_000
BYTES = b"xyz" * 300_000
LIST = list(range(100_000))
TEXTS = ["t" * 100 + str(i) for i in range(10_000)]
TUPLE = tuple(range(100_000))
ROWS = [[i] * 300 for i in range(300)]
DICT = {i: str(i) for i in range(30_000)}
NAMES = {"n" + str(i): i for i in range(5_000)}
SET = {str(i) for i in range(30_000)}
RANGE = range(10 ** 12)
DEEP, KNOT = (), []
for _ in range(40):
    DEEP, KNOT = (DEEP, DEEP), [KNOT, KNOT]
KEYS = {("k" * 50, i) for i in range(5_000)}
class Thing:
    pass
THING = Thing()
for k, v in NAMES.items():
    setattr(THING, k, v)
def endless():
    while True:
        yield 1
import re, json, yaml, csv, copy, itertools, functools, collections, textwrap, operator, string
from dataclasses import dataclass
from collections import Counter, deque, OrderedDict, defaultdict, namedtuple
`

// operations on X, and on X and Y, both large.
func operations() []string {
	ops := []string{
		"-X", "not X", "X[5]", "X[-1]", "X[1:]", "X[::-1]", "X['n5']", "X[X]", "(*X,)", "[*X]", "{*X}", "{**X}", "f(*X)", "f(**X)", "a, *b = X", "a, b = X",
		"for i in X: pass", "[i for i in X]", "{i for i in X}", "{i: i for i in X}", "list(i for i in X)", "any(i is None for i in X)", "f'{X}'", "f'{X!r:>9}'", "f'{X:>99999}'",
		"'%s' % (X,)", "'%r %r' % (X, X)", "('%99999d' * 500) % ((1,) * 500)", "'{0}{0}'.format(X)", "'{:>99999}'.format(str(X))", "X is X", "del X[0]", "del X['n7']", "X[0] = 1",
		"X['new'] = 1", "X += X", "X *= 2", "X |= X", "X &= X", "X -= X", "X ^= X", "X = X + X", "X = (X, X)", "X = [X, X]; X == X", "d = {X: 1}", "{}[X]", "{X} & {X}", "hash((X, X))",
		"raise KeyError(X)", "raise ValueError(X, X)", "str(KeyError(X))", "assert False, X", "match X:\n            case [a, *_, b]: pass", "match X:\n            case {'n1': a, **k}: pass",
		"re.findall('a+b', X)", "re.sub('a', 'bbbbbbbb', X)", "re.split('(,)', X)", "re.search('(a|b|,)+c', X)", "re.match('(.{1,100}){1,9}c', X)", "re.compile(X)", "json.dumps(X)",
		"json.loads(X)", "json.loads('[' * 40 + '1' + ']' * 40)", "yaml.safe_load(X)", "yaml.safe_load('- a\\n' * 20000)", "list(csv.reader([X]))", "list(csv.DictReader(X))", "copy.copy(X)",
		"copy.deepcopy(X)", "itertools.chain(X, X)", "list(itertools.chain(*[X] * 100))", "list(itertools.product(X, repeat=3))", "list(itertools.combinations(X, 3))",
		"list(itertools.permutations(X))", "next(itertools.islice(endless(), 10 ** 9, None))", "list(itertools.groupby(X))", "list(itertools.accumulate(X))", "functools.reduce(lambda a, b: a, X)",
		"Counter(X)", "Counter(X).most_common()", "Counter(X).update(X)", "deque(X)", "deque(X).extend(X)", "OrderedDict(X)", "defaultdict(list, X)", "textwrap.dedent(X)", "string.Template(X).substitute(NAMES)",
		"operator.add(X, X)", "operator.itemgetter(0, 1)(X)", "Thing.x = X", "THING.y = X", "vars(THING).copy()", "globals().copy()", "namedtuple('N', X)", "type(X)(X)", "sum(X, [])", "sum(X, ())",
		"sorted(X, key=lambda v: 0)", "max(X, key=str)", "list(map(str, X))", "list(zip(X, X))", "list(filter(None, X))", "dict(zip(X, X))", "dict.fromkeys(X)", "','.join(X)", "X.join(X)", "X.join(TEXTS)",
		"''.join(map(str, X))", "X.replace('', 'x' * 9)", "X.split('a')", "X.rsplit(None, 3)", "X.strip(X)", "X.translate({})", "X.zfill(99999)", "X.center(99999, '*')", "str(X, 'utf-8')",
		"isinstance(X, X)", "isinstance(1, (int, str) * 50000)", "try:\n            1 / 0\n        except X: pass", "'a'.startswith(X)", "'a'.strip(X)", "raise X", "lambda a=X: a", "print(X, sep=X)", "super(X, X)", "X.get('n1')", "X.pop(0)", "X.pop()", "X.insert(0, X)", "X.append(X)", "X.update(X)", "X.setdefault(1, X)", "X.index(None)", "X.remove(None)",
		"X.count(None)", "X.sort(reverse=True)", "X.isdisjoint(X)", "X.union(X, X, X)", "X.symmetric_difference(X)", "X.issubset(X)", "X.keys() & X.keys()", "X.items() == X.items()", "X.items() | X.items()",
		"list(X.values())", "X.extend(X)", "X.add(X)", "next(iter(X))", "next(reversed(X))", "list(reversed(X))", "None in X", "None in X.values()", "X in [X]", "X.encode()", "X.decode()", "X.hex()",
	}
	for _, f := range strings.Fields("str repr ascii int float bool list tuple set frozenset dict bytes len sorted reversed iter enumerate min max sum any all hash type callable print range abs round divmod pow format vars dir id") {
		ops = append(ops, f+"(X)", f+"(X, X)")
	}
	for _, m := range strings.Fields("lower upper title capitalize swapcase casefold strip split splitlines isdigit isalpha isupper isidentifier keys values items copy clear reverse popitem expandtabs partition startswith count find") {
		ops = append(ops, "X."+m+"()", "X."+m+"(X)")
	}
	for _, op := range strings.Fields("+ - * / // % ** | & ^ << >> @ == != < <= > >= in and or") {
		ops = append(ops, "X "+op+" Y", "Y "+op+" X")
	}
	return append(ops, "X not in Y", "X == [*Y]", "X = Y; X += Y", "[X] < [Y]", "(X, 1) == (Y, 2)", "sorted([X, Y] * 100)", "{X: Y}", "dict(a=X) == dict(a=Y)", "X.startswith(Y)", "X.replace(Y, X)", "X.update(Y)",
		"X.extend(Y)", "X.intersection(Y)", "X.join(Y)", "X.format(*Y)", "X % tuple(Y)", "min([X, Y])", "f'{X}{Y}'", "map(X, Y)", "zip(X, Y)", "X[Y]")
}

// sweep makes programs that would repeat one operation for ever.
func sweep() []string {
	values := strings.Fields("TEXT WIDE BYTES LIST TEXTS TUPLE ROWS DICT NAMES SET RANGE DEEP KNOT KEYS THING endless()")
	var list []string
	for _, op := range operations() {
		for i, x := range values {
			y := values[(i*7+len(op))%len(values)]
			list = append(list, fmt.Sprintf("def f(*a, **k): return a, k\nX, Y = %s, %s\nwhile True:\n    try:\n        %s\n    except Exception:\n        pass\n", x, y, op))
			if !strings.Contains(op, "X") {
				break
			}
		}
	}
	return list
}

// cpu is the processor time of this process, which does not depend on what else the
// machine does.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// loadLarge makes an interpreter that has the module large.
func loadLarge(t *testing.T) *python.Interpreter {
	t.Helper()
	run := newRun()
	t.Cleanup(run.Close)
	if _, err := run.Load(&python.File{Name: "large.py", Source: large}, "large"); err != nil {
		t.Fatal(err)
	}
	return run
}

// Whatever a program repeats, its work and memory are counted: with few steps it ends at
// once, and a line says where.
func TestNothingEscapesTheMeter(t *testing.T) {
	const steps, bytes = 20_000, 8 << 20
	list := sweep()
	if *sweeps > 0 {
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		list = list[:min(*sweeps, len(list))]
	}
	var run *python.Interpreter
	var err error
	for n, source := range list {
		if n%50 == 0 { // programs change the values
			run = loadLarge(t)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		run.Limit(ctx, steps, bytes)
		name := fmt.Sprintf("program%d", n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := cpu(t)
		_, err = run.Load(&python.File{Name: "program.py", Source: "from large import *\n" + source}, name)
		took := cpu(t) - began
		cancel()
		runtime.ReadMemStats(&after)
		made := (after.TotalAlloc - before.TotalAlloc) >> 20
		switch {
		case err == nil:
			t.Errorf("%s\nends", source)
		case !strings.HasPrefix(err.Error(), "program.py:") && !strings.HasPrefix(err.Error(), "large.py:"):
			t.Errorf("%s\nends without a place: %v", source, err)
		case took > 3*time.Second || made > 200:
			t.Errorf("%s\nends after %s and %d MiB: %v", source, took, made, err)
		case testing.Verbose() && (took > 100*time.Millisecond || made > 60):
			t.Logf("%s %dM %q: %.100q", took, made, strings.Split(source, "\n")[1]+strings.Split(source, "\n")[4], err)
		}
	}
}
