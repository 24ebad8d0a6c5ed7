"""Compares compiled on-demand feature views with pandas and Python.

    python transform.py [--seed N] [--rounds N]

runs the functions of transform/testdata/corpus over random tables with the
installed pandas and NumPy, and lets the test of package transform compare its own
results with them, bit by bit. It needs Go.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTDATA = ROOT / "transform" / "testdata"


def recorder():
    spec = importlib.util.spec_from_file_location("record", TESTDATA / "record.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2, help="each has ten tables for each function")
    options = parser.parse_args()
    record, paths, tables = recorder(), sorted((TESTDATA / "corpus").glob("*.py")), 0
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as f:
        for seed in range(options.seed, options.seed + options.rounds):
            for line in record.record(paths, str(seed)):
                f.write(json.dumps(line, ensure_ascii=False) + "\n")
                tables += 1
    try:
        test = ["go", "test", "./transform", "-count=1", "-run", "TestResultsAreThoseOfPandasAndPython"]
        code = subprocess.run(test, cwd=ROOT, env={**os.environ, "CGO_ENABLED": "0", "TRANSFORM_RECORDED": f.name}).returncode
    finally:
        os.unlink(f.name)
    print(f"transform: {len(paths)} functions, {tables} tables, seed {options.seed}: {'equal' if code == 0 else 'DIFFERENT'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
