"""Random requests: what a caller may request of a repository, and the mistakes that callers make."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any, Callable

from feast.protos.feast.types.Value_pb2 import StringList, Value

import repos


class Raw(str):
    """A literal JSON token, such as 1e3."""


@dataclass
class Ask:
    """A request before it is encoded for one of the surfaces."""

    features: list[str] = field(default_factory=list)
    service: str | None = None
    full: bool = False
    versions: bool = False  # asks for the versions of views, over HTTP
    columns: dict[str, list] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)  # the field of Value of each column
    wrong: list[str] = field(default_factory=list)  # the mistakes in it


def dump(v: Any, rng: random.Random) -> str:
    """JSON in the variants that callers write: with or without escapes and blanks."""
    if isinstance(v, Raw):
        return str(v)
    if isinstance(v, bytes):
        v = v.decode("latin-1")
    if isinstance(v, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=rng.random() < 0.5)}{rng.choice([':', ': '])}{dump(x, rng)}" for k, x in v.items()) + "}"
    if isinstance(v, list):
        return "[" + rng.choice([",", ", ", " ,\n"]).join(dump(x, rng) for x in v) + "]"
    return json.dumps(v, ensure_ascii=rng.random() < 0.5)


def parts_of(rng: random.Random, repo: repos.Repo) -> tuple[Ask, list[tuple[repos.View, dict[str, str]]]]:
    """The requested features, and their views with the names of the join keys."""
    if rng.random() < 0.3:
        s = rng.choice(repo.services)
        return Ask(service=s.name), [(v, mapped) for _, v, _, mapped in s.projections]
    views = rng.choices(repo.views, k=rng.choice([1, 1, 1, 2, 2, 3]))
    refs = []
    for v in dict.fromkeys(v.name for v in views):
        features = next(x.features for x in views if x.name == v)
        refs += [f"{v}:{f}" for f in rng.sample(features, rng.randint(1, min(4, len(features))))]
    if rng.random() < 0.3:
        rng.shuffle(refs)
    return Ask(features=refs), [(v, {}) for v in views]


def ask(rng: random.Random, repo: repos.Repo) -> Ask:
    a, parts = parts_of(rng, repo)
    a.full, a.versions = rng.random() < 0.6, rng.random() < 0.2
    rows: list[dict[str, Any]] = [{} for _ in range(rng.choice([1, 1, 2, 3, 5, 8]))]
    needed = {mapped.get(k.name, k.name): k for v, mapped in parts for k in v.keys}
    if not needed or rng.random() < 0.1:
        k = rng.choice(repo.keys)
        needed[k.name] = k
    for row in rows:
        for v, mapped in rng.sample(parts, len(parts)):
            if v.rows and rng.random() < 0.85:
                for k, x in zip(v.keys, rng.choice(v.rows)):
                    row.setdefault(mapped.get(k.name, k.name), x)
        for name, k in needed.items():
            row.setdefault(name, rng.choice(k.pool + k.unknown))
    if rng.random() < 0.3:
        rows.append(dict(rows[0]))
    names = rng.sample(list(needed), len(needed))
    a.columns = {n: [row[n] for row in rows] for n in names}
    a.kinds = {n: k.value for n, k in needed.items()}
    if rng.random() < 0.15:
        add_computed(rng, repo, a)
    return a


def add_computed(rng: random.Random, repo: repos.Repo, a: Ask) -> None:
    """Features that are computed, with their request data and the keys of their inputs."""
    rows = len(next(iter(a.columns.values())))
    if repos.REFERENCES and rng.random() < 0.25:
        a.service, a.features, chosen = "ratio_service", [], ["framed_ratio"]
    else:
        chosen = rng.sample(list(repos.COMPUTED), rng.choice([1, 1, 2]))
        refs = [f"{v}:{f}" for v in chosen for f in rng.sample(repos.COMPUTED[v][0], rng.randint(1, len(repos.COMPUTED[v][0])))]
        kept = rng.sample(a.features, rng.randint(0, min(3, len(a.features))))
        a.service, a.features = None, (refs + kept if rng.random() < 0.5 else kept + refs)
    framed = next(v for v in repo.views if v.name == "framed")
    for view in chosen:
        _, reads, data = repos.COMPUTED[view]
        for k in framed.keys if reads else []:
            a.columns.setdefault(k.name, [rng.choice(k.pool + [row[0] for row in framed.rows]) for _ in range(rows)])
            a.kinds.setdefault(k.name, k.value)
        a.kinds[data], pool = repos.REQUEST[data]
        a.columns[data] = [rng.choice(pool) for _ in range(rows)]


def expected(a: Ask, repo: repos.Repo) -> list[list[str]]:
    """The names of features in the order of the response, those of a view together: first the stored ones, in the order in which they are first needed."""
    groups: dict[str, list[str]] = {}
    computed: dict[str, list[str]] = {}
    if a.service:
        s = next((s for s in repo.services if s.name == a.service), None)
        for alias, _, features, _ in s.projections if s else []:
            groups[alias] = groups.get(alias, []) + features
        for name, features in repos.COMPUTED_SERVICES.get(a.service, []):
            of = groups if features is None else computed
            of[name] = features or next(v.features for v in repo.views if v.name == name)
    for ref in a.features if not a.service else []:
        view, _, feature = ref.partition(":")
        name, _, version = view.partition("@")
        view = name if version.lower() in ("", "latest") else name + "@" + version.lower()
        if view in repos.COMPUTED:
            if repos.COMPUTED[view][1]:
                groups.setdefault("framed", [])
            computed.setdefault(view, []).append(feature)
            continue
        groups.setdefault(view, []).append(feature)
    return [[f"{v}__{f}" if a.full else f for f in features] for g in (groups, computed) for v, features in g.items()]


def parts(a: Ask, repo: repos.Repo, cells: dict[str, list]) -> list[tuple[Ask, dict[str, str]]]:
    """Requests for each view of a request alone, with the columns of cells that it needs; and how the request's response names their features."""
    sought: dict[tuple[str, str], list[str]] = {}  # by reference and alias
    mapping: dict[str, dict[str, str]] = {}
    for ref in a.features if not a.service else []:
        view, _, feature = ref.partition(":")
        sought.setdefault((view, view), []).append(feature)
    for s in repo.services:
        for alias, v, features, mapped in s.projections if s.name == a.service else []:
            if not (repo.versioned and v.name == "view_0"):  # its version in the service is not the one of a reference
                sought[v.name, alias], mapping[alias] = features, mapped
    for alias, features in repos.COMPUTED_SERVICES.get(a.service or "", []):
        if view := {"r": "framed_ratio"}.get(alias, alias if features else None):
            sought[view, alias] = features
    out = []
    for (view, alias), features in sought.items():
        name = view.partition("@")[0]
        _, reads, data = repos.COMPUTED.get(name, ([], True, None))
        keys = next((v.keys for v in repo.views if v.name == ("framed" if data else name)), []) if reads else []
        names = {mapping.get(alias, {}).get(k.name, k.name): k.name for k in keys} | {k.entity.name: k.entity.name for k in keys} | {data: data}
        columns = {names[n]: c for n, c in cells.items() if n in names}
        if columns:
            part = Ask([f"{view}:{f}" for f in features], None, False, False, columns, a.kinds)
            out.append((part, {f: f"{alias}__{f}" if a.full else f for f in features}))
    return out


