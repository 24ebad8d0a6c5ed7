"""Reads a feature repository with Feast's own parse_repo, for banquet.

Usage: python read.py ANSWER REPOSITORY

The result of Feast, or the error that stopped it, goes to the file ANSWER
and nowhere else: the repository's own code may print, fork, or end the program.
The answer is a magic text, the length of a JSON header in 4 bytes, the header,
and a serialized feast.core.Registry. No f-strings, so that an old Python
can report what it lacks.
"""
import json
import os
import re
import struct
import sys

MAGIC = b"banquet-definitions-1\n"
KINDS = ("projects", "data_sources", "entities", "feature_views", "stream_feature_views", "on_demand_feature_views", "label_views", "feature_services", "permissions")
VIEWS = ("feature_views", "stream_feature_views", "on_demand_feature_views", "label_views")
LONGEST = 2000


class Stop(Exception):
    """An error that ends the reading, for the header."""

    def __init__(self, kind, **header):
        Exception.__init__(self, kind)
        self.header = dict(header, kind=kind)


def main(answer, root):
    header, body, process = {"python": sys.version.split()[0]}, b"", os.getpid()
    try:
        parse_repo = start(root, header)
        body = serialize(parse(parse_repo, root), root, header)
    except Stop as stop:
        header["error"] = stop.header
    except BaseException:  # an error of this script, not of the repository
        header["error"] = dict(told(root), kind="reader")
    if os.getpid() == process:  # the repository's code may have forked
        write(answer, header, body)
    os._exit(0)  # do not wait for threads of the repository


def start(root, header):
    """Sets up Python as Feast's program does before it reads a repository."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [p for p in sys.path if p != here and p != os.path.realpath(here)]
    sys.argv[:] = [os.path.join(os.path.dirname(sys.executable), "feast"), "apply"]
    try:
        import faulthandler

        faulthandler.enable()
    except Exception:  # stderr may not be a file; then a crash is reported without its place
        pass
    try:
        import feast
    except ImportError:
        if getattr(sys.exc_info()[1], "name", "feast") == "feast":
            raise Stop("missing")
        raise Stop("broken", **told(root))
    except BaseException:
        raise Stop("broken", **told(root))
    header["feast"] = str(getattr(feast, "__version__", "unknown"))
    try:
        from feast.repo_operations import parse_repo
    except BaseException:
        raise Stop("unknown", **told(root))
    os.chdir(root)
    sys.path.append(root)
    sys.dont_write_bytecode = True
    return parse_repo


def parse(parse_repo, root):
    from pathlib import Path

    try:
        contents = parse_repo(Path(root))
    except SystemExit:
        raise Stop("exit", **told(root))
    except BaseException:
        raise Stop("code", **told(root))
    for name in getattr(contents, "_fields", ("objects",)):
        if name not in KINDS and getattr(contents, name, True):
            raise Stop("kinds", message=name)
    unique(contents, root)
    return contents


def unique(contents, root):
    """Refuses names that a registry cannot hold twice, as Feast does at apply.

    Names of views and sources ignore case. Feast accepts other objects twice if
    they are equal, and keeps any one of different ones; the latter is refused, too.
    """
    for kinds in (VIEWS,) + tuple((kind,) for kind in KINDS if kind not in VIEWS and kind != "projects"):
        once = kinds in (VIEWS, ("data_sources",))
        seen = {}
        for o in [o for kind in kinds for o in getattr(contents, kind, ())]:
            name = str(o.name)
            first = seen.setdefault(name.lower() if once else name, o)
            if first is o or not once and equal(first, o):
                continue
            at, _ = binding(o, root)
            places = [place(x, contents, root) for x in (first, o)]
            raise Stop("twice", object="%s %s" % (type(o).__name__, o.name), message=" and as ".join(places), **at)


def equal(a, b):
    """Whether two objects are one definition."""
    if references(a) != references(b):
        return False
    return resolved(a).to_proto() == resolved(b).to_proto()


def references(o):
    """The features of a service that are given as text, which an apply looks up."""
    return list(getattr(o, "_pending_feature_refs", None) or ())


def resolved(o):
    """The object, or a copy of a service without its references, which stop Feast from serializing it."""
    if not references(o):
        return o
    import copy

    o = copy.copy(o)
    o._pending_feature_refs = []
    return o


def place(o, contents, root):
    """Returns where an object is bound to a name."""
    at, name = binding(o, root)
    if name:
        return "%s in %s" % (name, at["file"])
    for kind in VIEWS:
        for view in getattr(contents, kind, ()):
            if any(getattr(view, role, None) is o for role in ("batch_source", "stream_source", "source")):
                return "the source of %s" % view.name
    return "one without a name of its own"


def serialize(contents, root, header):
    from feast.protos.feast.core.Registry_pb2 import Registry

    registry, header["references"] = Registry(), {}
    for kind in KINDS:
        for o in getattr(contents, kind, ()):
            if kind == "entities" and o.name == "__dummy":
                continue
            try:
                getattr(registry, kind).append(message(kind, o))
                if references(o):
                    header["references"][str(o.name)] = references(o)
            except BaseException:
                at, bound = binding(o, root)
                raise Stop("object", object="%s %s" % (type(o).__name__, getattr(o, "name", "")), bound=bound, **dict(at, **told(root)))
    return registry.SerializeToString(deterministic=True)


def message(kind, o):
    """The message of an object, after the checks of Feast's registry."""
    if kind in VIEWS and hasattr(o, "ensure_valid"):
        o.ensure_valid()
    if kind == "entities" and hasattr(o, "is_valid"):
        o.is_valid()
    proto = resolved(o).to_proto()
    if kind == "data_sources":
        proto.data_source_class_type = "%s.%s" % (type(o).__module__, type(o).__name__)
    if kind == "stream_feature_views":
        order(o, proto.spec.features)
    if kind == "feature_services":
        for p, q in zip(o.feature_view_projections, proto.spec.features):
            desired(p, q)
        stamp(o, proto)
    if kind == "on_demand_feature_views":
        for name, p in getattr(o, "source_feature_view_projections", {}).items():
            if name in proto.spec.sources:
                desired(p, proto.spec.sources[name].feature_view_projection)
    return proto


