# Everything a newcomer needs: `make demo` and `make test` set up what they use.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
SEEDS ?= 100000
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Without compiled files each of the many processes of the tests would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
COVERED := src/dataware/core/*,src/dataware/kinds/*,src/dataware/migrate/*,src/dataware/state/*,src/dataware/ops/*

.PHONY: help setup demo test lint peers unit apps soak mutate bench aws docs release-check clean

help:  ## show what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

setup: $(VENV)/.ready  ## install everything into .venv and a cache folder

$(VENV)/.ready: pyproject.toml requirements/dev.txt scripts/ensure_node.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dataware needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv $(VENV) || { echo "Python lacks its venv module; on Debian: apt install python3-venv" >&2; exit 1; }
# The embedded AWS needs none of these packages, so both are made side by side. Compiling all of
# them would take longer than installing them: what is used is compiled when it is first imported.
	@echo "Installing dataware and the tools of its tests into $(VENV): about 30 s, longer on a slow network"
	@PYTHONPATH=src $(BIN)/python -c 'from dataware.embedded import embedded_python; embedded_python()' & embedded=$$!; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint requirements/dev.txt --editable '.[cdk,demo,dev,docs]'; \
	$(BIN)/python scripts/ensure_node.py; \
	wait $$embedded
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo  ## see the whole job on an embedded AWS: about 90 s, set-up included
	@$(BIN)/dataware demo --items 50000 --objects 2500

# The demo needs no tool of the tests, so that whoever only wants to look waits for nothing else.
$(VENV)/.demo: pyproject.toml
	@echo "Installing dataware and an embedded AWS: about 20 s; then the demo: about 1 minute. No AWS account is used"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dataware needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv $(VENV) || { echo "Python lacks its venv module; on Debian: apt install python3-venv" >&2; exit 1; }
	@PYTHONPATH=src $(BIN)/python -c 'from dataware.embedded import embedded_python; embedded_python()' & embedded=$$!; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint requirements/dev.txt --editable '.[demo]'; \
	wait $$embedded
	@touch $@

lint: setup  ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

peers: setup  ## download what the tests compare with
	PYTHONPATH=tests $(BIN)/python -m support.peers & peers=$$!; \
	PYTHONPATH=tests $(BIN)/python -m support.cdk_cli; \
	PYTHONPATH=tests $(BIN)/python -m support.oldest_cdk; \
	PYTHONPATH=tests $(BIN)/python -m support.browser; \
	wait $$peers

unit: peers  ## the tests, and the coverage of the parts
	$(BIN)/coverage erase
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadgroup --cov --cov-report=
	$(BIN)/coverage report --include='$(COVERED)' --fail-under=90

apps: peers  ## whole apps, every deployment typed, beside all of their data: 20 minutes
	SPACEPORT=typed $(BIN)/pytest tests/examples/test_get_or_create.py tests/e2e/test_deploy_environments.py

soak: setup  ## simulate followed migrations: make soak SEEDS=100000 [OF=buckets|applies]; one seed again: make soak SEED=7
	PYTHONPATH=tests $(BIN)/python -m support.simulator --of $(or $(OF),tables) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --processes $(WORKERS))

mutate: setup  ## change the rules of a follow one by one, and name what no test notices: minutes to hours
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements/dev.txt --editable '.[dev,mutate]'
	PYTHONPATH=tests $(BIN)/python -m support.mutation --processes $(WORKERS) $(MUTATE)

test: setup  ## every gate, as in CI
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint peers
	@$(MAKE) --no-print-directory unit

bench: setup  ## measure, against real peers in the same run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements/dev.txt --editable '.[cdk,demo,dev,bench]'
	$(BIN)/python -m tests.bench.peers
	PYTHONPATH=tests $(BIN)/python -m support.peers
	$(BIN)/python -m tests.bench $(BENCH)

aws: setup  ## the main scenarios in an account of yours: make aws PROFILE=name
	$(BIN)/python -m tests.account --profile '$(PROFILE)' $(AWS)

docs: setup  ## print the generated pages again, and build the site in build/docs
	$(BIN)/python scripts/generate_docs.py
	$(BIN)/python scripts/draw_docs.py
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet --conf-dir docs --doctree-dir build/doctrees . build/docs
	@echo "The site is in build/docs: open build/docs/index.html"

release-check: setup  ## all that a release does, but the upload: docs/releasing.md
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements/dev.txt --editable '.[release]'
	rm -rf dist build/release
	$(BIN)/uv build --quiet --out-dir dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/uv venv --quiet build/release/environment
	$(BIN)/uv pip install --quiet --python build/release/environment dist/*.whl
	$(BIN)/cyclonedx-py environment --output-reproducible --output-file build/release/sbom.cdx.json build/release/environment
	$(BIN)/python scripts/check_release.py
	$(BIN)/pytest --quiet tests/e2e/test_wheel.py tests/test_release.py
	@echo "Ready: dist/ holds what would be uploaded"

clean:  ## remove what make made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
