# Every target works in a fresh clone with Node >= 20.19 and npm; `node_modules` is made on first need.
.PHONY: verify test build generate demo bench sim clean format
BIN := node_modules/.bin

node_modules/.package-lock.json: package-lock.json .npmrc
	npm ci
	@touch $@

build: node_modules/.package-lock.json
	$(BIN)/tsc -b

generate: node_modules/.package-lock.json
	node packages/tooling/sync-layers.js
	node packages/rpc/generate.js

verify: node_modules/.package-lock.json
	$(BIN)/prettier --check --log-level warn .
	node packages/tooling/sync-layers.js --check
	$(BIN)/buf lint proto
	node packages/rpc/generate.js --check
	$(BIN)/tsc -b
	$(BIN)/tsc -p packages/tooling/tsconfig.test.json
	$(BIN)/eslint -c packages/tooling/eslint.config.js --max-warnings 0 .

test: verify
	$(BIN)/mocha

format: node_modules/.package-lock.json
	$(BIN)/prettier --write --log-level warn .

clean:
	rm -rf packages/*/dist coverage node_modules
