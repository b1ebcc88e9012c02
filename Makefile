# `make demo` and `make test` need Python 3.11 or newer and make; they set up the rest themselves.
# `make PYTHON=/path/to/python3 ...` chooses the Python.

export PYTHON

.DEFAULT_GOAL := help
.PHONY: help demo serve test check oldest bench clean

# Several tests at once; `make test TESTS='tests/engine -k cancel'` runs some of them.
TESTS ?= -n auto --dist loadfile

help:
	@echo 'make demo    sets up, serves on http://127.0.0.1:8484 and starts a real job to watch'
	@echo 'make serve   sets up and serves'
	@echo 'make test    sets up whatever is missing and runs every test'
	@echo 'make check   linter and type checker'
	@echo 'make oldest  some tests with the oldest versions of what jobtail depends on'
	@echo 'make bench   the figures of docs/performance.md'
	@echo 'make clean   removes what these made'

demo:
	@scripts/setup.sh
	@.venv/bin/python scripts/demo.py

serve:
	@scripts/setup.sh
	@.venv/bin/python -m webapp serve

test:
	@scripts/system.sh
	@scripts/setup.sh test
	@scripts/node-tests.sh
	@.venv/bin/python -m pytest $(TESTS)

check:
	@scripts/setup.sh test
	.venv/bin/python -m ruff check .
	.venv/bin/python -m mypy

oldest:
	@scripts/setup.sh test
	@scripts/oldest.sh

bench:
	@scripts/system.sh
	@scripts/setup.sh test
	@.venv/bin/python bench/run.py $(BENCH)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist node_modules
