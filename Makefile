# WebMeteor: what people type. Each target is one script in scripts/, which also runs on its own.
.DEFAULT_GOAL := help
.PHONY: help setup run dev build check test e2e bench fuzz clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing: packages, Docker, images, build tools
	@scripts/setup

run: ## Install what is missing, build, and start everything with a demo site
	@scripts/run

dev: ## As run, unoptimised, rebuilt and reloaded at each change
	@scripts/dev

build: ## Build the product: target/release/webmeteor and target/site
	@scripts/build

check: ## Format and lints, server and browser side
	@scripts/check

test: ## Everything that CI runs
	@scripts/test

e2e: ## Only the journeys in a real browser
	@scripts/e2e

bench: ## Measure it beside its alternatives
	@scripts/bench

fuzz: ## Feed arbitrary bytes to what strangers can send
	@scripts/fuzz

clean: ## Remove what was built and fetched; ./data stays
	@scripts/clean
