"""One training set by Feast's Python API: join.py REPOSITORY ENTITY_ROWS.parquet OUT.parquet"""

import json
import sys
import time

import pandas as pd
import pyarrow.parquet as pq
from feast import FeatureStore

repo, rows, out = sys.argv[1:]
store = FeatureStore(repo_path=repo)
entity_rows = pd.read_parquet(rows)
began = time.monotonic()
table = store.get_historical_features(entity_df=entity_rows, features=store.get_feature_service("credit_model")).to_arrow()
seconds = time.monotonic() - began
pq.write_table(table, out)
print(json.dumps({"seconds": seconds}))
