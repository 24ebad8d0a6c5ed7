# Functions that every module has.

_missing = object()


def sum(iterable, /, start=0):
    if isinstance(start, str):
        raise TypeError("sum() can't sum strings [use ''.join(seq) instead]")
    if isinstance(start, bytes):
        raise TypeError("sum() can't sum bytes [use b''.join(seq) instead]")
    for v in _any_order(iterable):
        start = start + v
    return start


def _extreme(name, args, key, default, least):
    if not args:
        raise TypeError(name + " expected at least 1 argument, got 0")
    if len(args) > 1 and default is not _missing:
        raise TypeError(f"Cannot specify a default for {name}() with multiple positional arguments")
    found = False
    for v in _any_order(args[0]) if len(args) == 1 else args:
        k = v if key is None else key(v)
        if not found or _known(k < best if least else k > best):
            found, result, best = True, v, k
    if found:
        return result
    if default is _missing:
        raise ValueError(name + "() arg is an empty sequence")
    return default


def min(*args, key=None, default=_missing):
    return _extreme("min", args, key, default, True)


def max(*args, key=None, default=_missing):
    return _extreme("max", args, key, default, False)


def any(iterable, /):
    for v in _any_order(iterable):
        if _known(v):
            return True
    return False


def all(iterable, /):
    for v in _any_order(iterable):
        if not _known(v):
            return False
    return True


def divmod(a, b, /):
    return a // b, a % b


def pow(base, exp, mod=None):
    if mod is not None:
        _refuse("pow() with a modulus is not read; write its result out")
    return base ** exp


def iter(of, *sentinel):
    if len(sentinel) > 1:
        raise TypeError(f"iter expected at most 2 arguments, got {len(sentinel) + 1}")
    return _callable_iterator(of, sentinel[0]) if sentinel else _iter(of)


def _callable_iterator(function, sentinel):
    while True:
        v = function()
        if _known(v == sentinel):
            return
        yield v


def enumerate(iterable, start=0):
    if not isinstance(start, int):
        raise TypeError(f"{type(start).__name__!r} object cannot be interpreted as an integer")
    return _enumerate(iter(iterable), int(start))


def _enumerate(it, n):
    for v in it:
        yield n, v
        n += 1


def map(function, iterable, /, *more):
    return _map(function, [iter(i) for i in (iterable, *more)])


def _map(function, its):
    if len(its) == 1:
        for v in its[0]:
            yield function(v)
        return
    for args in _zip(its, False):
        yield function(*args)


def filter(function, iterable, /):
    return _filter(function, iter(iterable))


def _filter(function, it):
    for v in it:
        if _known(v if function is None else function(v)):
            yield v


def zip(*iterables, strict=False):
    return _zip([iter(i) for i in iterables], strict)


def _zip(its, strict):
    while its:
        row = []
        for it in its:
            for v in it:
                row.append(v)
                break
            else:
                if strict:
                    _end_at_once(its, len(row))
                return
        yield tuple(row)


def _end_at_once(its, at):
    if at > 0:
        raise ValueError(f"zip() argument {at + 1} is shorter than argument" + _first(at))
    for n, it in enumerate(its[1:], 1):
        for v in it:
            raise ValueError(f"zip() argument {n + 1} is longer than argument" + _first(n))


def _first(n):
    return " 1" if n == 1 else f"s 1-{n}"


def fromkeys(iterable, value=None):
    made = {}
    for k in iterable:
        made[k] = value
    return made
