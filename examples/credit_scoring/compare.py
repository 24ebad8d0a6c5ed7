"""Compares two training sets, row by row: python compare.py A.parquet B.parquet"""
import sys

import pandas as pd

one, other = (pd.read_parquet(path).sort_values("loan_id", ignore_index=True) for path in sys.argv[1:3])
if sorted(one.columns) != sorted(other.columns):
    sys.exit(f"the columns differ: {list(one.columns)} and {list(other.columns)}")
try:
    # pandas makes floats of integers with nulls when a frame is made, so types may differ.
    pd.testing.assert_frame_equal(one, other[one.columns], check_dtype=False, check_exact=True)
except AssertionError as e:
    sys.exit(f"the training sets differ: {e}")
print(f"both have the same {len(one)} rows and {len(one.columns)} columns")
