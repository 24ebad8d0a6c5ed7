#!/usr/bin/env python3
"""Compares what banquet's apply and Feast's apply make of definitions.

Each block of inference_cases.txt is a repository of one file. Feast applies it
into one registry and banquet into another. Both must hold the same, field by
field, and each program's plan on the other's registry must find no changes;
where Feast refuses, banquet must, too. Lines of a block that begin with `#`
and a word in capitals are directives:

    #SINCE 0.67       only this release of Feast and later ones take it so
    #STORE postgres   the offline store is PostgreSQL
    #REFUSED text     only banquet refuses it, and its error contains the text
    #THEN             both apply the following text on top
    #KEPT             banquet accepts it when the registry has Feast's pickle
    #READ features    Feast's commands read what banquet wrote, and the features
                      are computed for x = 2.0
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import io
import linecache
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Iterator

os.environ["FEAST_USAGE"] = "False"
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

from click.testing import CliRunner
from feast import FeatureStore, repo_operations
from feast.cli.cli import cli
from feast.protos.feast.core import DataSource_pb2, FeatureView_pb2, LabelView_pb2, OnDemandFeatureView_pb2, Registry_pb2, StreamFeatureView_pb2
from feast.repo_config import load_repo_config

import inference_data
import servers

HERE = Path(__file__).resolve().parent
PREAMBLE = (HERE / "inference_preamble.txt").read_text()
YAML = """project: inferred
provider: local
registry: registry.db
online_store:
  type: sqlite
  path: {work}/online.db
