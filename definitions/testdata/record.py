"""Records what Feast makes of the definitions in cases/ and repos/.

Usage: python record.py [name ...]

Each file cases/<name>.py is a repository of one file, features.py; each
directory repos/<name> is a repository. Beside each, <name>.json gets the objects
as Feast 0.67 collects and serializes them, without times and pickles, or the
error that ended the load. The path of the repository is written as <root>. A feature
of a service that is given as text is written as a projection of view type reference.

The cases of source_clickhouse, source_couchbase, source_mongodb, source_ray,
source_trino and of what these classes refuse need clickhouse-connect,
couchbase-columnar, pymongo, ray and trino beside Feast.
"""

import importlib
import json
import os
import pathlib
import shutil
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
os.environ["FEAST_USAGE"] = "False"
os.environ["BANQUET_SET"] = "from the environment"

from feast.feature_store import FeatureStore  # noqa: E402,F401  loads everything
from feast.protos.feast.core.Registry_pb2 import Registry  # noqa: E402
from feast.repo_operations import parse_repo  # noqa: E402
from google.protobuf.json_format import MessageToDict  # noqa: E402

HERE = pathlib.Path(__file__).parent
FEAST = str(pathlib.Path(sys.modules["feast"].__file__).parent)


def strip(message):
    """Removes times and pickles, at any depth."""
    for field, value in message.ListFields():
        if field.name == "meta" and field.message_type is not None:
            message.ClearField("meta")
        elif field.message_type is None:
            if field.name == "body" and "UserDefinedFunction" in message.DESCRIPTOR.name:
                message.ClearField("body")
        elif field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                for item in value.values():
                    strip(item)
        elif field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED:
            for item in value:
                strip(item)
        else:
            strip(value)


def load(repo):
    contents = parse_repo(repo)
    registry = Registry()
    for o in contents.projects:
        registry.projects.append(o.to_proto())
    for o in contents.data_sources:
        proto = o.to_proto()
        proto.data_source_class_type = f"{type(o).__module__}.{type(o).__name__}"
        registry.data_sources.append(proto)
    for o in contents.entities:
        if o.name != "__dummy":
            registry.entities.append(o.to_proto())
    for o in contents.feature_views:
        registry.feature_views.append(o.to_proto())
    for o in contents.stream_feature_views:
        proto = o.to_proto()
        # Feast lists them in the order of a Python set, which changes.
        features = sorted(proto.spec.features, key=lambda f: f.name)
        del proto.spec.features[:]
        proto.spec.features.extend(features)
        registry.stream_feature_views.append(proto)
    for o in contents.on_demand_feature_views:
        registry.on_demand_feature_views.append(o.to_proto())
    for o in contents.label_views:
        registry.label_views.append(o.to_proto())
    for o in contents.feature_services:
        # References are looked up at apply; before that a service cannot be serialized.
        references, o._pending_feature_refs = getattr(o, "_pending_feature_refs", []), []
        proto = o.to_proto()
        for text in references:
            proto.spec.features.add(feature_view_name=text, view_type="reference")
        registry.feature_services.append(proto)
    for o in contents.permissions:
        registry.permissions.append(o.to_proto())
    strip(registry)
    return MessageToDict(registry)


def record(source, target):
    with tempfile.TemporaryDirectory() as tmp:
        repo = pathlib.Path(tmp).resolve() / "repo"
        if source.is_dir():
            shutil.copytree(source, repo)
        else:
            repo.mkdir()
            shutil.copy(source, repo / "features.py")
        before = set(sys.modules)
        os.chdir(repo)
        try:
            out = {"registry": load(repo)}
        except BaseException as e:  # noqa: BLE001 the text is what is recorded
            out = {"error": f"{type(e).__name__}: {e}"}
        os.chdir(HERE)
        for name in set(sys.modules) - before:
            del sys.modules[name]
        importlib.invalidate_caches()
        text = json.dumps(out, indent=1, ensure_ascii=False, sort_keys=True).replace(str(repo), "<root>").replace(FEAST, "<feast>")
        target.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path.append("")
    wanted = sys.argv[1:]
    for case in sorted((HERE / "cases").glob("*.py")):
        if not wanted or case.stem in wanted:
            record(case, case.with_suffix(".json"))
    for case in sorted(p for p in (HERE / "repos").iterdir() if p.is_dir()):
        if not wanted or case.name in wanted:
            record(case, case.with_suffix(".json"))
