"""Trains the credit-scoring model: raw data, historical features, training, model.bin.

Feast's SDK is used as it is. It asks `banquet serve` for the training set: for each
loan, the features as they were when the loan was asked for.

    python train.py
    python train.py --entity-df loans.parquet --save training.parquet
"""
import argparse
from pathlib import Path

import joblib
import pandas as pd
from feast import FeatureStore
from sklearn.compose import make_column_transformer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

HERE = Path(__file__).resolve().parent
LABEL = "loan_status"
# Who asked, and when, says nothing about the next loan.
UNUSED = ["loan_id", "dob_ssn", "zipcode", "event_timestamp", LABEL]
TEXTS = ["city", "state", "location_type"]


def training_set(store: FeatureStore, entity_df: str) -> pd.DataFrame:
    """The loans with their features; entity_df is SQL or the name of a Parquet file."""
    loans = pd.read_parquet(entity_df) if entity_df.endswith(".parquet") else entity_df
    service = store.get_feature_service("credit_model")
    return store.get_historical_features(entity_df=loans, features=service).to_df()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", default=HERE / "client", help="directory of the feature_store.yaml that names banquet")
    parser.add_argument("--entity-df", default="SELECT * FROM loans", help="the loans: SQL for the offline store, or a .parquet file")
    parser.add_argument("--save", help="also write the training set to this .parquet file")
    parser.add_argument("--model", default="model.bin", help="where to write the model")
    args = parser.parse_args()

    loans = training_set(FeatureStore(repo_path=str(args.repo)), args.entity_df)
    if args.save:
        loans.to_parquet(args.save, index=False)

    loans = loans.sort_values("loan_id")  # so that the split does not depend on the order
    columns = [name for name in loans.columns if name not in UNUSED]
    inputs = loans[columns].fillna(dict.fromkeys(TEXTS, "unknown"))
    x_train, x_test, y_train, y_test = train_test_split(inputs, loans[LABEL], test_size=0.25, random_state=0, stratify=loans[LABEL])
    model = make_pipeline(
        make_column_transformer((OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), TEXTS), remainder="passthrough"),
        DecisionTreeClassifier(max_depth=6, min_samples_leaf=20, random_state=0),
    )
    model.fit(x_train, y_train)
    joblib.dump({"model": model, "columns": columns, "texts": TEXTS}, args.model)

    usual = y_test.value_counts(normalize=True).max()
    print(f"{len(loans)} loans, {len(columns)} columns")
    print(f"accuracy {accuracy_score(y_test, model.predict(x_test)):.3f} (always the same answer: {usual:.3f})")
    print(f"wrote {args.model}")


if __name__ == "__main__":
    main()
