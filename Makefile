# `make` alone says what there is. PYTHON=/path/to/python3 chooses the interpreter for .venv.

PYTHON ?= $(shell test -x /usr/bin/python3 && echo /usr/bin/python3 || command -v python3)
VENV := .venv
VERSIONS := 3.9 3.10 3.11 3.12 3.13
WORKERS ?= 2
# What depends on the Python. Whole machines, faults at every boundary and browsers are tried with one of them.
EVERYWHERE := "not instance and not faults and not browser"
PIP := -m pip --disable-pip-version-check --no-input install --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint bench lock clean machine machine-for-tests

help: ## what can be made here
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: machine $(VENV)/.can-run ## a deployment, a reload under load, two refusals: on real nginx and php-fpm, in a private folder
	@$(VENV)/bin/python demo/demo.py

test: machine-for-tests lint ## lint, types, architecture, all tests
	@$(VENV)/bin/python -m pytest -n $(WORKERS)

test-all: test ## the tests with every supported Python of this machine, and on Debian 11, 12 and 13
	@DEPLOYKIT_SUITES=bullseye,trixie $(VENV)/bin/python -m pytest -n $(WORKERS) -m instance
	@for version in $(VERSIONS); do \
	    if .ci/python $$version >/dev/null; then $(MAKE) --no-print-directory test-$$version || exit 1; \
	    else echo "no Python $$version on this machine: not tested with it"; fi; \
	done

test-3.%: .venv-3.%/.can-test
	@.venv-3.$*/bin/python -m pytest -n $(WORKERS) -m $(EVERYWHERE)

lint: $(VENV)/.can-test ## ruff, mypy, import-linter
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

bench: machine $(VENV)/.can-test ## how long it takes, side by side with others
	@$(VENV)/bin/python benchmarks/run.py

lock: $(VENV)/.can-test ## the newest libraries for bundles, locked by their hashes
	@$(VENV)/bin/python -m deploykit.bundle.relock

clean: ## remove what was made here
	rm -rf .venv .venv-3.* build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

machine:
	@.ci/machine $(PYTHON)

machine-for-tests:
	@.ci/machine $(PYTHON) shellcheck unzip systemd-nspawn=systemd-container debootstrap ip=iproute2 wget git

$(VENV)/bin/python: | machine
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.can-run: $(VENV)/bin/python setup.cfg
	@echo "libraries for .venv: run time"
	@$(VENV)/bin/python .ci/libraries >$(VENV)/requirements.txt
	@$(VENV)/bin/python $(PIP) -r $(VENV)/requirements.txt
	@touch $@

$(VENV)/.can-test: $(VENV)/bin/python setup.cfg
	@echo "libraries for .venv: run time, tests, development"
	@$(VENV)/bin/python .ci/libraries test dev >$(VENV)/requirements.txt
	@$(VENV)/bin/python $(PIP) -r $(VENV)/requirements.txt
	@touch $@ $(VENV)/.can-run

.venv-3.%/.can-test: setup.cfg
	@python=$$(.ci/python 3.$*) || { echo "this machine has no Python 3.$*" >&2; exit 69; }; \
	    "$$python" -m venv .venv-3.$*
	@echo "libraries for .venv-3.$*: run time, tests"
	@.venv-3.$*/bin/python .ci/libraries test >.venv-3.$*/requirements.txt
	@.venv-3.$*/bin/python $(PIP) -r .venv-3.$*/requirements.txt
	@touch $@

.PRECIOUS: .venv-3.%/.can-test