# Mistakes and unusual forms of requests. Each function changes a copy of the request.
def reference(make: Callable[[random.Random, str], str]) -> Callable:
    def change(rng: random.Random, repo: repos.Repo, a: Ask) -> None:
        if a.service or not a.features:
            a.service, a.features = None, [f"{v.name}:{f}" for v in repo.views[:2] for f in v.features[:2]]
        i = rng.randrange(len(a.features))
        a.features[i] = make(rng, a.features[i])
    return change


def version(rng: random.Random, ref: str) -> str:
    view, _, feature = ref.partition(":")
    return f"{rng.choice([view, 'view_0'])}@{rng.choice(['latest', 'LATEST', '', 'v0', 'V0', 'v1', 'v2', 'v01', 'v99', 'vx', 'v', '1', 'v1@v2', 'v-1', 'v+1', 'v 1', 'v1 ', 'v99999999999'])}:{feature}"


def columns(change: Callable[[random.Random, repos.Repo, Ask, str], None]) -> Callable:
    """A change of one column."""
    return lambda rng, repo, a: change(rng, repo, a, rng.choice(list(a.columns))) if a.columns else None


def odd_cell(tokens: list) -> Callable:
    def change(rng: random.Random, _: repos.Repo, a: Ask, name: str) -> None:
        for _ in range(rng.choice([1, 1, 9]) if a.columns[name] else 0):
            a.columns[name][rng.randrange(len(a.columns[name]))] = rng.choice(tokens)
    return columns(change)