offline_store:
{offline}
entity_key_serialization_version: 3
"""
LISTS = ["entities", "data_sources", "feature_views", "stream_feature_views", "on_demand_feature_views", "label_views", "feature_services", "projects"]
VERSIONED = {
    "feature_view": FeatureView_pb2.FeatureView, "stream_feature_view": StreamFeatureView_pb2.StreamFeatureView,
    "on_demand_feature_view": OnDemandFeatureView_pb2.OnDemandFeatureView, "label_view": LabelView_pb2.LabelView,
}
COMMANDS = [
    ["feature-views", "list"], ["on-demand-feature-views", "list"], ["stream-feature-views", "list"], ["feature-services", "list"], ["entities", "list"],
    ["data-sources", "list"],
]


@dataclass
class Case:
    name: str
    text: str

    def option(self, word: str) -> str | None:
        found = re.search(rf"^#{word}\b *(.*)$", self.text, re.M)
        return found and found.group(1)


def cases() -> list[Case]:
    blocks = re.split(r"^===== *(.*)\n", (HERE / "inference_cases.txt").read_text(), flags=re.M)
    return [Case(name, text) for name, text in zip(blocks[1::2], blocks[2::2])] + list(one_type_each())


def one_type_each() -> Iterator[Case]:
    """A view without a schema over a source with one column of each type."""
    source = 'FileSource(name="src", path=DATA + "type_%s.parquet", timestamp_field="ts")'
    for name in [*inference_data.SINGLE, *inference_data.OLD, *("bare_" + n for n in inference_data.SINGLE)]:
        since = "#SINCE 0.67\n" if name.removeprefix("bare_") in inference_data.SINCE_067 else ""
        yield Case(f"parquet type {name}", f'{since}v = FeatureView(name="v", entities=[driver], source={source % name})\ns = FeatureService(name="s", features=[v])\n')
    for name in inference_data.UNKNOWN:
        yield Case(f"postgres type {name}", f'#STORE postgres\nv = FeatureView(name="v", entities=[driver], source=PostgreSQLSource(name="src", table="unknown_{name}", timestamp_field="ts"))\n')


def repository(at: Path, case: Case, pg: int, work: Path) -> Path:
    at.mkdir(parents=True)
    offline = "  type: file"
    if case.option("STORE") == "postgres":
        offline = f"  type: postgres\n  host: localhost\n  port: {pg}\n  database: postgres\n  user: feast\n  password: password\n  sslmode: disable"
    (at / "feature_store.yaml").write_text(YAML.format(work=work, offline=offline))
    write(at, case, 0)
    return at


def write(at: Path, case: Case, step: int) -> None:
    (at / "features.py").write_text(PREAMBLE + case.text.split("#THEN\n")[step])


def feast(repo: Path, operation) -> str:
    """Runs apply or plan of Feast in this process; returns its output."""
    os.chdir(repo)
    sys.modules.pop("features", None)
    linecache.clearcache()  # Feast reads the texts of functions from it
    importlib.invalidate_caches()
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        operation(load_repo_config(repo, repo / "feature_store.yaml"), repo, True)
    return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())


def banquet(program: str, repo: Path, command: str) -> tuple[int, str]:
    p = subprocess.run([program, command, "--skip-source-validation"], cwd=repo, capture_output=True, text=True, timeout=60, env=dict(os.environ, NO_COLOR="1"))
    return p.returncode, p.stdout + p.stderr


def strip(message, classes: bool) -> None:
    """Removes times, unique identifiers and pickles, at any depth; and the Python classes of sources."""
    for field, value in message.ListFields():
        if field.name in ("created_timestamp", "last_updated_timestamp", "version_id", "last_updated"):
            message.ClearField(field.name)
        elif field.name == "data_source_class_type" and classes and message.type != DataSource_pb2.DataSource.CUSTOM_SOURCE:
            message.ClearField(field.name)
        elif field.name == "body" and field.type == field.TYPE_BYTES:
            message.ClearField("body")
        elif field.type != field.TYPE_MESSAGE:
            continue
        elif field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].type == field.TYPE_MESSAGE:
                for item in value.values():
                    strip(item, classes)
        elif isinstance(value, type(message)) or hasattr(value, "ListFields"):
            strip(value, classes)
            if field.name == "meta" and not value.ListFields():
                message.ClearField("meta")
        else:
            for item in value:
                strip(item, classes)


def name_of(message) -> str:
    return (message.spec if "spec" in message.DESCRIPTOR.fields_by_name else message).name


def sort_stream(view) -> None:
    """Feast lists the features of a stream view in the order of a set."""
    features = sorted(view.spec.features, key=lambda f: f.name)
    del view.spec.features[:]
    view.spec.features.extend(features)


def content(path: Path, updated: bool) -> dict[str, str]:
    """The content of a registry, as text for each object. Feast drops the classes of some sources when it updates a view."""
    registry = Registry_pb2.Registry()
    registry.ParseFromString(path.read_bytes())
    found = {}
    for record in registry.feature_view_version_history.records:
        view = VERSIONED[record.feature_view_type]()
        view.ParseFromString(record.feature_view_proto)
        if record.feature_view_type == "stream_feature_view":
            sort_stream(view)
        strip(view, updated)
        found[f"version {record.version_number} of {record.feature_view_name}"] = f"{record.project_id} {record.feature_view_type} {record.description}\n{view}"
    for view in registry.stream_feature_views:
        sort_stream(view)
    strip(registry, updated)
    for kind in LISTS:
        for message in getattr(registry, kind):
            found[f"{kind} {name_of(message)}"] = str(message)
    rest = Registry_pb2.Registry()
    rest.CopyFrom(registry)
    for kind in [*LISTS, "feature_view_version_history", "infra"]:
        rest.ClearField(kind)
    found["the rest"] = str(rest)
    found["infra"] = "".join(sorted(str(o) for o in registry.infra.infra_objects))
    return found


def differences(want: dict[str, str], got: dict[str, str]) -> list[str]:
    lines = []
    for key in sorted({*want, *got}):
        a, b = want.get(key), got.get(key)
        if a == b:
            continue
        if a is None or b is None:
            lines.append(f"{key} is only in {'banquet' if a is None else 'Feast'}'s registry")
            continue
        x, y = a.splitlines(), b.splitlines()
        lines.append(f"{key}:")
        lines += ["    " + d for d in difflib.unified_diff(x, y, "Feast", "banquet", n=2, lineterm="")][2:]
    return lines


def unchanged(what: str, output: str) -> list[str]:
    if "No changes to registry" in output and "No changes to infrastructure" in output:
        return []
    lines = [line for line in output.splitlines() if re.match(r"Created|Updated|Deleted|\t", line)]
    return [f"{what} has changes:\n" + "\n".join(line[:300] for line in lines)]


def feast_plan(mine: Path, other: Path, again: bool) -> list[str]:
    """Feast's plan on banquet's registry; empty if Feast's own registry gives changes or an error, too."""
    found = []
    for repo in (other, mine):
        try:
            found.append(unchanged("feast plan on banquet's registry", feast(repo, repo_operations.plan)))
            if again:  # which pickles what it read
                feast(repo, repo_operations.apply_total)
        except (Exception, SystemExit) as e:
            found.append([f"feast plan or apply on banquet's registry fails: {e!r}"])
        if not found[0]:
            return []
    if any("fails" in f[0] for f in found):
        return [] if found[0] == found[1] else found[0]
    same = re.findall(r"^[A-Z].*", found[0][0], re.M) == re.findall(r"^[A-Z].*", found[1][0], re.M)
    return [] if same else [*found[0], "on its own:", *found[1]]


