"""SQLite event times under several time zones: Feast's numbers, and how each reader reads them."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import tempfile
from pathlib import Path

ZONES = ("UTC", "Asia/Seoul", "Asia/Kolkata", "America/St_Johns")
SKIPPED = "America/St_Johns"  # has no 02:30 on 10 March 2024

FEATURES = """
from datetime import timedelta
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Int64

k = Entity(name="k", join_keys=["k"], value_type=ValueType.INT64)
v = FeatureView(name="v", entities=[k], ttl=timedelta(days=0), schema=[Field(name="f", dtype=Int64)],
                source=FileSource(name="s", path="rows.parquet", timestamp_field="at", created_timestamp_column="made"))
"""
YAML = "project: p\nprovider: local\nregistry: registry.db\nonline_store:\n  type: sqlite\n  path: online.db\noffline_store:\n  type: file\nentity_key_serialization_version: 3\n"
READ = """
import json
from feast import FeatureStore
out = FeatureStore(repo_path=".").get_online_features(features=["v:f"], entity_rows=[{"k": k} for k in range(%d)])
times = [[t.ToJsonString() for t in r.event_timestamps] for r in out.proto.results]
print(json.dumps(times[list(out.proto.metadata.feature_names.val).index("f")]))
"""
UTC = dt.timezone.utc
EVENTS = [
    dt.datetime(1969, 12, 31, 23, 59, 59, 500000, UTC),
    dt.datetime(2024, 1, 1, 12, 0, 0, 999999, UTC),
    dt.datetime(2024, 3, 10, 1, 59, 59, 0, UTC),
    dt.datetime(2024, 3, 10, 2, 30, 0, 0, UTC),
    dt.datetime(2024, 3, 10, 3, 30, 0, 0, UTC),
    dt.datetime(2024, 11, 3, 0, 30, 0, 0, UTC),
    dt.datetime(2024, 11, 3, 1, 30, 0, 0, UTC),
    dt.datetime(2024, 11, 3, 2, 30, 0, 0, UTC),
]


def text(t: dt.datetime) -> str:
    """The whole second of a time, cut towards 1970 as int() cuts."""
    return dt.datetime.fromtimestamp(int(t.timestamp()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stored(repo: Path) -> dict:
    """The numbers in a file, as Feast's converter reads them, and their types."""
    db = sqlite3.connect(repo / "online.db")
    try:
        rows = db.execute("SELECT hex(entity_key), CAST(event_ts AS BLOB), typeof(event_ts), CAST(created_ts AS BLOB) FROM p_v ORDER BY 1").fetchall()
    finally:
        db.close()
    return {key: (int(event), int(created), kind) for key, event, kind, created in rows}


def compare(w, script, post, equal) -> None:
    """Runs all checks in each zone, with each program as the writer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    base = Path(tempfile.mkdtemp(dir=w.work, prefix="zones"))
    rows = base / "rows.parquet"
    pq.write_table(pa.table({"k": list(range(len(EVENTS))), "f": list(range(len(EVENTS))),
                             "at": pa.array(EVENTS, pa.timestamp("us", "UTC")), "made": pa.array(EVENTS, pa.timestamp("us", "UTC"))}), rows)
    truth = [text(t) for t in EVENTS]

    def repo(name: str, program: str, zone: str) -> Path:
        dir = base / name
        dir.mkdir(parents=True)
        shutil.copy(rows, dir)
        (dir / "features.py").write_text(FEATURES)
        (dir / "feature_store.yaml").write_text(YAML)
        w.run(program, dir, "apply", TZ=zone)
        w.run(program, dir, "materialize", "1969-01-01T00:00:00", "2024-12-01T00:00:00", TZ=zone)
        return dir

    def served(dir: Path, zone: str) -> list:
        with w.serving(dir, TZ=zone) as at:
            got = post(f"http://{at['http']}/get-online-features", {"features": ["v:f"], "entities": {"k": list(range(len(EVENTS)))}})
        return got["results"][got["metadata"]["feature_names"].index("f")]["event_timestamps"]

    for zone in ZONES:
        name = zone.replace("/", "_")
        feasts, ours = repo(f"{name}/feast", w.feast, zone), repo(f"{name}/banquet", w.banquet, zone)
        want, got = stored(feasts), stored(ours)
        equal(f"numbers under {zone}", {k: v[:2] for k, v in want.items()}, {k: v[:2] for k, v in got.items()})
        if zone == "UTC":
            equal("types under UTC", want, got)
        for dir in (feasts, ours):
            read = script(w, dir, READ % len(EVENTS), TZ=zone)
            expected = [truth[4] if zone == SKIPPED and i == 3 else t for i, t in enumerate(truth)]
            if zone == SKIPPED:
                expected[0] = read[0]  # Feast cuts the fraction in its own zone, where it may be after 1970
            equal(f"Feast under {zone} on the file of {dir.name}", expected, read)
        equal(f"banquet on Feast's file of {zone}", script(w, feasts, READ % len(EVENTS), TZ=zone), served(feasts, zone))
        for reader in ZONES:
            equal(f"banquet under {reader} on its file of {zone}", truth, served(ours, reader))