def order(view, specs):
    """Sorts the fields of a stream view: Feast lists them in the changing order of a set."""
    names = [f.name for f in list(view.entity_columns) + list(view.features)]
    sorted_specs = sorted(specs, key=lambda s: names.index(s.name) if s.name in names else len(names))
    del specs[:]
    specs.extend(sorted_specs)


def desired(projection, proto):
    """Adds features chosen before inference: Feast keeps their names outside of the message."""
    if not proto.feature_columns:
        for name in getattr(projection, "desired_features", None) or ():
            proto.feature_columns.add(name=name)


def stamp(service, proto):
    """Adds the versions that views name to their projections, which Feast does from 0.67 on."""
    views = [v for v in getattr(service, "_features", ()) if not isinstance(v, str)]
    for view, projection in zip(views, proto.spec.features):
        m = re.match("v(?:ersion)?([0-9]+)$", str(getattr(view, "version", "")), re.IGNORECASE)
        if m and not projection.HasField("version_tag"):
            projection.version_tag = int(m.group(1))


def told(root):
    """The current exception: its type and text, and the innermost place in the repository."""
    kind, value, tb = sys.exc_info()
    try:
        text = getattr(value, "msg", None) if isinstance(value, SyntaxError) else str(value)
    except BaseException:
        text = "its text cannot be made"
    out = {"type": kind.__name__, "message": " ".join(str(text or "").split())[:LONGEST]}
    while tb is not None:
        frame = tb.tb_frame
        name = inside(frame.f_code.co_filename, root)
        if name:
            out.update(file=name, line=tb.tb_lineno, column=0)
            out.update(position(frame.f_code, tb.tb_lasti))
            out["source"] = source(frame.f_code.co_filename, out["line"])
            out["column"] = characters(out["source"], out["column"])
        elif frame.f_code.co_name == "parse_repo" and "repo_file" in frame.f_locals:
            out.update(file=inside(str(frame.f_locals["repo_file"]), root) or "", bound=str(frame.f_locals.get("attr_name") or ""))
        tb = tb.tb_next
    if isinstance(value, SyntaxError) and value.filename and inside(value.filename, root):
        line = value.lineno or 0
        out.update(file=inside(value.filename, root), line=line, column=value.offset or 0, source=source(value.filename, line))
        if isinstance(value, IndentationError):
            out["column"] = len(out["source"]) - len(out["source"].lstrip()) + 1
    return out


def position(code, at):
    """Line and column, in bytes from 1, of an instruction, if this Python records them."""
    try:
        line, _, column, _ = list(code.co_positions())[at // 2]
        if line and column is not None:
            return {"line": line, "column": column + 1}
    except Exception:
        pass
    return {}


def characters(line, column):
    return len(line.encode("utf-8")[: column - 1].decode("utf-8", "ignore")) + 1 if column > 0 else 0


def source(path, line):
    import linecache

    return linecache.getline(path, line).rstrip("\r\n")[:LONGEST]


def inside(path, root):
    """The path in the repository; None for other files, also for those of installed packages."""
    real, base = os.path.realpath(path), os.path.realpath(root)
    if not real.startswith(base.rstrip(os.sep) + os.sep) or not os.path.isfile(real):
        return None
    name = os.path.relpath(real, base).replace(os.sep, "/")
    if "site-packages" in name.split("/") or "dist-packages" in name.split("/"):
        return None
    return name


def binding(o, root):
    """The file and the name that an object is bound to."""
    for module in list(sys.modules.values()):
        try:
            path = inside(module.__file__, root)
            if path:
                for name, value in list(vars(module).items()):
                    if value is o:
                        return {"file": path, "line": 0}, name
        except Exception:
            continue
    return {"file": "", "line": 0}, ""


def write(answer, header, body):
    head = json.dumps(header).encode("utf-8")
    with open(answer + ".part", "wb") as f:
        f.write(MAGIC + struct.pack(">I", len(head)) + head + body)
    os.rename(answer + ".part", answer)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
