"""One training set by Feast's Python API: join.py REPOSITORY ENTITY_ROWS.parquet OUT.parquet"""

import sys

import pandas as pd
import pyarrow.parquet as pq
from feast import FeatureStore

repo, rows, out = sys.argv[1:]
store = FeatureStore(repo_path=repo)
job = store.get_historical_features(entity_df=pd.read_parquet(rows), features=store.get_feature_service("credit_model"))
pq.write_table(job.to_arrow(), out)
