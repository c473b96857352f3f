# What people and CI run. `make` alone lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# uv is taken from the PATH, or else put into .tools by pip.
UV := $(shell command -v uv || echo .tools/bin/uv)
RUN := $(UV) run --frozen --quiet
# Compiled once when they are installed, so that services and tests start at once.
export UV_COMPILE_BYTECODE := 1

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: $(UV) ## the whole way of a mail and of a Case on real servers; KEEP=1 leaves it running, STACK=compose takes containers
	@$(RUN) mailroom demo $(if $(KEEP),--keep) $(if $(STACK),--stack $(STACK))

up: $(UV) ## start the servers and services on this machine, until Ctrl-C
	@$(RUN) mailroom up

test: $(UV) ## all tests on real servers, in parallel; STACK=containers takes the official images
	@$(if $(STACK),MAILROOM_TEST_STACK=$(STACK)) $(RUN) pytest -n $(WORKERS) --dist worksteal $(TESTS)

unit: $(UV) ## the tests that need no server
	@$(RUN) pytest -n $(WORKERS) --dist worksteal tests/unit tests/architecture

bench: $(UV) ## how fast it is; ONLY=figure,… MAILS=number PROFILE=service,… DOCS=1
	@$(RUN) python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(MAILS),--mails $(MAILS)) \
	  $(if $(PROFILE),--profile $(PROFILE)) $(if $(DOCS),--docs)

plans: $(UV) ## how PostgreSQL answers what is asked all the time, into docs/query-plans.md
	@$(RUN) python -m tests.bench.plans

chaos: $(UV) ## kills and outages while mails arrive; MAILS=number KILLS=of each process SEED=number
	@$(RUN) python -m tests.faults.chaos $(if $(MAILS),--mails $(MAILS)) $(if $(KILLS),--kills $(KILLS)) \
	  $(if $(SEED),--seed $(SEED))

fuzz: $(UV) ## broken bytes at the mail parsers: a hundred times the suite's, then MINUTES=5 by coverage
	@MAILROOM_FUZZ=100 $(RUN) pytest -n $(WORKERS) --timeout=0 tests/unit/ingest/test_parse_fuzz.py
	@for target in parse sanitise; do \
	  $(RUN) --group fuzz python -m tests.fuzz $$target -max_total_time=$$(( $(MINUTES) * 60 )) || exit; done

image: ## build the container image, as IMAGE=name:tag
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) && DOCKER_BUILDKIT=1 docker build -f deploy/images/Dockerfile -t $(IMAGE) \
	  --build-arg SOURCE_DATE_EPOCH=$$SOURCE_DATE_EPOCH --build-arg REVISION=$$(git rev-parse HEAD) \
	  --build-arg VERSION=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) \
	  --build-arg CREATED=$$(date -u -d @$$SOURCE_DATE_EPOCH +%FT%TZ) .

lint: $(UV) ## style, types and the arrows between modules
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) lint-imports

format: $(UV) ## put the code into shape
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

requirements: $(UV) ## write which tests prove which requirement
	@$(RUN) python -m tests.architecture.catalogue

transitions: $(UV) ## write docs/transitions.md and its drawings from the tables
	@$(RUN) python -m tests.architecture.transitions

tables: $(UV) ## write the tables of settings and metrics into docs/operating.md
	@$(RUN) python -m tests.architecture.operating

schemas: $(UV) ## write the contracts' JSON Schemas and AsyncAPI; refuses what breaks readers
	@$(RUN) mailroom contracts write

readers: $(UV) ## write what each consumer reads of which record, as its handlers show
	@MAILROOM_WRITE_READERS=1 $(RUN) pytest -q -n 0 tests/integration/test_consumers.py

# Tests on real servers wait more than they work: half as many again as there are cores.
WORKERS ?= $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 )))
IMAGE ?= mailroom
MINUTES ?= 5
TESTS ?=

.tools/bin/uv:
	@{ python3 -m venv .tools && .tools/bin/pip install --quiet uv; } >/dev/null 2>&1 || \
	  { echo "Mailroom needs uv: install it with 'pip install uv' or as https://docs.astral.sh/uv/ says, then call make again." >&2; exit 1; }

.PHONY: help demo up test image unit fuzz chaos lint format requirements tables schemas readers transitions bench plans
