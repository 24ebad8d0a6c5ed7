#!/bin/sh
# The guide's commands, typed with banquet, against PostgreSQL and a server that
# speaks DynamoDB. Nothing of AWS is reached as long as AWS_ENDPOINT_URL_DYNAMODB
# names a local one.
#
#   BANQUET   the program (default: banquet on the PATH)
#   DSN       the database (default: the guide's)
#   ZIPCODES, CREDIT   Parquet or CSV files to load in the place of made-up rows
#   PYTHON    a Python with requirements.txt: trains the model and asks it, too
set -eu
here=$(cd "$(dirname "$0")" && pwd)
banquet=${BANQUET:-banquet}
dsn=${DSN:-postgres://feast:password@localhost:5432/feast}
: "${AWS_ENDPOINT_URL_DYNAMODB:?name a DynamoDB-compatible server, or unset this check to use AWS}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { echo; echo "$ $*"; }
step() { say "$@"; "$@"; }

"$banquet" init "$work/made" >/dev/null
(cd "$here/../.." && go build -o "$work/load" ./examples/credit_scoring/load)
step "$work/load" -dsn "$dsn" -schema "$here/schema.sql" \
	zipcode_features="${ZIPCODES:-$work/made/feature_repo/data/zipcode_features.parquet}" \
	credit_history="${CREDIT:-$work/made/feature_repo/data/credit_history.parquet}"

step "$work/load" -dsn "$dsn" -schema "$here/loans.sql"

cp -r "$here/feature_repo" "$work/feature_repo"
# The guide's port may be taken on this machine: another one is written in.
[ -z "${PGPORT:-}" ] || sed -i "s/^    port: 5432/    port: $PGPORT/" "$work/feature_repo/feature_store.yaml"
cd "$work/feature_repo"

step "$banquet" version
step "$banquet" validate
step "$banquet" plan
step "$banquet" apply
step "$banquet" apply --verbose
step "$banquet" entities list
step "$banquet" feature-views list
step "$banquet" feature-services list
step "$banquet" data-sources list
step "$banquet" materialize --start-ts 2017-01-01T00:00:00 --end-ts 2023-12-31T23:59:59
CURRENT_TIME=$(date -u +"%Y-%m-%dT%H:%M:%S")
step "$banquet" materialize-incremental "$CURRENT_TIME"
say "$banquet" "registry-dump > registry_backup.json"
"$banquet" registry-dump >registry_backup.json
step "$banquet" get-online-features -e zipcode=76104 -e dob_ssn=19530219_5179 \
	-f zipcode_features:city -f zipcode_features:population -f credit_history:credit_card_due
step "$banquet" serve --help >/dev/null

"$banquet" serve --port 0 --grpc-port 0 --admin-port 0 >serve.json &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
while ! grep -q http serve.json 2>/dev/null; do kill -0 $server && sleep 0.05; done
http=$(sed 's/.*"http":"\([^"]*\)".*/\1/' serve.json)
grpc=$(sed 's/.*"grpc":"\([^"]*\)".*/\1/' serve.json)
body='{"features":["zipcode_features:city","credit_history:credit_card_due"],"entities":{"zipcode":[76104],"dob_ssn":["19530219_5179"]}}'
say "curl http://$http/get-online-features -d '$body'"
curl -sS "http://$http/get-online-features" -H 'Content-Type: application/json' -d "$body"
say "curl http://$http/v1/online-features -d '$body'"
curl -sS "http://$http/v1/online-features" -d "$body"
echo

# Training: from raw data to model.bin, by Feast's SDK and by the command line.
[ -n "${PYTHON:-}" ] || exit 0
cp -r "$here/client" "$work/client"
sed -i "s/6565/${grpc##*:}/; s/6566/${http##*:}/" "$work/client/feature_store.yaml"
step "$PYTHON" "$here/train.py" --repo "$work/client" --save sdk.parquet
step "$banquet" get-historical-features --entity-df "SELECT * FROM loans" --feature-service credit_model -o training.parquet
step "$PYTHON" "$here/compare.py" sdk.parquet training.parquet

# Serving: from a request to a decision.
step "$PYTHON" "$here/predict.py" --url "http://$http" \
	'{"zipcode": 76104, "dob_ssn": "19530219_5179", "person_age": 35, "person_income": 60000, "loan_amnt": 12000, "loan_int_rate": 11.5}'
step "$PYTHON" "$here/predict.py" --url "http://$http" \
	'{"zipcode": 1, "dob_ssn": "nobody", "person_age": 21, "person_income": 15000, "loan_amnt": 35000, "loan_int_rate": 19.5}'
