# `make help` lists the targets.
# An active virtual environment is used; without one, .venv is made.

PYTHON ?= python3
VENV := $(if $(VIRTUAL_ENV),$(VIRTUAL_ENV),.venv)
BIN := $(VENV)/bin
PORT ?= 8000
SAMPLE := {"dataframe_records": [{"alcohol": 13.2, "malic_acid": 1.8, "flavanoids": 2.6, "magnesium": 100, "proline": 1050, "color": "medium", "alkaline_ash": false}]}

# Installed once for each state of the requirements.
RUNTIME := $(VENV)/.installed-runtime
TESTING := $(VENV)/.installed-testing
TRAINED := .demo-model

# One process more than cores, since many tests wait for a server or a browser. Modules stay
# together, so that what they share is made once. pytest-randomly shuffles them, and the tests in each: in the same order at each run, so that a failure in CI is a failure here, or
# in another one (SEED=2).
PARALLEL = -n $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)') --dist worksteal
ORDER := --randomly-seed=$(or $(SEED),1)

# Processes beside each other compute with one thread each.
test quick fuzz mutate soak test-lowest: export OMP_NUM_THREADS = 1

# Tests are compiled once, and not in each process again.
test quick fuzz mutate test-lowest: export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo test quick fuzz mutate soak test-lowest deploy manifest check-manifest bench bench-large assets pictures clean
ifeq ($(wildcard mlflow.db),)
.PHONY: $(TRAINED)
endif

demo: $(TRAINED) ## serve a sample model on http://127.0.0.1:8000 (PORT=… for another port)
	@echo '== serving models:/wine/latest; Ctrl-C ends it'
	@echo
	@echo 'Open  http://127.0.0.1:$(PORT)/'
	@echo 'Try   curl http://127.0.0.1:$(PORT)/invocations -H "Content-Type: application/json" \'
	@echo "        -d '"'$(SAMPLE)'"'"
	@echo
	@exec env -u MLFLOW_TRACKING_URI MODEL_URI=models:/wine/latest PORT=$(PORT) $(BIN)/python main.py

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: $(TESTING) ## lint, types, tests with coverage; the same examples and order (SEED=2 for another)
	@echo '== lint'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports pyproject.toml > /dev/null || $(BIN)/lint-imports pyproject.toml
	@echo '== tests, and types beside them'
	@rm -f .coverage .coverage.*
	@$(BIN)/mypy > $(VENV)/types.txt 2>&1 & types=$$!; \
	$(BIN)/python -m coverage run -m pytest $(PARALLEL) $(ORDER) --durations=10; passed=$$?; \
	wait $$types || passed=1; echo '== types'; cat $(VENV)/types.txt; exit $$passed
	@$(BIN)/python -m coverage combine -q
	@$(BIN)/python -m coverage report

# A process per core: these tests wait for no program.
quick: $(TESTING) ## the tests that start no program, on fewer examples, without coverage
	@$(BIN)/python -m pytest $(PARALLEL) -n logical $(ORDER) -m 'not processes' --hypothesis-profile=quick

fuzz: $(TESTING) ## the tests on generated examples with others at each run, twenty times as many
	@$(BIN)/python -m pytest $(PARALLEL) --hypothesis-profile=fuzz -m hypothesis

mutate: $(TESTING) ## which mistakes in the pure core the tests notice (SEED=2 for other ones)
	@PYTHONWARNINGS=ignore $(BIN)/python -m tests.support.mutate --seed $(or $(SEED),1)

soak: $(TESTING) ## load, faults and bad requests on the real server; writes RELIABILITY.md
	@PYTHONWARNINGS=ignore $(BIN)/python -m tests.support.soak --write RELIABILITY.md

# In an environment of its own. Types and warnings are those of the newest versions; so are MLflow's
# answers to compare with.
test-lowest: ## the tests with the lowest versions that requirements.txt promises
	@$(PYTHON) -m venv .venv-lowest
	@.venv-lowest/bin/python -m pip install -q -c tests/support/lowest.txt -r requirements.txt \
		pytest pytest-randomly pytest-xdist hypothesis httpx coverage scikit-learn pyarrow \
		playwright rsconnect-python openapi-spec-validator
	@.venv-lowest/bin/python -m pytest $(PARALLEL) $(ORDER) -o filterwarnings=default

deploy: $(BIN)/rsconnect ## python main.py deploy (MODEL_URI=…, TITLE="…", EXTRA="myhelpers.py …")
	@$(BIN)/python main.py deploy $(MODEL_URI) $(if $(TITLE),--title "$(TITLE)") $(EXTRA)

manifest: $(BIN)/rsconnect ## write manifest.json for publishing from git (EXTRA="myhelpers.py …")
	@$(BIN)/python main.py manifest $(EXTRA)

check-manifest: $(BIN)/rsconnect ## whether manifest.json is up to date (EXTRA="myhelpers.py …")
	@$(BIN)/python main.py manifest --check $(EXTRA)

bench: $(TESTING) ## compare with MLflow's own server, side by side; writes benchmarks.md
	@$(BIN)/python -m tests.support.bench --write benchmarks.md
	@$(BIN)/python -m tests.support.bench.large --write benchmarks.md

bench-large: $(TESTING) ## the part of it about tables larger than memory
	@$(BIN)/python -m tests.support.bench.large --write benchmarks.md

assets: $(TESTING) ## rebuild Swagger UI and ReDoc from their npm packages (needs npm)
	@PYTHON=$(abspath $(BIN))/python tests/support/assets/rebuild.sh

pictures: $(TESTING) ## draw the README's pictures of the pages anew (needs chromium)
	@$(BIN)/python -m tests.support.make_pictures

clean: ## remove what the other targets made
	rm -rf .venv .venv-lowest $(TRAINED) mlflow.db mlruns mlartifacts .coverage .coverage.* .*_cache .hypothesis .schemathesis tests/support/node_modules

$(TRAINED): example_test.py | $(RUNTIME)
	@echo '== training and registering the sample model'
	@said=$$(env -u MLFLOW_TRACKING_URI PYTHONWARNINGS=ignore $(BIN)/python example_test.py 2>&1) || \
		{ echo "$$said"; exit 1; }
	@touch $@

$(RUNTIME): requirements.txt | $(BIN)/python
	@echo '== installing requirements.txt and the packages of the sample model (a minute or two)'
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt scikit-learn
	@touch $@

$(TESTING): tests/requirements.txt $(RUNTIME)
	@echo '== installing what the tests need'
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r tests/requirements.txt
	@touch $@

$(BIN)/rsconnect: | $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check rsconnect-python

$(BIN)/python:
	@echo '== making a virtual environment in $(VENV)'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed")'
	@$(PYTHON) -m venv $(VENV)
