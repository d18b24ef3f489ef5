# A virtual environment is made on first use; nothing is needed beside Python and make.
PYTHON ?= python3
VENV ?= .venv
EXIT ?=
WRITE ?=
MINUTES ?= 30
PYTEST_ARGS ?=
SECONDS ?= 60

RUN := $(VENV)/bin/python
QUICK := not slow and not browser and not chaos and not soak and not interop
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test chaos soak fuzz browser interop bench lint format types layers clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## Start the demo site and tell its story (EXIT=1: and end)
	@EXIT=$(EXIT) $(RUN) -m project.demo

test: $(READY) ## Run the tests, in random order (PYTEST_ARGS="-k name")
	@# pytest exits with 5 where a selection leaves nothing to one of the two.
	@$(RUN) -m pytest -m "$(QUICK) and not alone" -n 2 $(PYTEST_ARGS) || [ $$? = 5 ]
	@$(RUN) -m pytest -m "$(QUICK) and alone" $(PYTEST_ARGS) || [ $$? = 5 ]

browser: $(READY) ## Run the tests that need Chromium
	@$(RUN) -m pytest -m browser $(PYTEST_ARGS)

interop: $(READY) ## Run the tests against an OAuth server that is not Python
	@.ci/node $(RUN)
	@$(RUN) -m pytest -m interop $(PYTEST_ARGS)

chaos: $(READY) ## Run everything that takes long: outages, kills (WRITE=1: into docs/reliability.md)
	@WRITE=$(WRITE) $(RUN) -m pytest -m "slow or chaos" --timeout=1800 $(PYTEST_ARGS)

soak: $(READY) ## Call for 30 minutes, and see that nothing grows (MINUTES=2; WRITE=1: into docs)
	@WRITE=$(WRITE) MINUTES=$(MINUTES) $(RUN) -m pytest -m soak --timeout=0 $(PYTEST_ARGS)

fuzz: $(READY) ## Try what servers and caches may say (SECONDS=60 for each; FUZZ_ARGS="record")
	@# Not in requirements.txt: it has wheels for Linux on x86-64 alone.
	@$(RUN) -c "import atheris" 2>/dev/null || $(RUN) -m pip install --quiet "atheris>=3.0"
	@$(RUN) -m tests.fuzz --seconds $(SECONDS) $(FUZZ_ARGS)

bench: $(READY) ## Measure; needs nginx (WRITE=1: into RESULTS.md; BENCH_ARGS="--only one --quick")
	@$(RUN) -m benchmarks $(if $(WRITE),--write) $(BENCH_ARGS)

lint: $(READY) ## Check style
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .

format: $(READY) ## Mend style
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

types: $(READY) ## Check types
	@$(RUN) -m mypy

layers: $(READY) ## Check that modules import downward only
	@$(VENV)/bin/lint-imports --no-logo

clean: ## Remove everything that was made here
	@rm -rf .venv* build dist .coverage* htmlcov .hypothesis var
	@rm -rf tests/interop/server/node_modules
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.txt scripts/bootstrap.py
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: Python 3.11 or newer is needed."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, this is $$($(PYTHON) -V 2>&1): make PYTHON=python3.13 ..."; exit 1; }
	@echo "Installing into $(VENV)..."
	@$(PYTHON) scripts/bootstrap.py $(VENV) requirements.txt
	@touch $@