def readable(repo: Path, features: list[str]) -> list[str]:
    """Runs Feast's commands on the registry that banquet wrote."""
    found = []
    for command in COMMANDS:
        result = CliRunner().invoke(cli, ["--chdir", str(repo), *command])
        if result.exit_code:
            found.append(f"feast {' '.join(command)} on banquet's registry: {result.exception!r}\n{result.output[-600:]}")
    if features:
        try:
            answer = FeatureStore(repo_path=str(repo)).get_online_features(features=features, entity_rows=[{"x": 2.0}]).to_dict()
        except Exception as e:
            return found + [f"get_online_features on banquet's registry: {e!r}"]
        found += [f"get_online_features on banquet's registry gives {answer}" for f in features if answer[f.split(":")[1]] == [None]]
    return found


def compare(case: Case, program: str, pg: int, work: Path, number: int) -> list[str]:
    a, b = (repository(work / f"{number:03}" / who, case, pg, work) for who in ("feast", "banquet"))
    refused, error = case.option("REFUSED"), None
    try:
        feast(a, repo_operations.apply_total)
    except (Exception, SystemExit) as e:
        error = e
    code, output = banquet(program, b, "apply")
    if error is None and not code and "#THEN\n" in case.text:
        write(a, case, 1)
        write(b, case, 1)
        try:
            feast(a, repo_operations.apply_total)
        except (Exception, SystemExit) as e:
            error = e
        code, output = banquet(program, b, "apply")
    if case.option("KEPT") is not None and error is None:
        kept = banquet(program, a, "plan")[1]
        if found := unchanged("banquet plan on Feast's registry", kept):
            return [*found, kept]
    if refused is not None:
        return [] if error is None and code and refused in output else [f"want a refusal that says {refused!r} of what Feast takes; Feast: {error!r}; banquet: {code} {output}"]
    if error is not None:
        return [] if code == 1 else [f"Feast refuses: {error!r}\nbanquet: {code} {output}"]
    if code:
        return [f"banquet alone refuses: {output}"]
    found = differences(*(content(repo / "registry.db", "#THEN\n" in case.text) for repo in (a, b)))
    code, output = banquet(program, a, "plan")
    found += unchanged("banquet plan on Feast's registry", output)
    found += feast_plan(a, b, case.option("READ") is not None)
    if case.option("READ") is not None:
        found += readable(b, case.option("READ").split())
    return found


def older(case: Case) -> bool:
    """Whether this Feast is older than the first that takes the case so."""
    number = lambda text: [int(n) for n in text.split(".")[:2]]
    return number(version("feast")) < number(case.option("SINCE") or "0.0")


def main() -> int:
    args = argparse.ArgumentParser()
    args.add_argument("--banquet", required=True)
    args.add_argument("--only", default="")
    opt = args.parse_args()
    began, failed, skipped, chosen = time.monotonic(), 0, 0, [c for c in cases() if opt.only in c.name]
    sys.path.insert(0, "")
    home = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="inference") as tmp, servers.postgres() as pg:
        work = Path(tmp)
        inference_data.files(work / "data")
        inference_data.tables(pg)
        for number, case in enumerate(chosen):
            if older(case):
                skipped += 1
                continue
            found = compare(case, opt.banquet, pg, work, number)
            if found:
                failed += 1
                print(f"FAIL {case.name}\n" + "\n".join(found), flush=True)
        os.chdir(home)
    print(f"inference: {len(chosen) - failed - skipped} of {len(chosen)} repositories are equal, {skipped} are of a later Feast than {version('feast')}, {time.monotonic() - began:.1f}s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
