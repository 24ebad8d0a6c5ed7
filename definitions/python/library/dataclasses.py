from copy import deepcopy as _deepcopy


class _Marker:
    pass


KW_ONLY, InitVar, MISSING = _Marker(), _Marker(), _Marker()


class _Spec:
    def __init__(self, given):
        self.given = given


class Field:
    def __init__(self, name, type, given):
        self.name = name
        self.type = type
        self.init = given.get("init", True)
        self._given = given

    def __getattr__(self, name):
        if name in ("default", "default_factory") and name in self._given:
            return self._given[name]
        _refuse(name + " of a field is not read")


def field(**given):
    for n in given:
        if n not in ("default", "default_factory", "init", "repr", "compare", "metadata"):
            _refuse(n + " of field() is not read; write it without")
    if "default" in given and "default_factory" in given:
        raise ValueError("cannot specify both default and default_factory")
    return _Spec(given)


def _fields_of(cls):
    found = {}
    for b in cls.__mro__[:0:-1]:
        found.update(_own(b).get("__dataclass_fields__", {}))
    own = _own(cls)
    for name, type in _annotated(cls).items():
        given = {"default": own[name]} if name in own else {}
        if _is(own.get(name), _Spec):
            given = own[name].given
            _delete(cls, name)
            if "default" in given:
                _put(cls, name, given["default"])
        if "default" in given and not _can_default(given["default"]):
            raise ValueError("mutable default for field " + name + " is not allowed: use default_factory")
        found[name] = Field(name, type, given)
    for name, v in _own(cls).items():
        if _is(v, _Spec):
            raise TypeError(repr(name) + " is a field but has no type annotation")
    follows = False
    for f in found.values():
        optional = "default" in f._given or "default_factory" in f._given
        if f.init and follows and not optional:
            raise TypeError("non-default argument " + repr(f.name) + " follows default argument")
        follows = follows or f.init and optional
    return found


def _init_of(cls, fields):
    names = [f.name for f in fields if f.init]

    def __init__(self, *args, **given):
        if len(args) > len(names):
            raise TypeError("__init__() takes " + str(len(names) + 1) + " positional arguments")
        for n in given:
            if n not in names or n in names[:len(args)]:
                raise TypeError("__init__() got an unexpected or second argument " + repr(n))
        values = {**dict(zip(names, args)), **given}
        lacks = [repr(f.name) for f in fields if f.init and f.name not in values and not {"default", "default_factory"} & {*f._given}]
        if lacks:
            text = " and ".join(lacks) if len(lacks) < 3 else ", ".join(lacks[:-1]) + ", and " + lacks[-1]
            many = "argument" if len(lacks) == 1 else "arguments"
            raise TypeError(f"{cls.__qualname__}.__init__() missing {len(lacks)} required positional {many}: {text}")
        for f in fields:
            if f.name in values:
                v = values[f.name]
            elif "default_factory" in f._given:
                v = f.default_factory()
            elif not f.init:
                continue
            else:
                v = f.default
            object.__setattr__(self, f.name, v)
        if _is(self, cls) and hasattr(type(self), "__post_init__"):
            self.__post_init__()

    return __init__


def dataclass(cls=None, **options):
    for n, v in options.items():
        if n not in ("init", "repr", "eq", "order", "frozen", "match_args") and v is not False:
            _refuse(n + " of a dataclass is not read; write it without")
    if cls is None:
        return lambda cls: _make(cls, **options)
    return _make(cls, **options)


