"""Decides about one loan: request, online features, join, prediction, answer.

It needs no Feast: banquet is asked over HTTP. The features of the applicant come
from the online store, the rest from the request itself.

    python predict.py '{"zipcode": 76104, "dob_ssn": "19530219_5179", "person_age": 35, "person_income": 60000,
        "loan_amnt": 12000, "loan_int_rate": 11.5}'
"""
import argparse
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

import joblib
import pandas as pd

KEYS = ["zipcode", "dob_ssn"]


def online_features(url: str, request: dict) -> dict:
    """The features of an applicant, None where the online store has none."""
    body = {"feature_service": "credit_model", "entities": {key: [request[key]] for key in KEYS}}
    call = urllib.request.Request(f"{url}/get-online-features", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=5) as answer:
        found = json.load(answer)
    values = [result["values"][0] for result in found["results"]]
    return dict(zip(found["metadata"]["feature_names"], values))


def decide(saved: dict, request: dict, features: dict) -> dict:
    """What the model says about a request and its features."""
    row = pd.DataFrame([{**features, **request}])[saved["columns"]]
    row = row.fillna(dict.fromkeys(saved["texts"], "unknown"))
    risk = float(saved["model"].predict_proba(row)[0][1])
    return {"decision": "rejected" if risk >= 0.5 else "approved", "risk": round(risk, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("request", help="the loan that is asked for, as JSON")
    parser.add_argument("--url", default="http://localhost:6566", help="where banquet serves")
    parser.add_argument("--model", default="model.bin", help="the model that train.py wrote")
    args = parser.parse_args()

    try:
        request = json.loads(args.request)
    except ValueError as e:
        sys.exit(f"the request is not JSON: {e}")
    if not isinstance(request, dict):
        sys.exit("the request must be a JSON object")
    if not Path(args.model).exists():
        sys.exit(f"there is no {args.model}: run train.py, or name the model by --model")
    missing = [key for key in KEYS if key not in request]
    if missing:
        sys.exit(f"the request lacks {', '.join(missing)}")
    try:
        features = online_features(args.url, request)
    except urllib.error.HTTPError as e:
        sys.exit(f"banquet refuses the request: {e.read().decode()}")
    except OSError as e:
        sys.exit(f"banquet does not answer at {args.url}: {getattr(e, 'reason', e)}")
    saved = joblib.load(args.model)
    missing = [name for name in saved["columns"] if name not in features and name not in request]
    if missing:
        sys.exit(f"the request lacks {', '.join(missing)}")
    print(json.dumps(decide(saved, request, features)))


if __name__ == "__main__":
    main()
