#!/usr/bin/env python3
"""The message descriptors of the installed Feast, as canonical JSON.

    descriptors.py --write testdata/golden/feast_descriptors.json.gz
    descriptors.py --check testdata/golden/feast_descriptors.json.gz

--write makes the snapshot that the Go test in proto/ compares our own messages
with. --check compares the snapshot with the installed Feast: it prints each
difference on a line and exits with 1. A Feast that is older than the snapshot may
lack what the snapshot has.

The document holds every file of Feast's protobuf packages. Lists are sorted (fields
and enum values by number), keys too, so that equal descriptors give equal bytes.
Names of messages, enums and services are full names. Details that do not show
on the wire are left out: JSON names, options of other languages, comments.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import pkgutil
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Iterator

from google.protobuf import descriptor_pb2 as pb

Field = pb.FieldDescriptorProto
LABELS = {
    Field.LABEL_OPTIONAL: "singular",
    Field.LABEL_REPEATED: "repeated",
    Field.LABEL_REQUIRED: "required",
}


def files() -> list[pb.FileDescriptorProto]:
    """Reads the descriptor of every generated module of the installed Feast."""
    root = importlib.import_module("feast.protos.feast")
    found = {}
    for module in pkgutil.walk_packages(root.__path__, root.__name__ + "."):
        if not module.name.endswith("_pb2"):
            continue
        file = pb.FileDescriptorProto()
        importlib.import_module(module.name).DESCRIPTOR.CopyToProto(file)
        found[file.name] = file
    return [found[name] for name in sorted(found)]


def joined(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name


def field(f: Field, message: pb.DescriptorProto) -> dict[str, Any]:
    kind = Field.Type.Name(f.type).removeprefix("TYPE_").lower()
    out: dict[str, Any] = {
        "name": f.name,
        "number": f.number,
        "type": f"{kind} {f.type_name.lstrip('.')}".strip(),
        "label": "optional" if f.proto3_optional else LABELS[f.label],
    }
    if f.HasField("oneof_index") and not f.proto3_optional:
        out["oneof"] = message.oneof_decl[f.oneof_index].name
    if f.options.deprecated:
        out["deprecated"] = True
    return out


def enums(scope: str, declared: Any) -> Iterator[dict[str, Any]]:
    for e in declared:
        yield {
            "name": joined(scope, e.name),
            "values": sorted(
                ({"name": v.name, "number": v.number} for v in e.value),
                key=lambda v: (v["number"], v["name"]),
            ),
            # The end of a range of enum values is inclusive.
            "reserved": sorted([r.start, r.end] for r in e.reserved_range),
            "reserved_names": sorted(e.reserved_name),
        }


def messages(scope: str, declared: Any) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yields each message with the enums inside it, those nested in it after it."""
    for m in declared:
        name = joined(scope, m.name)
        out: dict[str, Any] = {
            "name": name,
            "fields": sorted((field(f, m) for f in m.field), key=lambda f: f["number"]),
            # The end of a range of fields is exclusive in descriptors.
            "reserved": sorted([r.start, r.end - 1] for r in m.reserved_range),
            "reserved_names": sorted(m.reserved_name),
        }
        if m.options.map_entry:
            out["map_entry"] = True
        if m.options.deprecated:
            out["deprecated"] = True
        yield out, list(enums(name, m.enum_type))
        yield from messages(name, m.nested_type)


def services(scope: str, declared: Any) -> Iterator[dict[str, Any]]:
    for s in declared:
        yield {
            "name": joined(scope, s.name),
            "methods": sorted(
                (
                    {
                        "name": m.name,
                        "input": m.input_type.lstrip("."),
                        "output": m.output_type.lstrip("."),
                        "client_streaming": m.client_streaming,
                        "server_streaming": m.server_streaming,
                    }
                    for m in s.method
                ),
                key=lambda m: m["name"],
            ),
        }


def described(file: pb.FileDescriptorProto) -> dict[str, Any]:
    found = list(messages(file.package, file.message_type))
    inner = [e for _, nested in found for e in nested]
    return {
        "name": file.name,
        "package": file.package,
        "messages": sorted((m for m, _ in found), key=lambda m: m["name"]),
        "enums": sorted([*enums(file.package, file.enum_type), *inner], key=lambda e: e["name"]),
        "services": sorted(services(file.package, file.service), key=lambda s: s["name"]),
    }


def snapshot() -> dict[str, Any]:
    return {"feast": metadata.version("feast"), "files": [described(f) for f in files()]}


def canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def facts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Flattens a document to lines that can be compared one by one."""
    if isinstance(value, dict):
        for key, inner in sorted(value.items()):
            if key != "name":
                yield from facts(inner, f"{path}/{key}")
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            at = f"{path}/{inner['name']}"
            yield at, "declared"
            yield from facts(inner, at)
    else:
        yield path, json.dumps(value)


def differences(stored: dict[str, Any], installed: dict[str, Any]) -> list[str]:
    old, new = dict(facts(stored)), dict(facts(installed))
    return [
        f"{path}: the snapshot has {old.get(path, 'nothing')}, the installed Feast {new.get(path, 'nothing')}"
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def older(release: str, than: str) -> bool:
    return [int(n) for n in release.split(".")] < [int(n) for n in than.split(".")]


def lacking(stored: dict[str, Any], installed: dict[str, Any]) -> tuple[list[str], int]:
    """The differences that an older release must not have, and how many messages, fields and methods it lacks."""
    old, new = dict(facts(stored)), dict(facts(installed))
    lacks = sum(value == "declared" and path not in new for path, value in old.items())
    wrong = [path for path in sorted(new) if path != "/feast" and old.get(path) != new[path]]
    return [f"{path}: the snapshot has {old.get(path, 'nothing')}, the older Feast {new[path]}" for path in wrong], lacks


def read(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def write(path: Path, document: dict[str, Any]) -> None:
    data = canonical(document)
    # Without a time in the header, equal documents give equal files.
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)


def main() -> int:
    parser = argparse.ArgumentParser(description="Feast's descriptors as canonical JSON.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", type=Path, metavar="FILE", help="write the snapshot; .gz compresses it")
    what.add_argument("--check", type=Path, metavar="FILE", help="compare a snapshot with the installed Feast")
    args = parser.parse_args()
    if args.write:
        write(args.write, snapshot())
        return 0
    try:
        stored = read(args.check)
    except (OSError, ValueError, EOFError) as err:
        print(f"{args.check}: no snapshot: {err}; make one with --write", file=sys.stderr)
        return 2
    here = snapshot()
    if older(here["feast"], stored["feast"]):
        found, lacks = lacking(stored, here)
        if not found:
            print(f"{args.check}: as in the installed Feast {here['feast']}, which lacks {lacks} of Feast {stored['feast']}")
        for line in found:
            print(line)
        return 1 if found else 0
    found = differences(stored, here)
    for line in found:
        print(line)
    if not found:
        print(f"{args.check}: as in the installed Feast {stored['feast']}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