def _make(cls, init=True, repr=True, eq=True, order=False, frozen=False, match_args=True, **_):
    if not _is_class(cls):
        return cls
    for b in cls.__mro__[1:]:
        if "__dataclass_fields__" in _own(b) and _own(b)["__dataclass_frozen__"] is not frozen:
            raise TypeError("cannot inherit frozen dataclass from a non-frozen one, or the other way round")
    found = _fields_of(cls)
    fields, own = tuple(found.values()), _own(cls)
    _put(cls, "__dataclass_fields__", found)
    _put(cls, "__dataclass_frozen__", frozen)
    compared = [f.name for f in fields if f._given.get("compare", True)]
    shown = [f.name for f in fields if f._given.get("repr", True)]

    def values(self):
        return tuple([getattr(self, n) for n in compared])

    def __repr__(self):
        return type(self).__qualname__ + "(" + ", ".join([f"{n}={getattr(self, n)!r}" for n in shown]) + ")"

    def __eq__(self, other):
        return values(self) == values(other) if type(self) is type(other) else NotImplemented

    def __lt__(self, other):
        return values(self) < values(other) if type(self) is type(other) else NotImplemented

    def __le__(self, other):
        return values(self) <= values(other) if type(self) is type(other) else NotImplemented

    def __gt__(self, other):
        return values(self) > values(other) if type(self) is type(other) else NotImplemented

    def __ge__(self, other):
        return values(self) >= values(other) if type(self) is type(other) else NotImplemented

    def __setattr__(self, name, value):
        if type(self) is cls or name in [f.name for f in fields]:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    if init and "__init__" not in own:
        _put(cls, "__init__", _init_of(cls, fields))
    if repr and "__repr__" not in own:
        _put(cls, "__repr__", __repr__)
    if eq and "__eq__" not in own:
        _put(cls, "__eq__", __eq__)
    if eq and (own.get("__hash__", None) is None and ("__hash__" not in own or "__eq__" in own)):
        _put(cls, "__hash__", (lambda self: hash(values(self))) if frozen else None)
    if match_args and "__match_args__" not in own:
        _put(cls, "__match_args__", tuple([f.name for f in fields if f.init]))
    if order:
        if not eq:
            raise ValueError("eq must be true if order is true")
        for n, f in {"__lt__": __lt__, "__le__": __le__, "__gt__": __gt__, "__ge__": __ge__}.items():
            if n in own:
                raise TypeError("Cannot overwrite attribute " + n)
            _put(cls, n, f)
    if frozen:
        if "__setattr__" in own:
            raise TypeError("Cannot overwrite attribute __setattr__")
        _put(cls, "__setattr__", __setattr__)
    return cls


def is_dataclass(obj):
    return hasattr(obj, "__dataclass_fields__")


def fields(class_or_instance):
    if not is_dataclass(class_or_instance):
        raise TypeError("must be called with a dataclass type or instance")
    return tuple(class_or_instance.__dataclass_fields__.values())


def _object(obj):
    if _is_class(obj) or not is_dataclass(obj):
        raise TypeError("should be called on dataclass instances")
    return fields(obj)


def _unfold(v, make):
    if _unknown(v):
        return v
    if isinstance(v, list):
        return [_unfold(x, make) for x in v]
    if isinstance(v, tuple):
        items = [_unfold(x, make) for x in v]
        return type(v)._make(items) if hasattr(v, "_fields") else tuple(items)
    if isinstance(v, dict):
        return {k: _unfold(x, make) for k, x in v.items()} if type(v) is dict else _refuse("a dict of another kind in a dataclass is not read")
    if not _is_class(v) and is_dataclass(v):
        return make([(f.name, _unfold(getattr(v, f.name), make)) for f in fields(v)])
    return _deepcopy(v)


def asdict(obj):
    _object(obj)
    return _unfold(obj, dict)


def astuple(obj):
    _object(obj)
    return _unfold(obj, lambda pairs: tuple([v for _, v in pairs]))


def replace(obj, /, **changes):
    for f in _object(obj):
        if not f.init and f.name in changes:
            raise ValueError("field " + f.name + " is declared with init=False, it cannot be specified with replace()")
        if f.init and f.name not in changes:
            changes[f.name] = getattr(obj, f.name)
    return type(obj)(**changes)


def make_dataclass(*args, **options):
    _refuse("dataclasses.make_dataclass is not read; write a class statement")
