#!/usr/bin/env python3
"""Compares banquet with the real Feast, over real PostgreSQL, moto and dynalite.

Each check is a function; a difference raises an AssertionError that describes it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import boto3
import psycopg

import materialize
import releases
import servers
import stored
import zones

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "testdata" / "golden"
WINDOWS = [("materialize", "2024-01-01T00:00:00", "2024-04-01T00:00:00"), ("materialize-incremental", "2024-05-01T00:00:00"), ("materialize-incremental", "2024-06-15T12:30:45")]
VIEWS = ["zipcode_features", "credit_history", "credit_inquiries"]
PROJECT = "credit_scoring_aws"


class World:
    """What the checks share: the programs, the servers, a directory for files."""

    def __init__(self, banquet: str, work: Path, pg: int, dynamo: str):
        self.banquet, self.work, self.pg, self.dynamo = banquet, work, pg, dynamo
        self.feast = str(Path(sys.executable).with_name("feast"))
        self.env = dict(os.environ, DYNAMODB_ENDPOINT=dynamo, PG_HOST="localhost", PG_PORT=str(pg), PG_DATABASE="credit", PG_USER="feast", PG_PASSWORD="password",
                        AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="ap-northeast-2", FEAST_USAGE="False", NO_COLOR="1")

    def run(self, program: str, repo: Path, *args: str, code: int = 0, **env: str) -> str:
        p = subprocess.run([program, *args], cwd=repo, env=dict(self.env, **env), capture_output=True, text=True, timeout=300)
        assert p.returncode == code, f"{Path(program).name} {' '.join(args)} ended with {p.returncode}\n{p.stdout}{p.stderr}"
        return p.stdout + p.stderr

    def repo(self, name: str, **changes: str) -> Path:
        """A copy of the recorded credit-scoring repository."""
        dir = self.work / name
        shutil.copytree(GOLDEN / "credit_scoring" / "feature_repo", dir)
        text = (dir / "feature_store.yaml").read_text()
        for old, new in changes.items():
            text = text.replace(old, new)
        (dir / "feature_store.yaml").write_text(text)
        return dir

    def client(self, endpoint: str = ""):
        return boto3.client("dynamodb", region_name="ap-northeast-2", endpoint_url=endpoint or self.dynamo, aws_access_key_id="test", aws_secret_access_key="test")

    def items(self, table: str, endpoint: str = "") -> dict[str, dict]:
        out = {}
        for page in self.client(endpoint).get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                out[item["entity_id"]["S"]] = item
        return out

    @contextmanager
    def serving(self, repo: Path, **env: str):
        """Runs banquet serve; returns its addresses."""
        p = subprocess.Popen([self.banquet, "serve", "--port", "0", "--grpc-port", "0", "--admin-port", "0"], cwd=repo, env=dict(self.env, **env), stdout=subprocess.PIPE, text=True)
        try:
            yield json.loads(p.stdout.readline())
        finally:
            p.terminate()
            assert p.wait(20) == 0, "banquet serve did not stop cleanly"


def post(url: str, body: dict) -> dict:
    req = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(req, timeout=30) as r:
        return json.load(r)


def script(w: World, repo: Path, code: str, **env: str):
    """Runs a program with the SDK in a separate process and returns its output, parsed as JSON."""
    p = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=repo, env=dict(w.env, **env), capture_output=True, text=True, timeout=300)
    assert p.returncode == 0, p.stderr
    return json.loads(p.stdout.strip().splitlines()[-1])


READ = """
import json, sys
from feast import FeatureStore
fs = FeatureStore(repo_path=".")
zips, people = %s, %s
refs = [f"{v.name}:{f.name}" for v in fs.list_batch_feature_views() for f in v.features]
out = fs.get_online_features(features=refs, entity_rows=[{"zipcode": z, "dob_ssn": d} for z in zips for d in people], full_feature_names=True).to_dict()
print(json.dumps(out, default=str))
"""
PEOPLE = ["19630621_4278", "19920315_0001", "all_null", "nobody", "ünï_çødé"]
ZIPS = [76104, 10001, 30005, -1, 12345678, 9223372036854775807]


def equal(what: str, want, got) -> None:
    if want == got:
        return
    if isinstance(want, dict) and isinstance(got, dict):
        for k in sorted({*want, *got}, key=str):
            if want.get(k) != got.get(k):
                raise AssertionError(f"{what}, {k}:\n  Feast   {str(want.get(k))[:600]}\n  banquet {str(got.get(k))[:600]}")
    raise AssertionError(f"{what}:\n  Feast   {str(want)[:1200]}\n  banquet {str(got)[:1200]}")


def load(w: World) -> None:
    """Loads the recorded tables into PostgreSQL."""
    dsn = f"host=localhost port={w.pg} user=feast password=password dbname="
    with psycopg.connect(dsn + "postgres", autocommit=True) as c:
        for name in ("credit", "feast"):
            c.execute(f"CREATE DATABASE {name}")
    data = GOLDEN / "credit_scoring" / "data"
    with psycopg.connect(dsn + "credit") as c:
        c.execute((data / "schema.sql").read_text())
        for file in sorted(data.glob("*.csv")):
            with c.cursor().copy(f"COPY {file.stem} FROM STDIN WITH (FORMAT csv, HEADER, NULL '\\N')") as copy:
                copy.write(file.read_bytes())


def feast_writes_banquet_reads(w: World) -> None:
    """Feast applies and materializes; banquet, on the same files, returns the same responses."""
    repo = w.repo("feast_repo")
    w.run(w.feast, repo, "apply")
    fresh = w.work / "fresh"
    shutil.copytree(repo, fresh)
    for args in WINDOWS:
        w.run(w.feast, repo, *args)
    want = script(w, repo, READ % (ZIPS, PEOPLE))
    with w.serving(repo) as at:
        got = post(f"http://{at['http']}/get-online-features", {
            "features": [n.replace("__", ":") for n in want if "__" in n], "full_feature_names": True,
            "entities": {"zipcode": want["zipcode"], "dob_ssn": want["dob_ssn"]}})
        columns = dict(zip(got["metadata"]["feature_names"], [r["values"] for r in got["results"]]))
        columns["credit_inquiries__last_inquiry_at"] = want["credit_inquiries__last_inquiry_at"]  # a time: the SDK makes it a datetime
        equal("online answer", want, columns)
        remote(w, at, want)
    assert "No changes" in w.run(w.banquet, fresh, "apply"), "banquet apply changes what Feast applied"
    assert "No changes" in w.run(w.banquet, repo, "apply"), "banquet apply changes what Feast applied and materialized"


def remote(w: World, at: dict, want: dict) -> None:
    """An unmodified SDK whose online store is the server."""
    repo = w.work / "remote"
    repo.mkdir()
    shutil.copy(w.work / "feast_repo" / "registry.db", repo)
    (repo / "feature_store.yaml").write_text(
        f"project: {PROJECT}\nprovider: local\nregistry: registry.db\nonline_store:\n  type: remote\n  path: http://{at['http']}\noffline_store:\n  type: file\nentity_key_serialization_version: 3\n")
    got = script(w, repo, READ % (ZIPS, PEOPLE))
    got["credit_inquiries__last_inquiry_at"] = want["credit_inquiries__last_inquiry_at"]
    equal("SDK with a remote online store", want, got)


# Feast converts the integers of a column that holds a null through a float64, and
# loses digits; banquet does not. The three functions allow only that difference.
def same_number(feast, banquet) -> bool:
    return isinstance(feast, int) and isinstance(banquet, int) and feast == int(float(banquet))


def rounded(feast: dict, banquet: dict) -> bool:
    from feast.protos.feast.types.Value_pb2 import Value
    a, b = Value.FromString(bytes(feast["B"])), Value.FromString(bytes(banquet["B"]))
    return a.WhichOneof("val") == b.WhichOneof("val") == "int64_val" and same_number(a.int64_val, b.int64_val)


def same_items(w: World, view: str, endpoint: str) -> None:
    table = f"{PROJECT}.{view}"
    want, got = w.items(table), w.items(table, endpoint)
    equal(f"keys of {table}", sorted(want), sorted(got))
    for id, item in want.items():
        for name, cell in item["values"]["M"].items():
            if rounded(cell, got[id]["values"]["M"].get(name, cell)):
                got[id]["values"]["M"][name] = cell
    equal(f"items of {table}", want, got)


def banquet_writes_feast_reads(w: World) -> None:
    """banquet applies and materializes to an empty DynamoDB; items and responses are Feast's."""
    with servers.moto() as endpoint:
        repo = w.repo("banquet_repo")
        env = {"DYNAMODB_ENDPOINT": endpoint}
        w.run(w.banquet, repo, "apply", **env)
        for args in WINDOWS:
            w.run(w.banquet, repo, *args, **env)
        for view in VIEWS:
            table = f"{PROJECT}.{view}"
            same_items(w, view, endpoint)
            tags = [{t["Key"]: t["Value"] for t in w.client(e).list_tags_of_resource(ResourceArn=w.client(e).describe_table(TableName=table)["Table"]["TableArn"])["Tags"]} for e in (w.dynamo, endpoint)]
            equal(f"tags of {table}", *tags)
        want, got = script(w, w.work / "feast_repo", READ % (ZIPS, PEOPLE)), script(w, repo, READ % (ZIPS, PEOPLE), **env)
        exact = {k: [a if same_number(a, b) else b for a, b in zip(want.get(k, v), v)] for k, v in got.items()}
        equal("the SDK's answer", want, exact)
        for kind in ("entities", "feature-views", "feature-services", "data-sources"):
            feasts = sorted(w.run(w.feast, w.work / "feast_repo", kind, "list").splitlines())
            equal(f"feast {kind} list", feasts, sorted(w.run(w.feast, repo, kind, "list", **env).splitlines()))
            equal(f"banquet {kind} list", feasts, sorted(w.run(w.banquet, repo, kind, "list", **env).splitlines()))


