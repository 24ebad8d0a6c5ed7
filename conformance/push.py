#!/usr/bin/env python3
"""Compares writes of Feast's SDK over banquet with writes of the same SDK straight into a
store: push, write_to_online_store, and the HTTP requests of Feast's documentation.
FEAST066_PYTHON has Feast 0.66, FEAST067_PYTHON has 0.67."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    args = argparse.ArgumentParser()
    args.add_argument("--banquet", required=True)
    program = args.parse_args().banquet
    cases = wrong = 0
    for version, python in {"0.66": os.environ["FEAST066_PYTHON"], "0.67": os.environ["FEAST067_PYTHON"]}.items():
        with tempfile.TemporaryDirectory(prefix="conformance-push") as work:
            done = subprocess.run([python, str(HERE / "push_client.py"), program, work], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "TZ": "UTC"})
        if done.returncode != 0:
            print(f"FAIL {version}: {done.stderr[-3000:]}")
            wrong += 1
            continue
        for name, difference in json.loads(done.stdout.splitlines()[-1]).items():
            cases += 1
            if difference:
                wrong += 1
                print(f"FAIL {version}, {name}: {difference}")
    print(f"push: {cases} cases of two versions of Feast's SDK, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
