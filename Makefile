# make run     an example, through the whole real path
# make test    all tests, with coverage
# make check   format, lint, types
# make bench   the figures of benchmarks/README.md
#
# Each installs what it needs into .venv first; PYTHON=python3.12 chooses the interpreter for that.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Most tests wait for other processes: more of them at a time than there are cores.
PARALLEL := --numprocesses 4 --dist worksteal

.PHONY: run test check bench clean

run: $(INSTALLED)
	$(BIN)/hkube-wrapper run examples/hello --input '["world"]'

test: $(INSTALLED)
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term:skip-covered

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build *.egg-info .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache

$(INSTALLED): pyproject.toml requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed, as $(PYTHON) or with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --requirement requirements-dev.txt
	@touch $@
