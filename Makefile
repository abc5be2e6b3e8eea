# What a contributor runs; `.ci/run` calls `make ci`. Each line is an ordinary command that can be copied.
UV := sh .ci/uv
PYTEST := $(UV) run pytest -n auto --dist worksteal

.PHONY: help setup test ci sweep lint demo bench

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: ## fetch uv where it is missing, and every dependency
	$(UV) sync

test: ## every change: tests that need Python and uv alone, with lint, format and types
	$(PYTEST)

ci: ## what CI runs: all of it, with Debian's programs installed, and no test skipped
	bash .ci/run

sweep: ## by hand and nightly: mutations, all languages, big differentials, chaos; the result goes into tests/README.md
	$(UV) run python -m tests.sweep

lint: ## format, lint and types, mended where a tool can mend
	$(UV) run ruff format
	$(UV) run ruff check --fix
	$(UV) run mypy

demo: ## the service over a recording of invented, moving numbers
	$(UV) run ticker demo

bench: ## what a request, a start and a stream cost, beside named peers
	$(UV) run --group bench python -m tests.bench.serve
	$(UV) run --group bench python -m tests.bench.sse
