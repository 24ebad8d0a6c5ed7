"""Writes which names of Feast that banquet knows each module of Feast 0.67 has.

Usage: python modules.py NAME ... > ../feastmodules.txt

The first line lists the names. A line is "module: names ! others": others are names under which the module has
something else, of feast and feast.types all that they have. A module that cannot be imported for want of a package has "*".
The packages that record.py names make more of them importable.
"""

import importlib
import os
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
os.environ["FEAST_USAGE"] = "False"

import feast  # noqa: E402
import feast.feature_store  # noqa: E402,F401  loads everything

CONTRIB = "feast.infra.offline_stores.contrib."
# Where a name is defined, or first found: other things may have the same name.
HOMES = [
    "feast.types", "feast.value_type", "feast.batch_feature_view", "feast.stream_feature_view", "feast.on_demand_feature_view", "feast",
    "feast.data_format", "feast.table_format", "feast.feature_logging", "feast.permissions.action", "feast.permissions.permission", "feast.permissions.policy",
    "feast.feast_object", "feast.saved_dataset", "feast.infra.offline_stores.file_source", "feast.infra.offline_stores.redshift_source",
    "feast.infra.offline_stores.bigquery_source", "feast.infra.offline_stores.snowflake_source", CONTRIB + "spark_offline_store.spark_source",
    CONTRIB + "trino_offline_store.trino_source", CONTRIB + "athena_offline_store.athena_source", CONTRIB + "mssql_offline_store.mssqlserver_source",
    CONTRIB + "clickhouse_offline_store.clickhouse_source", CONTRIB + "couchbase_offline_store.couchbase_source",
    CONTRIB + "ray_offline_store.ray_source", CONTRIB + "mongodb_offline_store.mongodb", CONTRIB + "postgres_offline_store.postgres_source",
    "feast.infra.data_sources.contrib.iceberg_catalog.iceberg_source", "feast.data_source", "feast.transformation.base", "feast.transformation.mode",
    "feast.transformation.pandas_transformation", "feast.transformation.python_transformation",
]
# What definitions do not import from.
SKIPPED = {"protos", "tests", "templates", "embedded_go", "ui", "cli"}

wanted = sys.argv[1:]
known = {}
for home in HOMES:
    for name in wanted:
        known.setdefault(name, vars(importlib.import_module(home)).get(name))
        if known[name] is None:
            del known[name]
if set(wanted) - set(known):
    sys.exit(f"no home for {sorted(set(wanted) - set(known))}")

# Not pkgutil's list, which leaves out packages without an __init__.py.
root = pathlib.Path(feast.__file__).parent
modules = set()
for path in root.rglob("*.py"):
    parts = ("feast", *path.relative_to(root).with_suffix("").parts)
    modules |= {".".join(parts[:n]) for n in range(1, len(parts) + (parts[-1] != "__init__"))}

lines = []
for module in sorted(modules):
    if SKIPPED & set(module.split(".")):
        continue
    try:
        names = vars(importlib.import_module(module))
    except BaseException:  # noqa: BLE001 whatever hinders it
        lines.append(f"{module}: *")
        continue
    line = f"{module}: " + " ".join(n for n in wanted if n in names and names[n] is known[n])
    others = [n for n in wanted if n in names and names[n] is not known[n] and not isinstance(names[n], type(sys))]
    if module in ("feast", "feast.types"):  # all that they have, so that a misspelt name is seen
        others += sorted(n for n in names if n not in wanted and not n.startswith("__") and not isinstance(names[n], type(sys)))
    lines.append((line + (" ! " + " ".join(others) if others else "")).strip())
print("names: " + " ".join(wanted))
print("\n".join(sorted(lines)))
