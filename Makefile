# make demo   run everything, review this repository, show it, stop everything
# make run    run everything until Ctrl-C; PORT=8080
# make test   lint and all tests
# make lint   flake8, isort, mypy, import-linter
# make unit   the tests that start no stack
# make bench  what a block costs beside bare Celery, about half an hour; ARGS=--quick, ARGS='--rounds 3 --json bench.json'
# make chaos  random faults on real processes; SEED=..., MINUTES=3, BROKER=valkey or rabbitmq
# make chaos-broker-down   how long requests take while the broker is away; BROKER=...
# make bench-api   what the API takes with few and with many documents; SIZES=1000,10000,100000

PYTHON ?= python3.11
PORT ?= 8080
ARGS ?=
SEED ?=
MINUTES ?= 3
BROKER ?= valkey
SIZES ?= 1000,10000,100000
VENV := .venv
LOG := .local/log/install.log
DESCRIBED_BY := setup.cfg pyproject.toml

.PHONY: demo run test lint unit bench chaos chaos-broker-down bench-api clean

demo: $(VENV)/embedded
	@$(VENV)/bin/workflow-service demo $(ARGS)

run: $(VENV)/embedded
	@$(VENV)/bin/workflow-service dev --port $(PORT)

# what starts the stack or breaks it runs by itself, for its time-outs; all else runs side by side
test: lint
	@$(VENV)/bin/python -m pytest -m "not acceptance" --numprocesses 2 --dist loadfile $(ARGS)
	@$(VENV)/bin/python -m pytest -m acceptance $(ARGS)

unit: $(VENV)/tested
	@$(VENV)/bin/python -m pytest -m "not acceptance" $(ARGS)

bench: $(VENV)/tested
	@$(VENV)/bin/python -m benchmarks.engine $(ARGS)

chaos: $(VENV)/tested
	@$(VENV)/bin/python -m tests.chaos.run --minutes $(MINUTES) --broker $(BROKER) $(if $(SEED),--seed $(SEED)) $(ARGS)

chaos-broker-down: $(VENV)/tested
	@$(VENV)/bin/python -m tests.chaos.broker_down --broker $(BROKER) $(ARGS)

bench-api: $(VENV)/tested
	@$(VENV)/bin/python -m benchmarks.api --sizes $(SIZES) $(ARGS)

lint: $(VENV)/tested
	@$(VENV)/bin/flake8
	@$(VENV)/bin/isort --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

clean:
	@rm -rf $(VENV) .local build *.egg-info .mypy_cache .pytest_cache .import_linter_cache .hypothesis

# Each of these files says that the package was installed with its extras, from the description as it is now.
$(VENV)/embedded: $(DESCRIBED_BY)
	$(call install,embedded)

$(VENV)/tested: $(DESCRIBED_BY)
	$(call install,embedded$(comma)test)
	@touch $(VENV)/embedded

comma := ,
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 is needed, and '$(PYTHON)' is not it. Name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@mkdir -p .local/log
	@echo "Installing into $(VENV), once; this takes a minute ..."
	@{ test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV); } >$(LOG) 2>&1 && \
		$(VENV)/bin/python -m pip install --disable-pip-version-check --no-input --editable '.[$(1)]' >>$(LOG) 2>&1 || { \
		echo "The installation failed; see $(LOG)" >&2; exit 1; }
	@touch $@
endef
