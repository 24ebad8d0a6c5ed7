.DEFAULT_GOAL := help
.PHONY: help build test race lint generate conformance fuzz bench

# One set of build flags everywhere: -trimpath or -race would compile all
# dependencies a second time, and so does cgo, which nothing here needs.
export CGO_ENABLED = 0
BUF = go tool -modfile=buf.mod buf
LINT = go tool -modfile=lint.mod golangci-lint

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/banquet.
	go build -o bin/banquet ./cmd/banquet

# Tests that read rows from DynamoDB in memory that is used again, but not those that
# move hundreds of MB or never read a row.
POISONED_SKIP = CallsOfManyBytes|ItemsAroundTheLimit|TLS|Credentials|Flight|Materialize|Governor|Uploads|AsynchronousRun|AWriteThatIsCanceled|LostResponses|OlderThanWhatFeastWrote|RefusedFailAlone|EveryItemIsRefused|FaultsOfWrites|WritesWhenTheServerStops|StreamsOfLines|DecodingIsLinear|ProbeMeasures|Readiness|EveryDescribedRoute|GoldenRegistry

# Many tests wait for a time limit or for a database: more of them at once than
# there are cores.
TEST = go test -p 4 -parallel 4

test: ## Run the tests; installs PostgreSQL and PgBouncer if they are missing and it has the rights.
	@scripts/postgresql.sh
	$(TEST) ./...
	$(TEST) -tags poison -skip "$(POISONED_SKIP)" ./stores/dynamo ./server

# Tests that move hundreds of MB take minutes under the race detector, and are not
# more concurrent than the others.
RACE_SKIP = TestCallsOfManyBytes

race: ## Run the concurrent packages with the race detector; needs a C compiler and compiles all dependencies again.
	@scripts/compiler.sh
	@scripts/postgresql.sh
	CGO_ENABLED=1 go test -race -skip "$(RACE_SKIP)" $(or $(RACE),./server/... ./serving/... ./stores/... ./ingest/... ./training/... ./internal/spool)

lint: ## Check the code: style, import directions, budgets.
	$(LINT) run ./...

generate: ## Check the .proto files and generate gen/ from them; the first build of buf takes minutes.
	$(BUF) format --diff --exit-code
	$(BUF) lint
	$(BUF) breaking --against testdata/released.binpb.gz
	$(BUF) generate

# The release of Feast to compare with: the newest one that is supported, or 0.66.0.
FEAST ?= 0.67.0

conformance: ## Compare with the real Feast (FEAST=0.67.0) over PostgreSQL, moto and dynalite; installs them under .cache.
	@scripts/postgresql.sh
	FEAST=$(FEAST) conformance/run.sh

fuzz: ## Run every fuzz target for FUZZTIME (default 10s) each.
	scripts/fuzz.sh $(or $(FUZZTIME),10s)

bench: ## Measure banquet, the floor, the SDK and, if it is installed, Feast: see bench/README.md.
	go run ./bench $(BENCH)
