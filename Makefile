# Everything starts here: `make demo` and `make test` need git, make and Python 3.11 with venv.
#
# VENV   where the virtual environment is made        (.venv)
# PYTHON which interpreter makes it                   (the newest of the usual names)
# JOBS   how many processes run the tests             (2)
# ARGS   further arguments for pytest                 (make test ARGS="-k yaml -x")
# WHEEL  a built wheel to test instead of the checkout

VENV ?= .venv
JOBS ?= 2
ARGS ?=
BIN = $(VENV)/bin
SETUP = PYTHON="$(PYTHON)" sh scripts/setup.sh "$(VENV)"
DEV = $(SETUP) --dev $(if $(WHEEL),--wheel "$(WHEEL)")
# Makes the tests refuse to run against the checkout.
INSTALLED = $(if $(WHEEL),MESHPLAN_TEST_INSTALLED=1)

.PHONY: help demo test test-lowest check lint types layers docs docs-check workflows bench clean

help:
	@echo "make demo    install meshplan into $(VENV) and run it on a small example"
	@echo "make test    install what the tests need and run them"
	@echo "make check   run every check: lint, types, layers, workflows, documentation, tests"
	@echo "make docs    write again what is generated in docs/"
	@echo "make bench   measure meshplan on a made-up fleet"
	@echo "make clean   remove $(VENV) and everything that was built"

demo:
	@$(SETUP)
	@"$(BIN)/python" -m meshplan demo

test:
	@$(DEV)
	@$(INSTALLED) "$(BIN)/python" -m pytest -n $(JOBS) --dist worksteal $(ARGS)

# The oldest release of each dependency that pyproject.toml allows.
test-lowest: VENV = build/lowest
test-lowest:
	@$(DEV)
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check uv
	@"$(BIN)/python" -m uv pip compile --quiet --resolution lowest-direct --output-file "$(VENV)/lowest.txt" pyproject.toml
	@"$(BIN)/python" -m uv pip install --quiet --python "$(BIN)/python" --requirement "$(VENV)/lowest.txt"
	@$(INSTALLED) "$(BIN)/python" -m pytest -n $(JOBS) --dist worksteal $(ARGS)

check: lint types layers docs-check workflows test

lint:
	@$(DEV)
	@"$(BIN)/python" -m ruff check .
	@"$(BIN)/python" -m ruff format --check .

types:
	@$(DEV)
	@"$(BIN)/python" -m mypy

layers:
	@$(DEV)
	@"$(BIN)/lint-imports" --no-cache --no-logo

docs:
	@$(DEV)
	@"$(BIN)/python" docs/generate.py

docs-check:
	@$(DEV)
	@"$(BIN)/python" docs/generate.py --check

# Tools that not everybody has: each that is missing is named, and left to CI.
workflows:
	@if command -v zizmor >/dev/null; then zizmor --quiet --offline --persona=auditor .github/workflows action.yml; else echo "zizmor is not on PATH: workflows not audited"; fi
	@if command -v actionlint >/dev/null; then actionlint; else echo "actionlint is not on PATH: workflows not linted"; fi
	@if command -v check-jsonschema >/dev/null; then check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml && check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml; else echo "check-jsonschema is not on PATH: workflows not validated"; fi

bench:
	@$(DEV)
	@"$(BIN)/python" bench/speed.py

clean:
	rm -rf "$(VENV)" build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
