# `make check` is what CI runs; `make fast` takes seconds, but for the first time; `make explore`
# runs all tests in another order, with other histories: what it finds becomes a test of its own.
# `make torture ARGS="--kills 300"` kills the daemon for minutes (docs/reliability.md).

PYTHON ?= .venv/bin/python

.PHONY: .venv check fast explore bench bench-quick torture

check:
	.ci/run

fast: .venv
	$(PYTHON) -m pytest tests/core tests/config tests/architecture
	.venv/bin/ruff check
	.venv/bin/ruff format --check

explore: .venv
	PROCTOR_EXPLORE=1 $(PYTHON) -m pytest --randomly-seed=$$(date +%s)

torture: .venv
	$(PYTHON) benchmarks/torture.py $(ARGS)

# Only [dev] brings ruff: a .venv without it was made to try Proctor, not to work on it; and one
# that is older than these files may lack what they have come to name since.
.venv: .venv/bin/ruff

.venv/bin/ruff: pyproject.toml compat/pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install -q -e '.[dev]' -e ./compat
	touch $@

# The original beside ours; `bench` takes the better part of an hour, most of it the original's.
ORIGINAL ?= .oracle/bin

bench: .venv $(ORIGINAL)/supervisord
	$(PYTHON) benchmarks/bench.py --original $(ORIGINAL) --floor --peers
	$(PYTHON) benchmarks/events.py --original $(ORIGINAL)

bench-quick: .venv $(ORIGINAL)/supervisord
	$(PYTHON) benchmarks/bench.py --original $(ORIGINAL) --quick

.oracle/bin/supervisord:
	python3 -m venv .oracle
	.oracle/bin/pip install -q supervisor==4.3.0 superlance==2.0.0 'setuptools<81'
	touch .oracle/installed