def as_text(rng: random.Random, _: repos.Repo, a: Ask, name: str) -> None:
    a.columns[name] = [v if isinstance(v, (str, bytes)) else rng.choice(["{}", " {} ", "+{}", "{}.0", "0{}", "{}\n", "\u00a0{}"]).format(v) for v in a.columns[name]]


def as_number(rng: random.Random, _: repos.Repo, a: Ask, name: str) -> None:
    a.columns[name] = [Raw(rng.choice(["{}.0", "{}.00", "{}e0", "{}E+0"]).format(v)) if isinstance(v, int) and not isinstance(v, bool) else v for v in a.columns[name]]


def whole_column(rng: random.Random, _: repos.Repo, a: Ask, name: str) -> None:
    a.columns[name] = [rng.choice([True, 1, "1", Raw("1.0"), 0, "a"])] * len(a.columns[name])


def rename(rng: random.Random, repo: repos.Repo, a: Ask, name: str) -> None:
    """The name of the entity in place of its join key, both, or another letter case."""
    key = next((k for k in repo.keys if k.name == name), rng.choice(repo.keys))
    other = rng.choice([key.entity.name, key.entity.name, name.upper(), "caller_" + name])
    a.columns = {(other if n == name else n): v for n, v in a.columns.items()}
    a.kinds.setdefault(other, key.value)


def beside(rng: random.Random, repo: repos.Repo, a: Ask, name: str) -> None:
    """An extra column: known to the project or not."""
    rows = len(a.columns[name])
    k = rng.choice(repo.keys)
    extra = rng.choice([("stranger", [1] * rows, "int64_val"), ("stranger", [None] * rows, "int64_val"), ("factor", [1.5] * rows, "double_val"), (k.name, [rng.choice(k.pool) for _ in range(rows)], k.value),
                        (k.entity.name, [rng.choice(k.pool) for _ in range(rows)], k.value), ("__dummy_id", [""] * rows, "string_val"), ("f", [1] * rows, "int64_val"), ("", [1] * rows, "int64_val")])
    put = {extra[0]: extra[1]}
    a.columns = {**put, **a.columns} if rng.random() < 0.5 else {**a.columns, **put}
    a.kinds[extra[0]] = extra[2]


def drop(_: random.Random, __: repos.Repo, a: Ask, name: str) -> None:
    a.columns.pop(name)


def shorten(rng: random.Random, _: repos.Repo, a: Ask, name: str) -> None:
    a.columns[name] = rng.choice([a.columns[name][:-1], a.columns[name] + a.columns[name][:1], []])


def emptied(_: random.Random, __: repos.Repo, a: Ask) -> None:
    a.columns = {n: [] for n in a.columns}


def attribute(name: str, *values: Any) -> Callable:
    return lambda rng, repo, a: setattr(a, name, rng.choice(values))


def computed(rng: random.Random, _: repos.Repo, a: Ask) -> None:
    rows = len(next(iter(a.columns.values()), [1]))
    a.service, a.features = rng.choice([("computed_service", []), (None, [*a.features, "computed:scaled"]), (None, ["computed:scaled", "framed:city"])])
    if rng.random() < 0.7:
        a.columns["factor"] = [1.5] * rows
        a.kinds["factor"] = "double_val"


def twice(rng: random.Random, repo: repos.Repo, a: Ask) -> None:
    if a.features:
        a.features.insert(rng.randrange(len(a.features) + 1), rng.choice(a.features))


