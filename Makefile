# Needs Python 3.11 or later, make and git. Everything else is installed into .venv from requirements/*.txt, by hash.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)
BIN := .venv/bin
TEST_WORKERS ?= 3
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKED := --require-hashes --only-binary :all:
CODE := src tests scripts $(wildcard benchmarks)

.DEFAULT_GOAL := help
.PHONY: help install demo test promises check bench bench-routing docs fuzz dist lock

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.installed ## Make .venv with the bascule command in it

demo: install ## Run the gateway on simulated providers (DEMO_ARGS=--once to end after the report)
	@$(BIN)/bascule demo $(DEMO_ARGS)

test: .venv/.developed ## Run the tests (TEST_ARGS='-k budget' to choose)
	@$(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist loadfile $(TEST_ARGS)

promises: .venv/.developed ## Prove what is promised under faults, and print the table (PROMISES_ARGS)
	@$(BIN)/python -m tests.promises $(PROMISES_ARGS)

check: .venv/.developed ## Lint, formatting, types, layers, what is tracked, generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_tracked.py
	$(BIN)/python scripts/docs.py --check
	@git ls-files '*.py' | xargs wc -l | awk '$$2 != "total" && $$1 > 400 {print "warning: " $$2 " has " $$1 " lines; is there a second idea in it?"}'

bench: .venv/.developed ## Measure the gateway against a plain reverse proxy (BENCH_ARGS)
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

bench-routing: .venv/.developed ## Measure routing: how far it can be trusted, and what it is worth (ROUTING_ARGS)
	@$(BIN)/python -m benchmarks.routing $(ROUTING_ARGS)

docs: .venv/.developed ## Rewrite the generated pages under docs/
	$(BIN)/python scripts/docs.py

fuzz: .venv/.developed ## A million wrong inputs through every codec, and the property tests with many more examples
	$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -m hypothesis $(TEST_ARGS)

dist: .venv/.releaser ## Build a release into dist/, check it, list what it depends on
	@rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m hatchling build -d dist
	$(BIN)/cyclonedx-py requirements requirements/all.txt --pyproject pyproject.toml --output-reproducible -o dist/bascule.cdx.json
	$(BIN)/python scripts/check_dist.py dist

lock: .venv/.locker ## Rewrite requirements/*.txt from pyproject.toml (LOCK_ARGS=--upgrade to move pins)
	sh scripts/lock.sh $(BIN)/uv $(LOCK_ARGS)

.venv/.created:
	@test -n "$(PYTHON)" || { echo "bascule: no Python 3.11 or later found; install one, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.installed: .venv/.created pyproject.toml requirements/build.txt requirements/all.txt
	$(PIP) install $(LOCKED) -r requirements/build.txt -r requirements/all.txt
	$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.developed: .venv/.installed requirements/dev.txt
	$(PIP) install $(LOCKED) -r requirements/dev.txt
	@touch $@

.venv/.locker: .venv/.created requirements/lock.txt
	$(PIP) install $(LOCKED) -r requirements/lock.txt
	@touch $@

.venv/.releaser: .venv/.created requirements/release.txt
	$(PIP) install $(LOCKED) -r requirements/release.txt
	@touch $@
