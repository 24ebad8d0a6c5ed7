partial, cached_property = _partial, _cached_property


def _keep(f, most):
    kept = {}

    def inner(*args, **given):
        key = (args, tuple(given.items()), len(args) == 1 and type(args[0]) is int)
        if key not in kept:
            if len(kept) == most:
                _refuse(f"more than {most} results of a function are kept, which is not read; write cache")
            kept[key] = f(*args, **given)
        return kept[key]

    return wraps(f)(inner)


def cache(f):
    return _keep(f, -1)


def lru_cache(maxsize=128, typed=False):
    if callable(maxsize):
        return _keep(maxsize, 128)
    if typed or maxsize == 0:
        _refuse("these options of lru_cache are not read; write cache")
    return lambda f: _keep(f, -1 if maxsize is None else maxsize)


def wraps(wrapped):
    return lambda f: _named_like(f, wrapped)


def reduce(function, iterable, *initial):
    items = iter(iterable)
    if initial:
        value = initial[0]
    else:
        try:
            value = next(items)
        except StopIteration:
            raise TypeError("reduce() of empty iterable with no initial value")
    for item in items:
        value = function(value, item)
    return value


def total_ordering(cls):
    if [n for n in ("__lt__", "__le__", "__gt__", "__ge__") if n in _own(cls)] != ["__lt__"]:
        _refuse("total_ordering of a class without __lt__, or with more, is not read; write the methods out")

    def no(v):
        return v if v is NotImplemented else not v

    def __gt__(self, other):
        v = type(self).__lt__(self, other)
        return v if v is NotImplemented else not v and self != other

    def __le__(self, other):
        v = type(self).__lt__(self, other)
        return v if v is NotImplemented else v or self == other

    _put(cls, "__gt__", __gt__)
    _put(cls, "__le__", __le__)
    _put(cls, "__ge__", lambda self, other: no(type(self).__lt__(self, other)))
    return cls


def singledispatch(f):
    _refuse("functools.singledispatch is not read; write if statements")


def singledispatchmethod(f):
    _refuse("functools.singledispatchmethod is not read; write if statements")


def partialmethod(*args, **given):
    _refuse("functools.partialmethod is not read; write a method")


def update_wrapper(*args, **given):
    _refuse("functools.update_wrapper is not read; write wraps")
