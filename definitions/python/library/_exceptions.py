# The texts of exceptions.


def __str__(self):
    args = _part(self, "args")
    if _unknown(args):
        return args
    if len(args) == 2 and _part(self, "filename") is not None:
        return f"[Errno {args[0]!r}] {args[1]}: {_part(self, 'filename')!r}"
    return "" if not args else str(args[0]) if len(args) == 1 else repr(args)


def __repr__(self):
    args = _part(self, "args")
    if _unknown(args):
        return args
    return type(self).__name__ + (f"({args[0]!r})" if len(args) == 1 else repr(args))


def key_text(self):
    args = _part(self, "args")
    return __str__(self) if _unknown(args) or len(args) != 1 else repr(args[0])
