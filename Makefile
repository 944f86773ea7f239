# Loket. `make help` lists what there is. Needs Python 3.11 or newer and make, nothing else.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run serve test test-core coverage shape thorough check fix lint format-check types imports spell audit-deps \
	bench pictures lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.venv/.runtime: requirements-build.lock requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Loket needs Python 3.11 or newer."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing Loket into .venv; the first time takes a minute or two."
	@$(PIP) --require-hashes -r requirements-build.lock
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --no-deps -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	@$(PIP) --require-hashes -r requirements-dev.lock
	@! command -v npm >/dev/null || npm ci --prefix tests/fhir_validator --no-audit --no-fund --ignore-scripts >/dev/null 2>&1 \
		|| echo "The second FHIR validator could not be installed; its tests are skipped."
	@! command -v npm >/dev/null || npm ci --prefix tests/medplum_validator --no-audit --no-fund --ignore-scripts >/dev/null 2>&1 \
		|| echo "The third FHIR validator could not be installed; its tests are skipped."
	@touch $@

.venv/.bench: requirements-bench.lock .venv/.dev
	@$(PIP) --require-hashes -r requirements-bench.lock
	@touch $@

setup: .venv/.runtime ## Make .venv with the command loket in it

setup-dev: .venv/.dev ## The same with the tools for development

run: setup ## A demo clinic: opens the counter here and says how to ssh in
	@$(BIN)/loket demo

serve: setup ## The clinic's server with your settings (.env)
	@$(BIN)/loket serve

test: setup-dev ## All tests
	@$(BIN)/pytest

test-core: setup-dev ## The tests of the domain alone, on SQLite
	@$(BIN)/pytest tests/core -k "not postgres"

coverage: setup-dev ## Which lines of the core no test runs
	@$(BIN)/pytest -q --cov=core --cov-report=term-missing:skip-covered tests/core tests/server

shape: setup-dev ## Sizes, complexity, names, docstrings, and what a change touches
	@$(BIN)/python -m bench.shape

thorough: setup-dev ## The tests of rules and encoders with thousands of new examples
	@HYPOTHESIS_PROFILE=thorough $(BIN)/pytest --timeout 1800 $$(grep -rl hypothesis tests --include='test_*.py')

check: format-check lint types imports spell ## What CI checks besides the tests

format-check: setup-dev
	@$(BIN)/ruff format --check core server tui tests bench docs

lint: setup-dev
	@$(BIN)/ruff check core server tui tests bench docs

types: setup-dev
	@$(BIN)/mypy

imports: setup-dev
	@$(BIN)/lint-imports

spell: setup-dev
	@$(BIN)/codespell core server tui tests bench docs *.md

audit-deps: setup-dev ## Known vulnerabilities among the pinned dependencies
	@$(BIN)/python .ci/audit_deps.py

fix: setup-dev ## Format and repair what can be repaired
	@$(BIN)/ruff format core server tui tests bench docs
	@$(BIN)/ruff check --fix core server tui tests bench docs

bench: .venv/.bench ## Install what the benches compare with; then run bench/NAME.py
	@ls bench/*.py

pictures: setup-dev ## Draw the screens of docs/screens anew from the running app
	@$(BIN)/python -m bench.pictures

lock: ## Resolve the locks anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--extra postgres pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--group build -c requirements.lock -o requirements-build.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--extra postgres --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--extra postgres --group dev --group bench -c requirements-dev.lock pyproject.toml -o requirements-bench.lock

clean: ## Remove the environment and caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
