# Two commands do all the set-up: `make demo` and `make test`. The rest is for contributors.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
SHARED ?= ../shared
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export SERENADE_SHARED := $(abspath $(SHARED))

.PHONY: demo test test-slow check bench clean

demo: $(VENV)/.base
	$(BIN)/serenade predict samples

test: $(VENV)/.dev
	$(BIN)/python -m pytest -q -m "not slow"

# Clusters, searches, notebooks, exports of every network: about ten minutes more.
test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -q -m slow

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# openSMILE is a peer in one table, which says so where it cannot be installed.
bench: $(VENV)/.dev
	-$(BIN)/pip install --quiet opensmile
	$(BIN)/python bench/run.py --with-peers

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.base: $(VENV)/.python pyproject.toml
	$(BIN)/pip install --quiet --editable .
	touch $@

# torch first: the CPU build; a bare "torch" would bring gigabytes of CUDA.
$(VENV)/.dev: $(VENV)/.base
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --editable ".[train,plots,serve,batch,ray,dev]"
	touch $@
