# Functions whose names begin with _ make the iterators; they are shown by the
# names without it.


class chain:
    def __init__(self, *iterables):
        self._items = _chain(iter(iterables))

    @classmethod
    def from_iterable(cls, iterables, /):
        made = cls()
        made._items = _chain(iter(iterables))
        return made

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._items)


def _chain(iterables):
    for each in iterables:
        for v in each:
            yield v


def count(start=0, step=1):
    if not isinstance(start, (int, float)) or not isinstance(step, (int, float)):
        raise TypeError("a number is required")
    return _count(start, step)


def _count(n, step):
    while True:
        yield n
        n = n + step


def cycle(iterable, /):
    return _cycle(iter(iterable))


def _cycle(it):
    saved = []
    for v in it:
        saved.append(v)
        yield v
    while saved:
        for v in saved:
            yield v


_endless = object()


def repeat(object, times=_endless):
    if times is not _endless and not isinstance(times, int):
        raise TypeError("times must be an integer")
    return _repeat(object, times)


def _repeat(v, times):
    if times is not _endless:
        for _ in range(times):
            yield v
        return
    while True:
        yield v


def islice(iterable, *bounds):
    if not 1 <= len(bounds) <= 3:
        raise TypeError("islice expected 2 to 4 arguments")
    start, stop, step = (None, bounds[0], None) if len(bounds) == 1 else (*bounds, None)[:3]
    for v in (start, stop, step):
        if v is not None and not (isinstance(v, int) and v >= 0):
            raise ValueError("Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
    if step == 0:
        raise ValueError("Step for islice() must be a positive integer or None.")
    return _islice(iter(iterable), start or 0, stop, step or 1)


def _islice(it, start, stop, step):
    n, wanted = 0, start
    while n < wanted or stop is None or n < stop:
        for v in it:
            break
        else:
            return
        n += 1
        if n > wanted:
            wanted += step
            if stop is not None and wanted > stop:
                wanted = stop
            yield v


def takewhile(predicate, iterable, /):
    return _takewhile(predicate, iter(iterable))


def _takewhile(predicate, it):
    for v in it:
        if not predicate(v):
            return
        yield v


def dropwhile(predicate, iterable, /):
    return _dropwhile(predicate, iter(iterable))


def _dropwhile(predicate, it):
    for v in it:
        if not predicate(v):
            yield v
            break
    for v in it:
        yield v


def filterfalse(predicate, iterable, /):
    return _filterfalse(predicate, iter(iterable))


def _filterfalse(predicate, it):
    for v in it:
        if not (v if predicate is None else predicate(v)):
            yield v


def starmap(function, iterable, /):
    return _starmap(function, iter(iterable))


def _starmap(function, it):
    for args in it:
        yield function(*args)


def compress(data, selectors):
    return _compress(zip(data, selectors))


def _compress(pairs):
    for v, chosen in pairs:
        if chosen:
            yield v


def pairwise(iterable, /):
    return _pairwise(iter(iterable))


def _pairwise(it):
    for a in it:
        for b in it:
            yield a, b
            a = b


def zip_longest(*iterables, fillvalue=None):
    return _zip_longest([iter(i) for i in iterables], fillvalue)


def _zip_longest(its, fill):
    ended = [False for _ in its]
    while not all(ended):
        row = []
        for i, it in enumerate(its):
            v = fill
            if not ended[i]:
                for v in it:
                    break
                else:
                    ended[i] = True
                    if all(ended):
                        return
            row.append(v)
        yield tuple(row)


def accumulate(iterable, func=None, *, initial=None):
    return _accumulate(iter(iterable), func, initial)


def _accumulate(it, func, total):
    if total is None:
        for total in it:
            break
        else:
            return
    yield total
    for v in it:
        total = total + v if func is None else func(total, v)
        yield total


def tee(iterable, n=2, /):
    if n < 0:
        raise ValueError("n must be >= 0")
    it, seen = iter(iterable), []
    return tuple([_tee(it, seen) for _ in range(n)])


def _tee(it, seen):
    n = 0
    while True:
        if n == len(seen):
            for v in it:
                seen.append(v)
                break
            else:
                return
        yield seen[n]
        n += 1


class groupby:
    def __init__(self, iterable, key=None):
        self._it, self._of = iter(iterable), key
        self._begun = self._full = self._has_target = False
        self._group = self._value = self._key = self._target = None

    def __iter__(self):
        return self

    def _step(self):
        for self._value in self._it:
            self._key = self._value if self._of is None else self._of(self._value)
            self._begun = self._full = True
            return True
        return False

    def __next__(self):
        self._group = None
        while not self._begun or self._has_target and self._target == self._key:
            if not self._step():
                raise StopIteration
        self._target, self._has_target, self._group = self._key, True, object()
        return self._key, _grouper(self, self._group, self._key)


def _grouper(groups, mine, key):
    while groups._group is mine:
        if not groups._full and not groups._step() or not key == groups._key:
            return
        groups._full = False
        yield groups._value


def product(*iterables, repeat=1):
    if repeat < 0:
        raise ValueError("repeat argument cannot be negative")
    return _product([tuple(i) for i in iterables] * repeat)


def _product(pools):
    at = [0 for _ in pools]
    if not all(pools):
        return
    while True:
        yield tuple([pool[i] for pool, i in zip(pools, at)])
        for k in reversed(range(len(pools))):
            at[k] += 1
            if at[k] < len(pools[k]):
                break
            at[k] = 0
        else:
            return


def permutations(iterable, r=None):
    pool = tuple(iterable)
    return _permutations(pool, _places(len(pool) if r is None else r))


def combinations(iterable, r):
    return _combinations(tuple(iterable), _places(r))


def combinations_with_replacement(iterable, r):
    return _combinations_with_replacement(tuple(iterable), _places(r))


def _places(r):
    if not isinstance(r, int):
        raise TypeError("Expected int as r")
    if r < 0:
        raise ValueError("r must be non-negative")
    return r


def _permutations(pool, r):
    if r == 0:
        yield ()
        return
    for i, v in enumerate(pool):
        for rest in _permutations(pool[:i] + pool[i + 1:], r - 1):
            yield (v, *rest)


def _combinations(pool, r):
    if r == 0:
        yield ()
        return
    for i, v in enumerate(pool):
        for rest in _combinations(pool[i + 1:], r - 1):
            yield (v, *rest)


def _combinations_with_replacement(pool, r):
    if r == 0:
        yield ()
        return
    for i, v in enumerate(pool):
        for rest in _combinations_with_replacement(pool[i:], r - 1):
            yield (v, *rest)
