"""Records what Python makes of the programs in the text files beside it.

Usage: python record.py [name ...]  (Python 3.11 with PyYAML, tqdm and python-dotenv; writes name.jsonl for name.txt)

Programs run in the directory files/.
"""

import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
os.environ.pop("BANQUET_UNSET_VARIABLE", None)
os.environ["BANQUET_SET"] = "set"
os.chdir(HERE / "files")


def run(source, number):
    name = f"program_{number}"
    module = type(sys)(name)
    sys.modules[name] = module
    try:
        exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    except BaseException as e:  # noqa: BLE001 the class is what is recorded
        return {"error": type(e).__name__}
    return {"repr": repr(module.out)}


def record(path):
    with open(path.with_suffix(".jsonl"), "w", encoding="utf-8") as out:
        programs = path.read_text(encoding="utf-8").split("# ---\n")
        for number, program in enumerate(programs, 1):
            record = {"source": program}
            if "# unknown" in program:
                record["unknown"] = True
            elif "# refused" in program:
                record["refused"] = True
            else:
                record.update(run(program, number))
            out.write(json.dumps(record, ensure_ascii=False) + "\n")


for path in sorted(HERE.glob("*.txt")):
    if not sys.argv[1:] or path.stem in sys.argv[1:]:
        record(path)
