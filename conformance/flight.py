#!/usr/bin/env python3
"""Compares Feast's SDK with `offline_store: {type: remote}` against banquet with the same
SDK on PostgreSQL itself: training sets, pulls, columns, materialize, and what it writes.
FEAST066_PYTHON has Feast 0.66, whose calls are DoPut, GetFlightInfo and DoGet; FEAST067_PYTHON
has 0.67, whose calls are DoExchange."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

os.environ["FEAST_USAGE"] = "False"

import psycopg

import servers

HERE = Path(__file__).resolve().parent
TABLES = """
CREATE TABLE zipcode_features (zipcode bigint, city text, population integer, event_timestamp timestamptz, created_timestamp timestamptz);
INSERT INTO zipcode_features VALUES
 (76104, 'FORT WORTH', 9000, '2024-01-01', '2024-01-01 01:00'), (76104, 'DALLAS', 9100, '2024-03-31 23:59:59.5', '2024-04-01'), (76104, 'LATE', 9200, '2024-05-02', '2024-05-02'),
 (30001, 'OLD', 1, '2024-01-15', '2024-01-15 01:00'), (30001, 'NEW', 2, '2024-01-15', '2024-01-15 02:00'),
 (94109, '東京', NULL, '2024-02-02', '2024-02-02'), (94109, NULL, 44, '2024-03-31 23:59:59.5', '2024-04-01');
INSERT INTO zipcode_features SELECT 10000 + i, 'CITY ' || i, i, timestamptz '2024-01-01' + i * interval '1 hour', timestamptz '2024-01-01' + i * interval '1 hour' FROM generate_series(1, 500) i;
CREATE TABLE credit_history (dob_ssn text, credit_card_due bigint, score double precision, event_timestamp timestamp, created_timestamp timestamp);
INSERT INTO credit_history VALUES ('19800101_1111', 8431, 0.5, '2024-04-30', '2024-04-30'), ('19900202_2222', 10682, NULL, '2024-02-01', '2024-02-01'), ('19900202_2222', 1, 2, '2024-06-01', '2024-06-01');
CREATE TABLE inquiries (dob_ssn text, amount double precision, flagged boolean, lender text, event_timestamp timestamptz);
INSERT INTO inquiries VALUES ('19800101_1111', 1.25, true, 'A', '2024-04-30'), ('19900202_2222', 7, false, 'B', '2024-05-30');
CREATE TABLE secrets (secret text, ts timestamptz);
INSERT INTO secrets VALUES ('do not show', '2024-02-01');
"""
DEFINITIONS = """
from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, PushSource, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Bool, Float64, Int32, Int64, String
zipcode = Entity(name="zipcode", join_keys=["zipcode"], value_type=ValueType.INT64)
person = Entity(name="person", join_keys=["dob_ssn"], value_type=ValueType.STRING)
places = PostgreSQLSource(name="zipcode_source", table="zipcode_features", timestamp_field="event_timestamp", created_timestamp_column="created_timestamp", description="places", tags={"a": "b"})
zipcode_features = FeatureView(name="zipcode_features", entities=[zipcode], ttl=timedelta(days=365), schema=[Field(name="city", dtype=String), Field(name="population", dtype=Int32)], source=places)
credit = PostgreSQLSource(name="credit_source", query="SELECT * FROM credit_history", timestamp_field="event_timestamp", created_timestamp_column="created_timestamp")
credit_history = FeatureView(name="credit_history", entities=[person], ttl=timedelta(days=90), schema=[Field(name="credit_card_due", dtype=Int64), Field(name="score", dtype=Float64)], source=credit)
inquiry_push = PushSource(name="inquiry_push", batch_source=PostgreSQLSource(name="inquiry_source", table="inquiries", timestamp_field="event_timestamp"))
inquiries = FeatureView(name="inquiries", entities=[person], ttl=timedelta(days=60), schema=[Field(name="amount", dtype=Float64), Field(name="flagged", dtype=Bool), Field(name="lender", dtype=String)], source=inquiry_push)
model_v1 = FeatureService(name="model_v1", features=[zipcode_features, credit_history[["credit_card_due"]]])
model_v2 = FeatureService(name="model_v2", features=[
    zipcode_features[["city", "population"]].with_name("home").with_join_key_map({"zipcode": "home_zipcode"}),
    zipcode_features[["city"]].with_name("work").with_join_key_map({"zipcode": "work_zipcode"}), credit_history[["credit_card_due"]]])
