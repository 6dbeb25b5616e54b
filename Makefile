# make run     an example, through the whole real path
# make test    all tests, with coverage
# make check   format, lint, types
# make bench   the figures of benchmarks/README.md
# make image   the container image, and the one without the local tools
# make lock    the exact versions that the image is made of; UPGRADE=1 takes the newest
#
# Each installs what it needs into .venv first; PYTHON=python3.12 chooses the interpreter for that.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Most tests wait for other processes: more of them at a time than there are cores.
PARALLEL := --numprocesses 4 --dist worksteal

# For `make image`: docker, or podman; CONTAINER_BUILD may hold options, as `docker build --network host`.
CONTAINER_ENGINE ?= $(or $(shell command -v docker || command -v podman),docker)
CONTAINER_BUILD ?= $(CONTAINER_ENGINE) build
IMAGE ?= hkube/python-wrapper
image: export BUILDAH_FORMAT = docker # podman's own format knows no HEALTHCHECK

LOCK := $(VENV)-lock
COMPILE = $(LOCK)/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.PHONY: run test check bench image lock clean

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

image:
	$(CONTAINER_BUILD) --target slim --tag $(IMAGE):slim .
	$(CONTAINER_BUILD) --tag $(IMAGE) --build-arg REVISION=$(shell git rev-parse --verify HEAD) .

lock:
	$(PYTHON) -m venv $(LOCK)
	$(LOCK)/bin/python -m pip install --quiet --disable-pip-version-check "uv<1"
	$(COMPILE) requirements.txt --constraint image/constraints.txt --output-file requirements.lock
	$(COMPILE) image/slim.txt --constraint requirements.lock --output-file image/slim.lock
	$(COMPILE) image/build.txt --output-file image/build.lock

clean:
	rm -rf $(VENV) $(LOCK) build *.egg-info .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache

$(INSTALLED): pyproject.toml requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed, as $(PYTHON) or with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --requirement requirements-dev.txt
	@touch $@