WRONG: dict[str, Callable[[random.Random, repos.Repo, Ask], None]] = {
    "unknown view": reference(lambda rng, r: "nowhere:" + r.partition(":")[2]), "unknown feature": reference(lambda rng, r: r + rng.choice(["x", " ", "\u00e9", ":", "'"])),
    "view in capitals": reference(lambda rng, r: r.upper()), "no colon": reference(lambda rng, r: rng.choice([r.replace(":", "__"), "", "f"])), "empty part": reference(lambda rng, r: rng.choice([":f", "view_0:", ":", "@v1:f"])),
    "version": reference(version), "join key as feature": reference(lambda rng, r: r.partition(":")[0] + ":text_id"), "twice": twice, "both": lambda rng, repo, a: setattr(a, "features", ["view_0:f"]),
    "no features": lambda rng, repo, a: (setattr(a, "features", []), setattr(a, "service", None)), "unknown service": attribute("service", "nowhere", "SERVICE_0", " service_0"), "empty service": attribute("service", ""),
    "full": lambda rng, repo, a: setattr(a, "full", not a.full), "odd number": odd_cell([1001, 1001.0, 1001.5, Raw("1e3"), Raw("1E+3"), Raw("-0"), Raw("-0.0"), Raw("1.0e0"), True, False, Raw("9223372036854775808"), Raw("1e400"), Raw("1" + "0" * 80), 2**53 + 1]),
    "odd text": odd_cell(["1001", " 1001 ", "1_001", "+1001", "-1", "1001.0", "1e3", "", "abc", "٣", "0x10", "True", "nan", Raw('"\\ud83d\\ude00"'), Raw('"\\ud800"'), "2024-01-01T00:00:00Z"]),
    "null": odd_cell([None]), "list": odd_cell([[], [1], ["a"]]), "object": odd_cell([{}, {"a": 1}]), "literal": odd_cell([Raw("NaN"), Raw("Infinity"), Raw("-Infinity")]), "as text": columns(as_text), "as number": columns(as_number),
    "whole column": columns(whole_column), "rename": columns(rename), "beside": columns(beside), "drop": columns(drop), "shorten": columns(shorten), "emptied": emptied, "no columns": lambda rng, repo, a: a.columns.clear(), "computed": computed,
}


def wronged(rng: random.Random, repo: repos.Repo) -> Ask:
    a = ask(rng, repo)
    for name in rng.sample(list(WRONG), rng.choice([1, 1, 1, 2])):
        WRONG[name](rng, repo, a)
        a.wrong.append(name)
    return a


@dataclass
class Call:
    """A request over HTTP."""

    what: str
    body: bytes | None
    ask: Ask | None = None
    method: str = "POST"
    path: str = "/get-online-features"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def body_of(a: Ask) -> dict[str, Any]:
    body: dict[str, Any] = {"entities": a.columns}
    if a.service is not None:
        body["feature_service"] = a.service
    if a.features or a.service is None:
        body["features"] = a.features
    if a.full:
        body["full_feature_names"] = True
    if a.versions:
        body["include_feature_view_version_metadata"] = True
    return body


def call(a: Ask) -> Call:
    return Call("part", dump(body_of(a), random.Random(0)).encode("utf-8", "surrogatepass"), a)


