# make run         runs an example, through the same path as in a container
# make test        runs all tests
# make coverage    runs them again, and measures which lines they reach; takes half as long again
# make test-quick  runs the unit tests that do not wait for servers, file changes or processes
# make check       checks format, style, types and shell scripts
# make distributions  builds the wheel and the sdist, and tries them on each Python of this machine
# make docs        builds the documentation site in build/docs, and checks its links
# make bench       measures what is in benchmarks/README.md
# make image       builds the container image, and the one without the local tools
# make vendor      fetches the libraries of the page again, at the versions of their table
# make lock        pins the versions that the image is made of; UPGRADE=1 takes the newest
#
# Each target first installs what it needs into .venv. PYTHON=python3.12 chooses the interpreter.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DOCS_INSTALLED := $(VENV)/.docs-installed
SHELL_SCRIPTS := .ci/run entrypoint.sh image/install.sh
# Most tests wait for other processes, so run more of them at a time than there are cores.
PARALLEL := --numprocesses 4 --dist worksteal
# What test-quick leaves out: these wait for servers, for files to change, or for other processes.
SLOW := $(addprefix --ignore tests/unit/,storage/stores/test_s3_store.py storage/peers \
	local/check/test_probe.py local/run/test_watch.py supervisor/child/test_code_watcher.py \
	image testing/test_hkube.py testing/sessions testing/streams local/cluster local/web \
	supervisor/peers supervisor/telemetry)

# `make image` uses docker or podman. CONTAINER_BUILD may hold options: `docker build --network host`.
CONTAINER_ENGINE ?= $(or $(shell command -v docker || command -v podman),docker)
CONTAINER_BUILD ?= $(CONTAINER_ENGINE) build
IMAGE ?= hkube/python-wrapper
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' wrapper/__init__.py)
LABELS = --build-arg VERSION=$(VERSION) --build-arg REVISION=$(shell git rev-parse --verify HEAD)
image: export BUILDAH_FORMAT = docker # podman's own format has no HEALTHCHECK

LOCK := $(VENV)-lock
COMPILE = $(LOCK)/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.PHONY: run test coverage test-quick distributions check docs bench image vendor lock clean

run: $(INSTALLED)
	$(BIN)/hkube-wrapper run examples/hello --input '["world"]'

test: $(INSTALLED)
	$(BIN)/python -m pytest $(PARALLEL) --ignore tests/release

coverage: $(INSTALLED)
	$(BIN)/python -m pytest $(PARALLEL) --ignore tests/release --cov --cov-report=term:skip-covered

distributions: $(INSTALLED)
	$(BIN)/python -m pytest --quiet tests/release

test-quick: $(INSTALLED)
	$(BIN)/python -m pytest --quiet $(PARALLEL) tests/unit $(SLOW)

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/shellcheck $(SHELL_SCRIPTS)

# Warnings are errors, and a link to a missing file or heading is one. --fresh-env, because a second
# build would not repeat the warnings of a page that has not changed. Links to the web are not tried:
# the machine that runs this may reach package registries only.
docs: $(DOCS_INSTALLED)
	$(BIN)/python -m sphinx --quiet --fresh-env --fail-on-warning --keep-going -b html -c docs . build/docs
	@echo "build/docs/docs/index.html"

$(DOCS_INSTALLED): $(INSTALLED) requirements-docs.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-docs.txt
	@touch $@

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

image:
	$(CONTAINER_BUILD) --target slim --tag $(IMAGE):slim --tag $(IMAGE):$(VERSION)-slim $(LABELS) .
	$(CONTAINER_BUILD) --tag $(IMAGE) --tag $(IMAGE):$(VERSION) $(LABELS) .

vendor:
	$(PYTHON) .ci/vendor

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