def feast_applies_after_banquet(w: World) -> None:
    """A registry by banquet, never materialized: Feast finds nothing to change."""
    repo = w.repo("unchanged_repo", credit_scoring_aws="unchanged")
    w.run(w.banquet, repo, "apply")
    out = w.run(w.feast, repo, "apply")
    changed = [line for line in out.splitlines() if line.startswith(("Created", "Updated", "Deleted"))]
    assert not changed, out
    assert "No changes to registry" in w.run(w.feast, repo, "plan"), out


def sqlite_both_ways(w: World) -> None:
    """The recorded repository with every type: files in, SQLite out, by both programs."""
    import sqlite3
    tables = {}
    for program in (w.feast, w.banquet):
        repo = w.work / ("all_types_" + Path(program).name)
        shutil.copytree(GOLDEN / "all_types" / "feature_repo", repo)
        w.run(program, repo, "apply", TZ="UTC")
        w.run(program, repo, "materialize", "2024-01-01T00:00:00", "2024-04-01T00:00:00", TZ="UTC")
        db = sqlite3.connect(repo / "data" / "online.db")
        names = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        tables[program] = {n: sorted(db.execute(f'SELECT entity_key, feature_name, value, event_ts FROM "{n}"').fetchall(), key=repr) for n in names}
    equal("SQLite tables", list(tables[w.feast]), list(tables[w.banquet]))
    equal("SQLite rows", tables[w.feast], tables[w.banquet])