FIELDS: list[tuple[str, Any]] = [
    ("full_feature_names", "yes"), ("full_feature_names", "maybe"), ("full_feature_names", 1), ("full_feature_names", 0), ("full_feature_names", 2), ("full_feature_names", Raw("1.0")), ("full_feature_names", None), ("full_feature_names", []),
    ("full_feature_names", "OFF"), ("full_feature_names", ""), ("features", None), ("features", "view_0:f"), ("features", [1]), ("features", [None]), ("features", {}), ("features", [["view_0:f"]]), ("feature_service", None), ("feature_service", 1),
    ("feature_service", []), ("feature_service", False), ("entities", None), ("entities", []), ("entities", "x"), ("entities", {"text_id": "a"}), ("entities", {"text_id": None}), ("entities", {"text_id": {"val": ["a"]}}), ("entities", {"a": 1, "b": 2}), ("include_feature_view_version_metadata", True),
    ("include_feature_view_version_metadata", "x"), ("stranger", {"a": [1, {"b": None}]}), ("Features", ["x"]), ("request_context", {"factor": [1.5]}),
]
BODIES: list[str] = [
    "", " ", "{", "[]", "[1, 2]", "null", "1", '"text"', "{}", "{}x", "{'features': []}", '{"features": ["view_0:f"],}', '{"entities": {"a": [1,]}}', '{"entities": {"a": [1]}, "features": [}', '{"entities": {"a": [01]}}', '{"entities": {"a": [.5]}}',
    '{"entities": {"a": [1.]}}', '{"entities": {"a": [tru]}}', '{"entities": {"a": ["\x01"]}}', '{"entities": {"a": ["\\x"]}}', '{"entities": {"a": ["\\u12"]}}', '{"entities": {"a": ["\\ud800"]}, "features": ["nowhere:f"]}', '{"a": 1, "a"}', '{"a" 1}', '{1: 2}', "nul", "\ufeff{}", "{}\n\n", '{"entities": {"a": ["unended',
    '{"entities": {"a": [1]}, "features": ["nowhere:f"]} trailing', '{"entities": {"a": [' + "[" * 50 + "]" * 50 + ']}, "features": ["nowhere:f"]}', "\u0000", "tru", "-", '{"entities": {"text": ["a"], "text": ["b"]}, "features": ["nowhere:\\u00fc\\n\\"<>&"]}',
]


def http_calls(rng: random.Random, repo: repos.Repo, n: int) -> list[Call]:
    out = []
    for _ in range(n):
        a = ask(rng, repo) if rng.random() < 0.5 else wronged(rng, repo)
        body = body_of(a)
        what = ", ".join(a.wrong) or "valid"
        if rng.random() < 0.08:
            name, v = rng.choice(FIELDS)
            body[name], what = v, f"{what}; field {name} {v!r}"
            a.wrong.append("field")
            if name == "full_feature_names":
                a.full = v in ("yes", 1, "1.0")
            elif name == "feature_service" and not v:
                a.service = None
        names = rng.sample(list(body), len(body))
        out.append(Call(what, dump({k: body[k] for k in names}, rng).encode("utf-8", "surrogatepass"), a))
    return out


def typed(rng: random.Random, a: Ask) -> dict[str, list[Value]]:
    """The columns as messages: with the right type, and with types that a caller may confuse with it."""
    return {name: [message(rng, a.kinds.get(name, "string_val"), v) for v in values] for name, values in a.columns.items()}


def message(rng: random.Random, kind: str, v: Any) -> Value:
    if isinstance(v, Raw) or v is None:
        return Value()
    for name in [kind, "int64_val", "double_val", "string_val", "bytes_val"] if rng.random() > 0.03 else ["int64_val", "string_val", "bytes_val"]:
        try:
            return Value(**{name: v})
        except (TypeError, ValueError):
            continue
    return Value(string_list_val=StringList(val=[str(v)]))


def broken_calls() -> list[Call]:
    """Bodies and headers that are not a request, each once."""
    out = [Call("body " + b[:40], b.encode("utf-8", "surrogatepass")) for b in BODIES]
    fine = b'{"entities": {"text_id": ["a"]}, "features": ["nowhere:f"]}'
    out += [Call("content type " + str(t), fine, headers={"Content-Type": t} if t else {}) for t in ("text/plain", "application/json; charset=utf-8", "application/vnd.api+json", "APPLICATION/JSON", "application/x-json", "", "json", "application/json;")]
    out += [Call(f"{m} {p}", fine if m != "GET" else None, method=m, path=p) for m, p in [("GET", "/get-online-features"), ("PUT", "/get-online-features"), ("DELETE", "/get-online-features"), ("POST", "/get-online-features/"), ("POST", "/nowhere"), ("POST", "/GET-ONLINE-FEATURES"), ("POST", "/get-online-features?x=1"), ("GET", "/health"), ("POST", "/health")]]
    out += [Call("latin-1", b'{"entities": {"text_id": ["\xfc"]}, "features": ["nowhere:f"]}'), Call("utf-16", fine.decode().encode("utf-16"))]
    return out
