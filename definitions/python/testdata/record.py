"""Records what Python makes of the programs in the .txt files here.

Usage: python record.py  (Python 3.11; writes a .jsonl beside each)
"""

import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
os.environ.pop("BANQUET_UNSET_VARIABLE", None)
os.environ["BANQUET_SET"] = "set"


def run(source, number):
    name = f"program_{number}"
    module = type(sys)(name)
    sys.modules[name] = module
    try:
        exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    except BaseException as e:  # noqa: BLE001 the class is what is recorded
        return {"error": type(e).__name__}
    return {"repr": repr(module.out)}


for listing in sorted(HERE.glob("*.txt")):
    with open(listing.with_suffix(".jsonl"), "w", encoding="utf-8") as out:
        programs = listing.read_text(encoding="utf-8").split("# ---\n")
        for number, program in enumerate(programs, 1):
            record = {"source": program}
            if "# unknown" in program:
                record["unknown"] = True
            elif "# refused" in program:
                record["refused"] = True
            else:
                record.update(run(program, number))
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
