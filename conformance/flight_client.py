"""What a user of Feast's SDK does with the offline store; flight.py runs it once for each
version of Feast and each kind of offline store. It prints one line of JSON.

    flight_client.py REPOSITORY MODE    MODE is read or write
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from datetime import datetime, timezone

os.environ["FEAST_USAGE"] = "False"
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

import pandas as pd
import pyarrow as pa
from feast import FeatureStore
from feast.data_source import PushMode
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource, SavedDatasetPostgreSQLStorage

store = FeatureStore(sys.argv[1])
offline = store._get_provider().offline_store
results: dict = {}


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def cell(v: object) -> object:
    if isinstance(v, float) and v != v:
        return "nan"
    if isinstance(v, datetime):
        return v.astimezone(timezone.utc).isoformat() if v.tzinfo else v.isoformat() + "+00:00"
    return v


def shown(r: object) -> object:
    """A table as its columns, types and sorted rows."""
    if isinstance(r, dict):  # features of the online store, whose order is random
        r = pa.table(dict(sorted(r.items())))
    if not isinstance(r, pa.Table):
        return repr(r)
    rows = [[cell(v) for v in row.values()] for row in r.to_pylist()]
    return {"columns": r.column_names, "types": [str(t) for t in r.schema.types], "rows": sorted(rows, key=repr)}


def record(name: str, call) -> None:
    try:
        results[name] = shown(call())
    except Exception as e:
        results[name] = {"error": type(e).__name__, "text": str(e)[:300]}


entities = pd.DataFrame({"zipcode": [76104, 30001, 94109, 5], "event_timestamp": [at("2024-05-01"), at("2024-01-15"), at("2024-03-31T23:59:59.5"), at("2024-05-01")]})
place = ["zipcode_features:city", "zipcode_features:population"]


def train(**kw) -> pa.Table:
    return store.get_historical_features(**kw).to_arrow()


def read() -> None:
    record("a data frame", lambda: train(entity_df=entities, features=place))
    record("a data frame, full names", lambda: train(entity_df=entities, features=place, full_feature_names=True))
    record("a data frame, some of its rows", lambda: train(entity_df=entities[entities.zipcode > 1000][1:], features=place))
    record("times without a zone", lambda: train(entity_df=entities.assign(event_timestamp=entities.event_timestamp.dt.tz_localize(None)), features=place))
    record("times of another name", lambda: train(entity_df=entities.rename(columns={"event_timestamp": "applied"}), features=place))
    record("other columns", lambda: train(entity_df=entities.assign(amount=[1.5, None, 2.0, 3.0], note=["a", None, "한국", ""], flag=[True, False, True, False]), features=place))
    record("no rows", lambda: train(entity_df=entities[:0], features=place))
    record("many rows", lambda: train(entity_df=pd.concat([entities] * 5000, ignore_index=True), features=place).group_by(["zipcode", "city"]).aggregate([("population", "sum"), ("population", "count")]))
    record("keys that are null", lambda: train(entity_df=pd.DataFrame({"dob_ssn": ["19800101_1111", None], "event_timestamp": [at("2024-05-01")] * 2}), features=["credit_history:credit_card_due"]))
    both = pd.DataFrame({"home_zipcode": [76104, 30001], "work_zipcode": [94109, 76104], "dob_ssn": ["19800101_1111", "19900202_2222"], "event_timestamp": [at("2024-05-01"), at("2024-02-02")]})
    record("a service with aliases", lambda: train(entity_df=both, features=store.get_feature_service("model_v2"), full_feature_names=True))
    record("a service", lambda: train(entity_df=both.rename(columns={"home_zipcode": "zipcode"}), features=store.get_feature_service("model_v1")))
    record("SQL", lambda: train(entity_df="SELECT zipcode, event_timestamp FROM zipcode_features WHERE zipcode <> 30001", features=place))
    record("SQL with WITH", lambda: train(entity_df="WITH e AS (SELECT 76104::bigint AS zipcode, timestamptz '2024-05-01' AS event_timestamp) SELECT * FROM e", features=place))
    day = lambda m, d: datetime(2024, m, d, tzinfo=timezone.utc)
    record("a range", lambda: train(features=place, start_date=day(1, 10), end_date=day(2, 3)))
    record("a range without a start", lambda: train(features=place, end_date=day(2, 3)))
    record("a range of two views", lambda: train(features=["credit_history:credit_card_due", "inquiries:lender"], start_date=day(1, 1), end_date=day(6, 3)))
    record("an unknown feature", lambda: train(entity_df=entities, features=["zipcode_features:nope"]))
    record("an unknown view", lambda: train(entity_df=entities, features=["nope:city"]))
    record("a missing key", lambda: train(entity_df=entities.drop(columns="zipcode"), features=place))
    record("no times", lambda: train(entity_df=entities.drop(columns="event_timestamp"), features=place))
    record("SQL without times", lambda: train(entity_df="SELECT 76104 AS zipcode", features=place))
    record("SQL with a mistake", lambda: train(entity_df="SELECT nope FROM zipcode_features", features=place))
    record("SQL that writes", lambda: train(entity_df="WITH gone AS (DELETE FROM zipcode_features RETURNING *) SELECT * FROM gone", features=place))
    source = store.get_data_source("zipcode_source")
    pull = dict(config=store.config, data_source=source, join_key_columns=["zipcode"], feature_name_columns=["city", "population"], timestamp_field="event_timestamp",
                created_timestamp_column="created_timestamp", start_date=day(1, 1), end_date=day(4, 1))
    record("all rows of a source", lambda: offline.pull_all_from_table_or_query(**pull).to_arrow())
    record("the latest rows of a source", lambda: offline.pull_latest_from_table_or_query(**pull).to_arrow())
    record("the latest row of a source", lambda: offline.pull_latest_from_table_or_query(**{**pull, "join_key_columns": []}).to_arrow())
    record("all columns of a source", lambda: offline.pull_all_from_table_or_query(**{**pull, "feature_name_columns": []}).to_arrow())
    record("columns of a table", lambda: list(store._get_provider().get_table_column_names_and_types_from_data_source(store.config, source)))
    record("columns of a query", lambda: list(store._get_provider().get_table_column_names_and_types_from_data_source(store.config, store.get_data_source("credit_source"))))
    record("a source is valid", lambda: store._get_provider().validate_data_source(store.config, source))
    foreign = PostgreSQLSource(name="secrets", table="secrets", timestamp_field="ts")
    record("columns of a foreign table", lambda: list(store._get_provider().get_table_column_names_and_types_from_data_source(store.config, foreign)))
    record("rows of a foreign table", lambda: offline.pull_all_from_table_or_query(**{**pull, "data_source": foreign, "join_key_columns": [], "feature_name_columns": ["secret"], "timestamp_field": "ts",
                                                                                     "created_timestamp_column": None}).to_arrow())
    record("another table under a registered name", lambda: list(store._get_provider().get_table_column_names_and_types_from_data_source(
        store.config, PostgreSQLSource(name="zipcode_source", table="secrets", timestamp_field="event_timestamp"))))
    store.materialize(day(1, 1), day(4, 1))
    record("served after materialize", lambda: store.get_online_features(features=place, entity_rows=[{"zipcode": z} for z in (76104, 30001, 94109, 5)]).to_dict())


def write() -> None:
    rows = pd.DataFrame({"dob_ssn": ["w", "w"], "amount": [12.5, None], "flagged": [True, False], "lender": ["나", None], "event_timestamp": [at("2024-07-01"), at("2024-07-02")]})
    record("rows are written", lambda: store.write_to_offline_store("inquiries", rows))
    record("in any order of columns", lambda: store.write_to_offline_store("inquiries", rows.assign(dob_ssn="x")[list(reversed(rows.columns))], reorder_columns=False))
    record("by push", lambda: store.push("inquiry_push", rows.assign(dob_ssn="y"), to=PushMode.OFFLINE))
    record("a column is missing", lambda: store.write_to_offline_store("inquiries", rows.drop(columns="lender")))
    record("written rows", lambda: train(entity_df=pd.DataFrame({"dob_ssn": ["w", "x", "y"], "event_timestamp": [at("2024-07-01T12:00:00")] * 3}), features=["inquiries:amount", "inquiries:lender", "inquiries:flagged"]))
    job = lambda: store.get_historical_features(entity_df=entities, features=place)
    record("a dataset is saved", lambda: store.create_saved_dataset(job(), "saved", SavedDatasetPostgreSQLStorage("saved_set"), allow_overwrite=False) and None)
    record("not twice", lambda: store.create_saved_dataset(job(), "saved", SavedDatasetPostgreSQLStorage("saved_set"), allow_overwrite=False) and None)
    record("but replaced", lambda: store.create_saved_dataset(job(), "saved", SavedDatasetPostgreSQLStorage("saved_set"), allow_overwrite=True) and None)
    record("and read", lambda: store.get_saved_dataset("saved").to_arrow())
    record("a source is not replaced", lambda: store.create_saved_dataset(job(), "evil", SavedDatasetPostgreSQLStorage("zipcode_features"), allow_overwrite=True) and None)


{"read": read, "write": write}[sys.argv[2]]()
print(json.dumps(results, default=str))
