# What all classes made from NamedTuple have, and namedtuple() itself.

_keywords = """False None True and as assert async await break class continue def del elif else except finally for from global
if import in is lambda nonlocal not or pass raise return try while with yield""".split()


def namedtuple(typename, field_names, *, rename=False, defaults=None, module=None):
    if rename or module is not None:
        _refuse("namedtuple() is read with a name, fields and defaults alone")
    if isinstance(field_names, str):
        field_names = field_names.replace(",", " ").split()
    names = tuple([str(n) for n in field_names])
    for n in (typename, *names):
        if not n.isidentifier():
            raise ValueError(f"Type names and field names must be valid identifiers: {n!r}")
        if n in _keywords:
            raise ValueError(f"Type names and field names cannot be a keyword: {n!r}")
    for i, n in enumerate(names):
        if n.startswith("_"):
            raise ValueError(f"Field names cannot start with an underscore: {n!r}")
        if n in names[:i]:
            raise ValueError(f"Encountered duplicate field name: {n!r}")
    given = () if defaults is None else tuple(defaults)
    if len(given) > len(names):
        raise TypeError("Got more default values than field names")
    return _tuple_class(typename, names, dict(zip(names[len(names) - len(given):], given)))


def __repr__(self):
    return type(self).__name__ + "(" + ", ".join([f"{n}={v!r}" for n, v in zip(self._fields, self)]) + ")"


def _asdict(self):
    return dict(zip(self._fields, self))


def _make(cls, iterable):
    items = tuple(iterable)
    if len(items) != len(cls._fields):
        raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(items)}")
    return _tuple(cls, items)


def _replace(self, /, **given):
    wrong = [n for n in given if n not in self._fields]
    if wrong:
        raise ValueError(f"Got unexpected field names: {wrong!r}")
    return self._make([given.get(n, v) for n, v in zip(self._fields, self)])