def sqlite_in_time_zones(w: World) -> None:
    """Event times in SQLite, written and read under several time zones."""
    zones.compare(w, script, post, equal)


def two_releases(w: World) -> None:
    """A registry and tables of Feast 0.67, changed by banquet, read by 0.66 and 0.67."""
    releases.compare(w, equal)


def vectors(w: World) -> None:
    """What materialize says of vectors of several lengths."""
    releases.vectors(w)


def random_tables(w: World) -> None:
    """Random tables in several windows, materialized by both programs."""
    materialize.compare(w, equal)


def stored_functions(w: World) -> None:
    """On-demand views that are written, materialized by both programs."""
    stored.compare(w, equal)


def killed_runs(w: World) -> None:
    """A materialization that is killed continues, and ends as if nothing had happened."""
    materialize.interrupted(w, equal)


def dynalite(w: World) -> None:
    """Another server that speaks DynamoDB, with its own limits."""
    with servers.dynalite() as endpoint:
        repo = w.repo("dynalite_repo")
        env = {"DYNAMODB_ENDPOINT": endpoint}
        w.run(w.banquet, repo, "apply", **env)
        for args in WINDOWS:
            w.run(w.banquet, repo, *args, **env)
        for view in VIEWS:
            same_items(w, view, endpoint)
        out = w.run(w.banquet, repo, "get-online-features", "-e", "zipcode=76104", "-f", "zipcode_features:city", **env)
        assert "DALLAS" in out, out


def guide(w: World) -> None:
    """Every command of the guide, on the guide's own feature_store.yaml."""
    out = w.run(str(ROOT / "examples" / "credit_scoring" / "run.sh"), ROOT, BANQUET=w.banquet, AWS_ENDPOINT_URL_DYNAMODB=w.dynamo,
                DSN=f"postgres://feast:password@localhost:{w.pg}/feast", PGPORT=str(w.pg))
    print(out)
    assert out.count("FORT WORTH") >= 3, out


CHECKS = [feast_writes_banquet_reads, banquet_writes_feast_reads, feast_applies_after_banquet, sqlite_both_ways, sqlite_in_time_zones, two_releases, vectors, random_tables, stored_functions, killed_runs, dynalite, guide]


def main() -> int:
    args = argparse.ArgumentParser()
    args.add_argument("--banquet", required=True)
    args.add_argument("--only", default="")
    opt = args.parse_args()
    failed = []
    with tempfile.TemporaryDirectory(prefix="conformance") as work, servers.postgres() as pg, servers.moto() as dynamo:
        w = World(opt.banquet, Path(work), pg, dynamo)
        load(w)
        for check in CHECKS:
            if opt.only and opt.only not in check.__name__:
                continue
            began = time.monotonic()
            try:
                check(w)
            except Exception:
                failed.append(check.__name__)
                traceback.print_exc()
            print(f"{'FAIL' if check.__name__ in failed else 'ok  '} {check.__name__} {time.monotonic() - began:.1f}s", flush=True)
    print(f"{len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}" if failed else "conformance: all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