"""
YAML = """project: flight
provider: local
registry: {registry}
online_store: {{type: sqlite, path: {online}}}
entity_key_serialization_version: 3
offline_store:
"""
POSTGRES = "  type: postgres\n  host: 127.0.0.1\n  port: {port}\n  database: feast\n  user: feast\n  password: password\n  sslmode: disable\n"

# Where banquet refuses what Feast gives: the name of the case, and a part of the error.
REFUSED = {
    "columns of a foreign table": "is not registered",
    "rows of a foreign table": "secrets does not exist",
    "another table under a registered name": "differs from the one",
}
# Where Feast raises an error of a driver or of its client: a part of the remote client's.
ERRORS = {
    "SQL that writes": "data-modifying",
    "SQL with a mistake": 'column "nope" does not exist',
    "a missing key": "no column \"zipcode\"",
    "no times": "EntityTimestampInferenceException",
    "SQL without times": "EntityTimestampInferenceException",
}


@contextmanager
def banquet(program: str, repo: Path) -> Iterator[tuple[str, int]]:
    process = subprocess.Popen([program, "--chdir", str(repo), "serve", "-p", "0", "--grpc-port", "0", "--admin-port", "0"], stdout=subprocess.PIPE)
    try:
        host, port = json.loads(process.stdout.readline())["grpc"].rsplit(":", 1)
        yield host, int(port)
    finally:
        process.terminate()
        if process.wait(20) != 0:
            raise RuntimeError(f"banquet ended with {process.returncode}")


class Comparison:
    def __init__(self, program: str, work: Path, port: int):
        self.program, self.work, self.port, self.wrong, self.cases = program, work, port, 0, 0

    def repo(self, name: str, offline: str) -> Path:
        path = self.work / name
        path.mkdir(exist_ok=True)
        (path / "feature_store.yaml").write_text(YAML.format(registry=self.work / "registry.db", online=path / "online.db") + offline)
        return path

    def run(self, python: str, repo: Path, mode: str) -> dict:
        done = subprocess.run([python, str(HERE / "flight_client.py"), str(repo), mode], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-3000:])
        return json.loads(done.stdout.splitlines()[-1])

    def fail(self, what: str, text: str) -> None:
        self.wrong += 1
        print(f"FAIL {what}: {text}")

    def reads(self, version: str, python: str, remote: Path, local: Path) -> None:
        want, got = self.run(python, local, "read"), self.run(python, remote, "read")
        for name, g in got.items():
            self.cases += 1
            what, w = f"{version}, {name}", want[name]
            if name in REFUSED:
                if "error" not in g or REFUSED[name] not in g["text"]:
                    self.fail(what, f"want an error with {REFUSED[name]!r}, got {g}")
            elif "error" in w:
                text = f"{g.get('error')}: {g.get('text')}"
                if "error" not in g or ERRORS.get(name, w["error"]) not in text or "Traceback" in text:
                    self.fail(what, f"Feast raises {w}, the client {g}")
            elif g != w:
                self.fail(what, f"\n  Feast   {w}\n  banquet {g}")

    def writes(self, version: str, python: str, remote: Path) -> None:
        got = self.run(python, remote, "write")
        values = {"w": [12.5, "나", True], "x": [12.5, "나", True], "y": [12.5, "나", True]}
        for name, want in {
            "rows are written": "None", "in any order of columns": "None", "by push": "None", "a column is missing": "missing_expected_columns: ['lender']",
            "written rows": values, "a dataset is saved": "None", "not twice": "SavedDatasetLocationAlreadyExists", "but replaced": "None",
            "and read": None, "a source is not replaced": "zipcode_features",
        }.items():
            self.cases += 1
            g, what = got[name], f"{version}, {name}"
            if isinstance(want, dict):
                rows = {r[0]: r[2:] for r in g.get("rows", [])}
                if rows != want:
                    self.fail(what, str(g))
            elif want is None:
                if len(g.get("rows", [])) != 4 or "DALLAS" not in str(g):
                    self.fail(what, str(g))
            elif want not in (g if isinstance(g, str) else g["error"] + g["text"]):
                self.fail(what, str(g))


def main() -> int:
    args = argparse.ArgumentParser()
    args.add_argument("--banquet", required=True)
    program = args.parse_args().banquet
    versions = {"0.66": os.environ["FEAST066_PYTHON"], "0.67": os.environ["FEAST067_PYTHON"]}
    with servers.postgres() as port, tempfile.TemporaryDirectory(prefix="conformance-flight") as work:
        connect = dict(host="127.0.0.1", port=port, user="feast", password="password", dbname="feast", autocommit=True)
        with psycopg.connect(**(connect | {"dbname": "postgres"})) as c:
            c.execute("CREATE DATABASE feast")
        with psycopg.connect(**connect) as c:
            c.execute(TABLES)
        x = Comparison(program, Path(work), port)
        local = x.repo("local", POSTGRES.format(port=port))
        (local / "features.py").write_text(DEFINITIONS)
        subprocess.run([os.path.join(os.path.dirname(versions["0.66"]), "feast"), "--chdir", str(local), "apply"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with banquet(program, local) as (host, flight):
            remote = x.repo("remote", f"  type: remote\n  host: {host}\n  port: {flight}\n")
            shutil.copy(local / "online.db", remote / "online.db")  # with the tables of the views
            for version, python in versions.items():
                x.reads(version, python, remote, local)
                with psycopg.connect(**connect) as c:
                    c.execute("DROP TABLE IF EXISTS saved_set; DELETE FROM inquiries WHERE dob_ssn IN ('w', 'x', 'y')")
                x.writes(version, python, remote)
        print(f"flight: {x.cases} cases of two versions of Feast's SDK, {x.wrong} wrong")
        return 1 if x.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
