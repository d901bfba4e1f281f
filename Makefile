# `make check` is what CI runs; `make fast` takes seconds and needs `make .venv` once.

PYTHON ?= .venv/bin/python

.PHONY: check fast

check:
	.ci/run

fast: .venv
	$(PYTHON) -m pytest tests/core tests/config tests/architecture
	.venv/bin/ruff check
	.venv/bin/ruff format --check

.venv:
	python3 -m venv .venv
	.venv/bin/pip install -q -e '.[dev]' -e ./compat
