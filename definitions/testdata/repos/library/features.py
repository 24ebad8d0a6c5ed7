"""Definitions made from files of the repository."""

import csv
import glob
import json
import os
import re
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path

import yaml
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, Int64, String
from tqdm import tqdm

os.environ["LIBRARY_OWNER"] = "files@example.com"
HERE = Path(__file__).parent
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "src"))
from kinds import KINDS  # noqa: E402  of src

entity = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64, description=(HERE / "conf" / "about.txt").read_text().strip())

with open("conf/columns.csv", newline="") as f:
    rows = list(csv.DictReader(f))
columns = defaultdict(list)
for row in sorted(rows, key=itemgetter("view", "column")):
    columns[row["view"]].append(Field(name=row["column"], dtype=KINDS[row["kind"]], description=row["note"]))

views = {}
for path in tqdm(sorted(glob.glob(os.path.join(os.path.dirname(__file__), "conf", "*.yaml")))):
    conf = yaml.safe_load(open(path))
    name = re.sub(r"[^a-z0-9]+", "_", conf["name"].lower())
    views[name] = FeatureView(
        name=name,
        entities=[entity],
        ttl=timedelta(days=conf["days"]) if conf["kept"] else None,
        schema=[Field(name="user_id", dtype=Int64), *columns[name]],
        source=FileSource(name=f"{name}_source", path=f"data/{name}.parquet", timestamp_field=conf.get("time") or "ts"),
        tags={"file": os.path.basename(path), "since": f"{conf['since']:%Y-%m}", "columns": "%02d" % len(columns[name])},
        owner=os.environ["LIBRARY_OWNER"],
    )
globals().update({f"{name}_view": view for name, view in views.items()})

with open("conf/services.json", encoding="utf-8") as f:
    services = json.load(f)
for service in services:
    globals()[service["name"]] = FeatureService(name=service["name"], features=[views[v] for v in service["views"]], tags=service["tags"])

if os.path.exists("conf/extra.yaml") and not (HERE / "conf/none.yaml").is_file():
    try:
        open("conf/none.yaml")
    except FileNotFoundError as e:
        extra = Entity(name="extra", description=str(e), tags={"counts": str(Counter("aab").most_common(1)), "at": str(datetime.strptime("2024-01-03", "%Y-%m-%d"))})
