# What enumerations do beside holding members.


def next_value(lower, name, last):
    if lower:
        return name.lower()
    texts = [v for v in last if type(v) is str]
    for v in last:
        if type(v) is not int and type(v) is not str:
            _refuse(f"auto() after a {type(v).__name__} is not read; write the value")
    if texts and len(texts) < len(last):
        _refuse("auto() after texts and numbers is not read; write the value")
    return 1 if texts or not last else max(last) + 1


def missing(cls, value):
    found = cls._missing_(value) if hasattr(cls, "_missing_") else None
    if type(found) is cls:
        return found
    if found is not None:
        raise TypeError(f"error in {cls.__name__}._missing_: returned {found!r} instead of None or a valid member")
    raise ValueError(f"{value!r} is not a valid {cls.__qualname__}")


def unique(enumeration):
    twice = [f"{n} -> {m._name_}" for n, m in enumeration.__members__.items() if n != m._name_]
    if twice:
        raise ValueError(f"duplicate values found in <enum {enumeration.__name__!r}>: " + ", ".join(twice))
    return enumeration
