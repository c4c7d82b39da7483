# Every target works in a fresh clone with Node >= 20.19 and npm; `node_modules` is made on first need.
.PHONY: verify check-format check-build check-lint check-types run-tests test build generate demo bench sim chaos chaos-check chaos-failover hostile mutants test-compose test-watch rolling-restart coverage clean format
BIN := node_modules/.bin

node_modules/.package-lock.json: package-lock.json .npmrc
	npm ci
	@touch $@

build: node_modules/.package-lock.json
	$(BIN)/tsc -b
	@chmod +x packages/cli/dist/main.js

generate: node_modules/.package-lock.json
	node packages/tooling/sync-layers.js
	node packages/rpc/generate.js
	$(BIN)/tsc -b packages/core
	node packages/core/generate-config-docs.js

# Two checks at a time: each of them is one thread, and the typed lint alone takes half of the whole.
verify: node_modules/.package-lock.json
	@$(MAKE) --no-print-directory -j2 check-format check-build check-lint check-types

check-format:
	$(BIN)/prettier --check --log-level warn .

check-build:
	node packages/tooling/sync-layers.js --check
	$(BIN)/buf lint proto
	node packages/rpc/generate.js --check
	$(BIN)/tsc -b
	node packages/core/generate-config-docs.js --check

check-lint: check-build
	$(BIN)/eslint -c packages/tooling/eslint.config.js --max-warnings 0 .

check-types: check-build
	$(BIN)/tsc -p packages/tooling/tsconfig.test.json

# The checks that take long go beside the first tests, which are one thread, too.
test: node_modules/.package-lock.json
	@$(MAKE) --no-print-directory -j2 check-format check-build check-lint run-tests check-types

run-tests: check-build
	$(BIN)/mocha

# A real file through a real server that is killed half-way; the last line says PASSED or what differs.
demo: build
	node deploy/demo/demo.js

# Figures of this machine, never a verdict. KAFKA_PEER=script KAFKA_DIR=folder measures a Kafka broker in the same run.
bench: build
	node packages/bench/dist/main.js $(if $(KAFKA_PEER),--kafka-peer $(KAFKA_PEER) --kafka-dir $(KAFKA_DIR)) $(ARGS)

# A cluster in one process, SEEDS of them from FROM on, under every fault there is; EVENTS: at least so many a seed; JOBS: so many
# processes, else one for each core.
sim: build
	node packages/simulation/dist/cluster/main.js --seeds $(or $(SEEDS),100) --from $(or $(FROM),1) $(if $(EVENTS),--events $(EVENTS)) $(if $(JOBS),--jobs $(JOBS)) $(ARGS)

# Three processes under faults from SEED for MINUTES, with clients; says what was lost, doubled or out of order. ACKS=1: losses are
# counted. PROFILE: default or fast. FAULTS: names, by commas. RATE: records a second. A mount namespace of its own lets it fill a disk.
OWN_MOUNTS = $(shell unshare -rm true 2>/dev/null && echo unshare -rm)
chaos: build
	$(OWN_MOUNTS) node --import=tsx --conditions=@tidemark/source test/chaos/main.ts --minutes $(or $(MINUTES),3) --seed $(or $(SEED),1) $(if $(ACKS),--acks $(ACKS)) $(if $(PROFILE),--profile $(PROFILE)) $(if $(RATE),--rate $(RATE)) $(if $(FAULTS),--faults $(FAULTS)) $(if $(OWN_MOUNTS),--private-mounts) $(ARGS)

# Judges a history that a failed run has left once more.
chaos-check: build
	node --import=tsx --conditions=@tidemark/source test/chaos/check-main.ts $(HISTORY) $(if $(ACKS),--acks $(ACKS))

# From kill -9 of a partition's leader to the next acknowledged write, TRIALS times. PROFILE: default or fast. FREEZE=1: SIGSTOP.
chaos-failover: build
	node --import=tsx --conditions=@tidemark/source test/chaos/failover-main.ts --trials $(or $(TRIALS),50) --profile $(or $(PROFILE),default) $(if $(SEED),--seed $(SEED)) $(if $(FREEZE),--freeze) $(ARGS)

# Every attack for SECONDS, or those in ARGS, while a healthy client is served: how long its requests took, what memory the broker had.
hostile: build
	node --import=tsx --conditions=@tidemark/source test/hostile/main.ts $(or $(SECONDS),20) $(ARGS)

# Plants mistakes into production code and looks whether the simulation notices each of them.
mutants: build
	node packages/simulation/dist/mutants/main.js $(ARGS)

# The compose files for real: brought up, written to from outside and inside, broken, taken down. "skipped" where no Docker engine runs.
test-compose: build
	node deploy/test-compose/main.js

# A real Prometheus on three real servers: every panel has data, alerts fire and end. "skipped" where there is no Prometheus.
test-watch: build
	node deploy/test-watch/main.js

# Three servers restarted one after the other under load: RATE records a second, ROUNDS times. Errors seen by clients, longest pause.
rolling-restart: build
	node deploy/rolling-restart/main.js

coverage: build
	$(BIN)/c8 --exclude '**/generated/**' --exclude '**/test/**' --reporter text-summary --reporter html $(BIN)/mocha

format: node_modules/.package-lock.json
	$(BIN)/prettier --write --log-level warn .

clean:
	rm -rf packages/*/dist coverage node_modules
