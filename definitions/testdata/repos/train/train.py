import sys

from feast import FeatureStore


def main():
    store = FeatureStore(repo_path=".")
    print(store.get_historical_features(entity_df=None, features=["v:a"]).to_df())


if __name__ == "__main__":
    main()
