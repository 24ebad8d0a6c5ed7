.PHONY: generate

# Everything under gen/ comes from proto/. Plugins and buf are built from
# tools.mod and buf.mod; the first build of buf takes minutes.
BUF = go tool -modfile=buf.mod buf

generate: ## Check the .proto files and regenerate gen/.
	$(BUF) format --diff --exit-code
	$(BUF) lint
	$(BUF) generate
