# `make check` is what CI runs; `make fast` takes seconds and needs `make .venv` once; `make explore`
# runs all tests in another order, with other histories: what it finds becomes a test of its own.

PYTHON ?= .venv/bin/python

.PHONY: check fast explore

check:
	.ci/run

fast: .venv
	$(PYTHON) -m pytest tests/core tests/config tests/architecture
	.venv/bin/ruff check
	.venv/bin/ruff format --check

explore: .venv
	PROCTOR_EXPLORE=1 $(PYTHON) -m pytest --randomly-seed=$$(date +%s)

.venv:
	python3 -m venv .venv
	.venv/bin/pip install -q -e '.[dev]' -e ./compat
