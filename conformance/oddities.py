#!/usr/bin/env python3
"""Small random repositories that nobody would write by hand, served by Feast and by banquet: names in other scripts, words of Python
and SQL, dashes and capitals; nulls; lists and maps; request data named like features; services that mix all with aliases and full names.

Feast applies each repository, banquet must plan no change. Feast writes some rows and banquet others, over HTTP. Then both get the
same requests. A difference is an error unless REASONS has it; what banquet refuses by name (501) is counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import os
import random
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import warnings
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["FEAST_USAGE"] = "False"
warnings.simplefilter("ignore")

import pandas as pd

WORDS = ["driver", "Driver", "운전자", "d-1", "class", "select", "from", "None", "order", "lambda", "Total__Sum", "x" * 50, "나이", "a b", "group", "def", "True", "_hidden", "ünï", "SELECT", "values", "event", "1st", "inputs", "pd", "id", "user.name", "O'Neil", "%s", "drop table"]
ALIASES = ["별명", "alias-x", "Select"]
SINCE_067 = [int(n) for n in version("feast").split(".")[:2]] >= [0, 67]
YAML = "project: {project}\nprovider: local\nregistry: registry.db\nonline_store:\n  type: sqlite\n  path: online.db\noffline_store:\n  type: file\nentity_key_serialization_version: 3\n"
TYPES = {"Int64": [0, 7, -3, 2**40], "Float64": [0.5, -2.25, 1e9, 0.1], "String": ["a", "서울 시", "", "Hello World", "b-2"], "Bool": [True, False], "Int32": [1, -9, 50], "Float32": [0.5, 1.25],
         "Array(Int64)": [[1, 2, 3], [7], []], "Array(String)": [["x", "y"], ["긴"], []], "Map": [{"a": 1, "b": "x"}, {"c": None}, {}]}
# Functions of a column: mode, type of the input, type of the result, and an expression of the column x, in python mode of a cell x.
FUNCTIONS = [
    ("python", "Int64", "Int64", "None if x is None else x * 2"), ("python", "Int64", "Float64", "(x or 0) / 4"), ("python", "Int64", "String", "f'n{x}'"), ("python", "Int64", "Bool", "x is None"),
    ("python", "Float64", "Float64", "round(x, 1) if x is not None else -1.0"), ("python", "Float64", "Int64", "int(abs(x)) if x is not None else None"), ("python", "Float64", "String", "'high' if x is not None and x > 0.3 else 'low'"),
    ("python", "String", "String", "x.upper() if x else 'nothing'"), ("python", "String", "Int64", "len(x or '')"), ("python", "String", "String", "(x or ' ').split(' ')[0]"), ("python", "String", "Bool", "x in ('a', 'b-2')"),
    ("python", "String", "String", "None if x is None else x[:3] + x.replace('l', 'L')"), ("python", "String", "Int64", "{'a': 1, '': 2}.get(x, 0)"), ("python", "Bool", "Bool", "not x"), ("python", "Bool", "Int64", "1 if x else 0"),
    ("python", "Array(Int64)", "Int64", "sum(x) if x else 0"), ("python", "Array(Int64)", "Int64", "max(x) if x else None"), ("python", "Array(Int64)", "Array(Int64)", "sorted(x, reverse=True) if x else []"),
    ("python", "Array(String)", "String", "'/'.join(x) if x else ''"), ("python", "Array(String)", "Int64", "len(x) if x is not None else -1"), ("python", "Map", "String", "str(x.get('a')) if x else '-'"),
    ("python", "Int32", "Int64", "x % 7 if x is not None else 0"), ("python", "Float32", "Float64", "x ** 2 if x is not None else 0.0"), ("python", "Float64", "Float64", "min(max(x or 0.0, -1.0), 1.0)"),
    ("pandas", "Int64", "Float64", "x / 3"), ("pandas", "Int64", "Int64", "x.fillna(0).astype('int64') + 1"), ("pandas", "Int64", "Bool", "x.isna()"), ("pandas", "Int64", "String", "np.where(x > 5, 'big', 'small')"),
    ("pandas", "Float64", "Float64", "x.fillna(x.mean()).clip(-1, 5)"), ("pandas", "Float64", "Float64", "(x - 1).abs().round(1)"), ("pandas", "Float64", "Bool", "x.between(0, 1)"), ("pandas", "Float64", "Int64", "x.fillna(-1).astype('int64')"),
    ("pandas", "String", "String", "x.str.lower().fillna('none')"), ("pandas", "String", "Int64", "x.fillna('').str.len()"), ("pandas", "String", "Bool", "x.isin(['a', '서울 시'])"), ("pandas", "String", "String", "x.fillna('').str.slice(0, 2) + '!'"),
    ("pandas", "String", "Int64", "x.map({'a': 1, 'b-2': 2}).fillna(0).astype('int64')"), ("pandas", "Bool", "Int64", "x.fillna(False).astype('int64')"), ("pandas", "Int32", "Float64", "x.astype('float64') * 1.5"),
    ("pandas", "Float32", "Float64", "np.sqrt(x.abs())"), ("pandas", "Array(Int64)", "Int64", "x.apply(lambda v: len(v) if v is not None else 0)"), ("pandas", "Float64", "Float64", "x.where(x > 0, 0.0)"),
    ("singleton", "Int64", "Int64", "(x or 0) + 1"), ("singleton", "String", "String", "(x or '').title()"), ("singleton", "Float64", "Bool", "x is not None and x >= 0"),
]
# Differences by design: what Feast did, what banquet did, why. They are texts of a status and of a message or a difference.
REASONS = [
    (r"ok", r"501 .*", "banquet refuses the construct by name"),
    (r"error .*(?:infer value type|Couldn't infer|'NoneType'|unsupported operand|Expected bytes|tried to convert|Could not convert|cannot mix|int\(\) argument|not iterable|boolean value of NA).*", r"ok", "Feast fails on nulls or on mixed columns beside a function"),
    (r"error .*", r"(?:400|404) .*", "both refuse the request"),
    (r"error .*", r"501 .*", "Feast fails, banquet refuses the construct by name"),
]


class Made:
    """The text of one repository, and what can be requested of it."""

    def __init__(self, number: int, path: Path):
        self.rng, self.path, self.project = random.Random(f"odd/{number}"), path, f"odd{number}"
        self.names = self.rng.sample(WORDS, len(WORDS))
        self.text = ["from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource, RequestSource, ValueType", "from feast.on_demand_feature_view import on_demand_feature_view",
                     "from feast.types import Array, Bool, Float32, Float64, Int32, Int64, Map, String", ""]
        self.keys: list[str] = []
        self.views: dict[str, tuple[list[str], dict[str, str]]] = {}
        self.computed: dict[str, tuple[list[str], list[str], dict[str, str], str]] = {}
        self.services: dict[str, tuple[list[str], dict[str, str]]] = {}

    def name(self) -> str:
        return self.names.pop()

    def build(self) -> None:
        rng = self.rng
        for i in range(2):
            key = self.name()
            self.keys.append(key)
            self.text.append(f"e{i} = Entity(name={'k' + str(i) + key!r}, join_keys=[{key!r}], value_type=ValueType.{('INT64', 'STRING')[i]})")
        for i, used in enumerate(rng.sample([[0], [1], [0, 1], []], 3)):
            view = "".join(c for c in self.name() if c not in "'%")
            fields = {self.name(): rng.choice(list(TYPES)) for _ in range(rng.randint(2, 3))}
            self.views[view] = ([self.keys[k] for k in used], fields)
            schema = ", ".join(f"Field(name={f!r}, dtype={t})" for f, t in fields.items())
            self.text.append(f"v{i} = FeatureView(name={view!r}, entities=[{', '.join(f'e{k}' for k in used)}], schema=[{schema}], source=FileSource(name={'s' + str(i)!r}, path='s{i}.parquet', timestamp_field='event_timestamp'))")
        for i in range(rng.randint(2, 3)):
            self.on_demand(i)
        parts = rng.sample([f"v{i}" for i in range(3)], 2)
        o = rng.choice([i for i in range(len(self.computed))])
        alias = rng.choice(ALIASES)
        computed = list(self.computed)[o]
        names = {v: n for v, n in zip((f"v{i}" for i in range(3)), self.views)}
        self.text.append(f"mix = FeatureService(name={'svc ' + alias!r}, features=[{parts[0]}, o{o}.with_name({alias!r}), {parts[1]}.with_name('other')])")
        keys = [k for p in parts for k in self.views[names[p]][0]] + self.computed[computed][0]
        self.services["svc " + alias] = (list(dict.fromkeys(keys)), self.computed[computed][2])
        (self.path / "feature_store.yaml").write_text(YAML.format(project=self.project))
        (self.path / "features.py").write_text("\n".join(self.text) + "\n")

    def on_demand(self, i: int) -> None:
        rng, view = self.rng, self.rng.choice(list(self.views))
        number = list(self.views).index(view)
        keys, fields = self.views[view]
        mode = rng.choice(["python", "python", "pandas", "pandas", "singleton"])
        fits = [(f, g) for f, t in fields.items() for g in FUNCTIONS if g[0] == mode and g[1] == t]
        request = {rng.choice([*fields, f"r{i}", "요청"]): rng.choice(["Float64", "String", "Int64"])} if rng.random() < 0.5 else {}
        request = {n: t for n, t in request.items() if n not in fields or fields[n] == t}
        fits += [(f, g) for f, t in request.items() for g in FUNCTIONS if g[0] == mode and g[1] == t]
        if not fits:
            mode, fits = "python", [(f, ("python", t, "Bool", "x is None")) for f, t in fields.items()]
        chosen = rng.sample(fits, min(len(fits), rng.randint(1, 3)))
        outputs = {f"out {i}" if n == 0 else f"{self.names[n]}_{i}": (f, g) for n, (f, g) in enumerate(chosen)}
        lines = {"python": [f"        {o!r}: [{g[3]} for x in inputs[{f!r}]]," for o, (f, g) in outputs.items()], "singleton": [f"        {o!r}: (lambda x: {g[3]})(inputs[{f!r}])," for o, (f, g) in outputs.items()]}
        body = ["    import numpy as np", "    import pandas as pd", "    out = pd.DataFrame()"] + [line for o, (f, g) in outputs.items() for line in (f"    x = inputs[{f!r}]", f"    out[{o!r}] = {g[3]}")] + ["    return out"] if mode == "pandas" else ["    return {", *lines[mode], "    }"]
        if mode == "singleton":
            body = [line for o, (f, g) in outputs.items() for line in (f"    x = inputs[{f!r}]", f"    y{list(outputs).index(o)} = {g[3]}")] + ["    return {" + ", ".join(f"{o!r}: y{n}" for n, o in enumerate(outputs)) + "}"]
        name = f"{self.names[3 + i]}-od{i}" if i else "계산"
        sources = [f"v{number}"] + ([f"r{i}"] if request else [])
        if request:
            self.text.append(f"r{i} = RequestSource(name='req{i}', schema=[{', '.join(f'Field(name={n!r}, dtype={t})' for n, t in request.items())}])")
        schema = ", ".join(f"Field(name={o!r}, dtype={g[2]})" for o, (f, g) in outputs.items())
        self.text += ["", f"@on_demand_feature_view(name={name!r}, sources=[{', '.join(sources)}], schema=[{schema}], mode={'pandas' if mode == 'pandas' else 'python'!r}{', singleton=True' if mode == 'singleton' else ''})", f"def o{i}(inputs):", *body, ""]
        self.computed[name] = (keys, list(outputs), request, mode)

    def rows(self, view: str) -> pd.DataFrame:
        rng, (keys, fields) = self.rng, self.views[view]
        ids = [(n, t) for n in (1, 2, -5) for t in ("a", "나")] if len(keys) == 2 else [(n, t) for n, t in ((1, "a"), (2, "나"), (-5, ""))] if keys else [(0, "")]
        frame = pd.DataFrame({"event_timestamp": [pd.Timestamp("2024-03-01", tz="UTC")] * len(ids)})
        for k in keys:
            frame[k] = [row[self.keys.index(k)] for row in ids]
        for f, t in fields.items():
            cells = [TYPES[t][0]] + [None if rng.random() < 0.45 else rng.choice(TYPES[t]) for _ in ids[1:]]  # Feast cannot write a column of nulls
            frame[f] = pd.Series(cells, dtype={"Int64": "Int64", "Int32": "Int32", "Bool": "boolean"}.get(t, "object"))
        return frame

    def requests(self, n: int) -> list[dict[str, Any]]:
        rng, out = self.rng, []
        for _ in range(n):
            if rng.random() < 0.25:
                service, (keys, request) = rng.choice(list(self.services.items()))
                body: dict[str, Any] = {"feature_service": service}
                single = False
            else:
                chosen = rng.sample(list(self.views) + list(self.computed) * 2, 2)
                body, keys, request, single = {"features": []}, [], {}, False
                for v in dict.fromkeys(chosen):
                    if v in self.views:
                        k, features = self.views[v][0], list(self.views[v][1])
                    else:
                        k, features, r, s = self.computed[v]
                        request, single = {**request, **r}, single or s == "singleton"
                    keys += k
                    body["features"] += [f"{v}:{f}" for f in rng.sample(features, rng.randint(1, len(features)))]
            single = single or any(c[3] == "singleton" for c in self.computed.values())
            count = 1 if single else rng.randint(1, 4)
            pools = {self.keys[0]: [1, 2, -5, 99], self.keys[1]: ["a", "나", "", "nobody"]}
            columns = {k: [rng.choice(pools[k]) for _ in range(count)] for k in dict.fromkeys(keys or [self.keys[0]])}
            columns |= {r: [rng.choice(TYPES[t]) for _ in range(count)] for r, t in request.items()}
            out.append({**body, "entities": columns, "full_feature_names": rng.random() < 0.5})
        return out


def post(address: str, path: str, body: dict[str, Any]) -> tuple[int, str]:
    request = urllib.request.Request(f"http://{address}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def columns_of(answer: dict[str, Any]) -> dict[str, Any]:
    """Columns by name; 2.0 is 2, since Feast guesses types with full names."""
    plain = lambda v: float(v) if isinstance(v, (int, float)) and not isinstance(v, bool) else [plain(x) for x in v] if isinstance(v, list) else v
    return {n: {**c, "values": plain(c["values"])} for n, c in zip(answer["metadata"]["feature_names"], answer["results"])}


def by_feast(store: Any, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    from feast.feature_server_utils import convert_response_to_dict
    try:
        features = store.get_feature_service(body["feature_service"]) if "feature_service" in body else body["features"]
        response = store.get_online_features(features=features, entity_rows=body["entities"], full_feature_names=body["full_feature_names"])
        return "ok", columns_of(json.loads(json.dumps(convert_response_to_dict(response.proto))))
    except Exception as e:  # noqa: BLE001: what Feast raises is compared
        return f"error {type(e).__name__}: {e}", {}


def lost(made: Made, body: dict[str, Any]) -> set[str]:
    """Features that Feast loses: with full names what functions of mode python return, and in 0.66 those of a view with an alias."""
    if body["full_feature_names"]:
        return {f"{p}__{f}" for v, (_, outputs, _, mode) in made.computed.items() for p in (v, *ALIASES) for f in outputs if mode != "pandas" or not SINCE_067}
    return {f for _, outputs, _, _ in made.computed.values() for f in outputs} if "feature_service" in body and not SINCE_067 else set()


def compare(made: Made, store: Any, address: str, body: dict[str, Any], uses: Counter) -> tuple[str, str]:
    """Sends a request to both; returns a reason, and a difference that has none."""
    want, theirs = by_feast(store, body)
    code, text = post(address, "/get-online-features", body)
    got = "ok" if code == 200 else f"{code} {text}"
    if want == got == "ok":
        ours = columns_of(json.loads(text))
        missing = set(ours) - set(theirs)
        uses["columns compared"] += len(ours) - len(missing)
        if missing and missing <= lost(made, body):
            return "Feast loses the outputs of functions of mode python with full names (0.66: also of views with an alias)", differing(theirs, {n: c for n, c in ours.items() if n not in missing})
        return "", differing(theirs, ours)
    if got == "ok" and (m := re.fullmatch(r"error KeyError: ['\"](.*)['\"]", want)) and any(m.group(1) in fields for _, fields in made.views.values()):
        return "Feast drops an input of a function if another view of the request has it", ""
    for feast, banquet, why in REASONS:
        if re.fullmatch(feast, want, re.DOTALL) and re.fullmatch(banquet, got, re.DOTALL):
            return f"{why}: {got[:250]}" if got.startswith("501") else why, ""
    return "", f"Feast: {want[:400]}; banquet: {got[:400]}"


def differing(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    names = [n for n in {**theirs, **ours} if theirs.get(n) != ours.get(n)]
    return "; ".join(f"{n}: Feast {theirs.get(n)}, banquet {ours.get(n)}" for n in names)


def load(made: Made) -> list[Any]:
    spec = importlib.util.spec_from_file_location(f"features_{made.project}", made.path / "features.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return [v for n, v in vars(module).items() if re.fullmatch(r"[evor]\d|mix", n) and not n.startswith("r")]


def written(store: Any, view: str, rows: pd.DataFrame) -> bool:
    """Whether Feast can write the rows; it fails on some columns with nulls."""
    try:
        store.write_to_online_store(view, rows)
    except (TypeError, ValueError):
        return False
    return True


def served(program: str, made: Made, uses: Counter) -> list[str]:
    """Applies, writes and requests one repository; returns the differences."""
    from feast import FeatureStore
    made.build()
    os.chdir(made.path)
    for i, view in enumerate(made.views):
        made.rows(view).to_parquet(made.path / f"s{i}.parquet", index=False)
    store = FeatureStore(repo_path=str(made.path))
    store.apply(load(made))
    found = []
    plan = subprocess.run([program, "plan"], cwd=made.path, capture_output=True, text=True, timeout=300)
    if plan.returncode != 0 or "No changes" not in plan.stdout:
        found.append(f"plan: {plan.returncode} {plan.stdout[:600]} {plan.stderr[:600]}")
    with subprocess.Popen([program, "serve", "--port", "0", "--grpc-port", "0", "--admin-port", "0"], cwd=made.path, stdout=subprocess.PIPE, stderr=open(made.path / "log", "w"), text=True) as p:
        try:
            address = json.loads(p.stdout.readline())["http"]
            for i, view in enumerate(made.views):
                rows = made.rows(view)
                if i == 0 or not written(store, view, rows):
                    cells = json.loads(rows.to_json(orient="split", date_format="iso"))
                    code, text = post(address, "/write-to-online-store", {"feature_view_name": view, "df": {c: [row[j] for row in cells["data"]] for j, c in enumerate(cells["columns"])}})
                    if code != 200:
                        found.append(f"write of {view}: {code} {text}")
            for body in made.requests(12):
                uses["requests"] += 1
                why, difference = compare(made, store, address, body, uses)
                if why:
                    uses[why] += 1
                if difference:
                    found.append(f"{json.dumps(body, ensure_ascii=False)}: {difference}")
        finally:
            p.terminate()
    return found


def main() -> int:
    args = argparse.ArgumentParser()
    args.add_argument("--banquet", required=True)
    args.add_argument("--repositories", type=int, nargs=2, default=(0, 48), help="the numbers of the first repository and of the one after the last")
    opt = args.parse_args()
    logging.disable(logging.CRITICAL)
    uses, failed = Counter(), 0
    with tempfile.TemporaryDirectory(prefix="oddities") as work:
        for n in range(*opt.repositories):
            made = Made(n, Path(work) / f"odd{n}")
            made.path.mkdir()
            try:
                found = served(opt.banquet, made, uses)
            except Exception as e:  # noqa: BLE001: Feast itself may refuse a repository
                uses["Feast refuses the repository"] += 1
                print(f"repository {n}: Feast refuses it: {type(e).__name__}: {str(e)[:300]}", flush=True)
                continue
            for text in found:
                print(f"DIFFERENT repository {n}: {text[:1500]}", flush=True)
            failed += len(found)
    for why, n in uses.most_common():
        print(f"{n:5} {why}")
    print(f"oddities: {opt.repositories[1] - opt.repositories[0]} repositories, {uses['requests']} requests, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
