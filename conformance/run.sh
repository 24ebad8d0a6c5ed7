#!/bin/sh
# Installs the comparison's programs under .cache and runs it with the release FEAST of
# Feast; what Feast 0.66 and 0.67 read and write of each other is compared with both.
# Programs that are already installed can be named by FEAST066_PYTHON, FEAST067_PYTHON,
# EXAMPLE_PYTHON, MOTO_SERVER and DYNALITE; FEAST_PYTHON is that of the release FEAST.
set -eu
cd "$(dirname "$0")/.."
FEAST=${FEAST:-0.67.0}
cache=$PWD/.cache/conformance
mkdir -p "$cache"

need() {
	command -v "$1" >/dev/null 2>&1 && return
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $2 >/dev/null && return
	fi
	echo "$1 is missing. Install it with: sudo apt-get install -y $2" >&2
	exit 1
}

# venv NAME REQUIREMENTS: a Python environment, made again when its list changes.
venv() {
	if ! cmp -s "$2" "$cache/$1/installed"; then
		need python3 "python3 python3-venv"
		rm -rf "${cache:?}/$1"
		python3 -m venv "$cache/$1" 2>/dev/null || { need python3-venv python3-venv && python3 -m venv "$cache/$1"; }
		"$cache/$1/bin/pip" install -q --disable-pip-version-check -r "$2"
		cp "$2" "$cache/$1/installed"
	fi
}

# feast RELEASE: a Python environment with a release of Feast.
feast() {
	sed "s/@FEAST@/$1/" conformance/requirements-feast.txt >"$cache/requirements-$1.txt"
	venv "feast-$1" "$cache/requirements-$1.txt"
}

if [ -z "${FEAST066_PYTHON:-}" ]; then
	feast 0.66.0
	FEAST066_PYTHON=$cache/feast-0.66.0/bin/python
fi
if [ -z "${FEAST067_PYTHON:-}" ]; then
	feast 0.67.0
	FEAST067_PYTHON=$cache/feast-0.67.0/bin/python
fi
if [ -z "${FEAST_PYTHON:-}" ]; then
	case $FEAST in
	0.66.0) FEAST_PYTHON=$FEAST066_PYTHON ;;
	0.67.0) FEAST_PYTHON=$FEAST067_PYTHON ;;
	*)
		feast "$FEAST"
		FEAST_PYTHON=$cache/feast-$FEAST/bin/python
		;;
	esac
fi
if [ -z "${EXAMPLE_PYTHON:-}" ]; then
	venv example examples/credit_scoring/requirements.txt
	EXAMPLE_PYTHON=$cache/example/bin/python
fi
if [ -z "${MOTO_SERVER:-}" ]; then
	venv moto conformance/requirements-moto.txt
	MOTO_SERVER=$cache/moto/bin/moto_server
fi
if [ -z "${DYNALITE:-}" ]; then
	if [ ! -x "$cache/node_modules/.bin/dynalite" ]; then
		need npm "nodejs npm"
		npm install --silent --no-audit --no-fund --prefix "$cache" dynalite@4.0.0
	fi
	DYNALITE=$cache/node_modules/.bin/dynalite
fi
need curl curl
export FEAST_PYTHON FEAST066_PYTHON FEAST067_PYTHON MOTO_SERVER DYNALITE
"$FEAST_PYTHON" -c 'from importlib.metadata import version; print("Feast", version("feast"))'
make --no-print-directory build
"$FEAST_PYTHON" conformance/descriptors.py --check testdata/golden/feast_descriptors.json.gz
[ $# -gt 0 ] || "$FEAST_PYTHON" conformance/conversions.py --check
[ $# -gt 0 ] || "$FEAST_PYTHON" conformance/definitions.py --fresh # bothreaders.py reuses its results
[ $# -gt 0 ] || "$FEAST_PYTHON" conformance/bothreaders.py --banquet "$PWD/bin/banquet"
[ $# -gt 0 ] || "$FEAST_PYTHON" conformance/registries.py --banquet "$PWD/bin/banquet"
"$FEAST_PYTHON" conformance/conformance.py --banquet "$PWD/bin/banquet" "$@"
[ $# -eq 0 ] || exit 0
"$FEAST_PYTHON" conformance/transform.py
for python in "$FEAST066_PYTHON" "$FEAST067_PYTHON"; do
	"$python" conformance/expressions.py --banquet "$PWD/bin/banquet"
	"$python" conformance/fallback.py --banquet "$PWD/bin/banquet"
done
"$FEAST_PYTHON" -W ignore conformance/oddities.py --banquet "$PWD/bin/banquet"
"$FEAST_PYTHON" conformance/flight.py --banquet "$PWD/bin/banquet"
"$FEAST_PYTHON" conformance/push.py --banquet "$PWD/bin/banquet"
"$FEAST_PYTHON" conformance/inference.py --banquet "$PWD/bin/banquet"
"$FEAST_PYTHON" conformance/example.py --banquet "$PWD/bin/banquet" --python "$EXAMPLE_PYTHON"
"$FEAST_PYTHON" conformance/training.py --banquet "$PWD/bin/banquet"
exec "$FEAST_PYTHON" conformance/differential.py --banquet "$PWD/bin/banquet"
