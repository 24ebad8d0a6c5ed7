"""Definitions made in the ways that people make them."""
import os
from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.types import Float32, Int64, String

try:
    import tqdm
except ImportError:
    tqdm = None

DATA = Path(__file__).parent / "data"
PREFIX = os.environ.get("BANQUET_UNSET", "pre")
FROM_ENV = os.getenv("BANQUET_SET", "")
TYPES = {"int": Int64, "float": Float32, "str": String}
TABLES = [("users", "user_id", {"age": "int", "city": "str"}), ("items", "item_id", {"price": "float"})]

entities = {key: Entity(name=key[:-3], join_keys=[key]) for _, key, _ in TABLES}
user, item = entities.values()


def make_view(table, key, columns, *, days=1, **extra):
    """A view over one table."""
    return FeatureView(
        name=f"{PREFIX}_{table}",
        entities=[entities[key]],
        ttl=timedelta(days=days),
        schema=[Field(name=n, dtype=TYPES[t]) for n, t in sorted(columns.items())],
        source=FileSource(name=f"{table}_source", path=str(DATA / f"{table}.parquet"), timestamp_field="event_timestamp"),
        **extra,
    )


users, items = [make_view(*t, days=i + 1, tags={"n": str(i)}, description=FROM_ENV) for i, t in enumerate(TABLES)]

for suffix in ("daily", "hourly"):
    globals()[f"users_{suffix}"] = FeatureView(name=f"users_{suffix}", entities=[user], source=users.batch_source, ttl=timedelta(**{"days" if suffix == "daily" else "hours": 1}))

views = [users, items]
service = FeatureService(name="all", features=views + [users_daily[["age"]]] if not users_daily.features else views)

if __name__ == "__main__":
    raise SystemExit("not when imported")
