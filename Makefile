# `make run` and `make test` set everything up themselves: only make and a Python >= 3.11 are needed.
# PYTHON=python3.12 picks another interpreter (each version has its own .venv); ARGS= goes to the program or to pytest.

PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(shell command -v $(p) >/dev/null 2>&1 && \
	$(p) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $(p))))
CHOSEN := $(PYTHON)
ifeq ($(origin PYTHON),file)
VENV ?= .venv
else
VENV ?= .venv-$(notdir $(PYTHON))
endif
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CORPUS ?= tests/corpus
ARGS ?=

.PHONY: run test test-all lint format types contract stories stories-real bench bench-clocks year measure fuzz leaks leaks-real anonymity faults html-check docker-proof pins wheel clean
.DEFAULT_GOAL := run

# The environment: pinned, hashed requirements and this checkout, editable. Made again when one of them changes.
$(READY): requirements/dev.txt pyproject.toml
	@if [ -z "$(CHOSEN)" ]; then \
		echo "triaged needs Python 3.11 or newer with venv. None was found as python3.13, python3.12, python3.11 or python3:" \
			"install one (Debian: apt install python3 python3-venv) or name it, as in make run PYTHON=/opt/python/bin/python3" >&2; \
		exit 1; fi
	@"$(CHOSEN)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "triaged needs Python 3.11 or newer, and $(CHOSEN) is $$("$(CHOSEN)" --version 2>&1)." \
			"Name a newer one: make run PYTHON=python3.13" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$("$(CHOSEN)" --version); this is done once."
	@"$(CHOSEN)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

run: $(READY)
	@$(BIN)/python -m triaged.demo $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest $(ARGS)

# The suite on each Python that is there, each in its own environment.
test-all:
	@ran=; for version in 3.11 3.12 3.13; do \
		if command -v python$$version >/dev/null 2>&1 && python$$version -c 'import venv, ensurepip' 2>/dev/null; then \
			echo "== Python $$version"; $(MAKE) --no-print-directory test PYTHON=python$$version || exit 1; ran="$$ran $$version"; \
		else echo "== Python $$version: not there, left out"; fi; \
	done; echo "Tested on:$$ran"; test -n "$$ran"

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(READY)
	@$(BIN)/mypy --strict triaged

contract: $(READY)
	@$(BIN)/lint-imports

# Every letter of a report under each shipped policy, written again after a change that is meant: tests/ticket/stories.
stories: $(READY)
	@$(BIN)/python -m tests.ticket.telling_stories

# The same stories played by the program with Dovecot and Postfix, on SQLite and PostgreSQL: make stories-real ARGS="-k ims"
stories-real: $(READY)
	@$(BIN)/python -m pytest tests/e2e/every_story_for_real.py $(ARGS)

# Reports taken in per second, as a ratio to a bare loop in the same run.
bench: $(READY)
	@$(BIN)/python -m tests.bench $(ARGS)

# One due clock among 100,000 tickets beside one among 1,000: make bench-clocks ARGS=--postgres
bench-clocks: $(READY)
	@$(BIN)/python -m tests.bench.clocks $(ARGS)

# A year of 500 reports, killed at any moment, beside one undisturbed: make year ARGS="--kills 100 --postgres"
year: $(READY)
	@$(BIN)/python -m tests.tracker.killed_year $(ARGS)

# What `triaged message read` finds in a corpus, against its labels: make measure CORPUS=DIR
measure: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/measure.txt
	@$(BIN)/python -m tests.measure "$(CORPUS)" $(ARGS)

# Mutated mail through the readers: make fuzz CORPUS=DIR ARGS="--seconds 600 --seed 1"
fuzz: $(READY)
	@$(BIN)/python -m tests.fuzz.mutate $(if $(wildcard $(CORPUS)),"$(CORPUS)") $(ARGS)

# Conversations full of marked secrets through the pure core: make leaks ARGS="--cases 20000 --seed 1 --jobs 2"
leaks: $(READY)
	@$(BIN)/python -m tests.fuzz.leaks $(ARGS)

# Tickets of marked people who agree, refuse and change their minds: make anonymity ARGS="--tickets 5000 --seed 1 --jobs 2"
anonymity: $(READY)
	@$(BIN)/python -m tests.fuzz.anonymity $(ARGS)

# Three hundred of them through Dovecot and Postfix, twenty in an installation: make leaks-real ARGS="-k 0"
leaks-real: $(READY)
	@$(BIN)/python -m pytest -s tests/e2e/leaks_for_real.py $(ARGS)

# The tests that cut connections, kill processes and fill disks, by themselves and without the time limit of one test.
faults: $(READY)
	@$(BIN)/python -m pytest tests/e2e/test_restarts.py tests/e2e/test_trouble.py --timeout=600 $(ARGS)

# The Nu Html Checker over a published site, with Java; it says where the jar comes from: make html-check VNU=vnu.jar
html-check: $(READY)
	@$(BIN)/python -m tests.publication.html_checker $(VNU)

# The steps of the Dockerfile in a plain Debian tree; wants root, debootstrap and a package mirror, no Docker.
docker-proof:
	@tests/packaging/debootstrap.sh

pins:
	@requirements/pin $(ARGS)

wheel: $(READY)
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps --wheel-dir dist .
	@ls dist/*.whl

clean:
	@rm -rf .venv .venv-* var dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
