#!/usr/bin/env python3
"""Runs the credit-scoring example from raw data to a decision, over real PostgreSQL and moto.

The training set that Feast's SDK gets and the one of the command line must be equal, the
model must have learned something, and it must tell a good applicant from a bad one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
from pathlib import Path

import psycopg

import servers

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "credit_scoring"


def run(banquet: str, python: str, pg: int, dynamo: str) -> str:
    """The output of run.sh."""
    with psycopg.connect(f"host=localhost port={pg} user=feast password=password dbname=postgres", autocommit=True) as conn:
        conn.execute("CREATE DATABASE feast")
    env = dict(os.environ, BANQUET=banquet, PYTHON=python, PGPORT=str(pg), DSN=f"postgres://feast:password@localhost:{pg}/feast",
               AWS_ENDPOINT_URL_DYNAMODB=dynamo, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", FEAST_USAGE="False", NO_COLOR="1")
    p = subprocess.run([EXAMPLE / "run.sh"], env=env, capture_output=True, text=True, timeout=300)
    assert p.returncode == 0, f"run.sh ended with {p.returncode}\n{p.stdout[-4000:]}\n{p.stderr[-4000:]}"
    return p.stdout


def check(output: str) -> None:
    trained = re.search(r"^accuracy ([\d.]+) \(always the same answer: ([\d.]+)\)$", output, re.M)
    assert trained, f"no accuracy in\n{output}"
    accuracy, usual = map(float, trained.groups())
    assert accuracy > usual + 0.05, f"the model is right in {accuracy} of the cases, and the same answer always in {usual}"
    assert "wrote model.bin" in output, output
    assert re.search(r"^both have the same 5000 rows and \d+ columns$", output, re.M), output
    decisions = [json.loads(line) for line in output.splitlines() if line.startswith('{"decision"')]
    assert len(decisions) == 2, output
    assert decisions[1]["decision"] == "rejected" and decisions[0]["risk"] < decisions[1]["risk"], decisions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--banquet", required=True, help="the program")
    parser.add_argument("--python", required=True, help="a Python with the example's requirements")
    args = parser.parse_args()
    with servers.postgres() as pg, servers.moto() as dynamo:
        output = run(args.banquet, args.python, pg, dynamo)
    check(output)
    print("ok: the credit-scoring example, " + re.search(r"^accuracy .*$", output, re.M).group())


if __name__ == "__main__":
    main()
