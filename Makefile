# Everything is set up in .venv with Python's own venv and pip; nothing is installed elsewhere.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
PROJECT := pyproject.toml constraints.txt
# a stamp is newer than the project files once what they ask for is installed
DEMO := $(VENV)/.demo-installed
DEV := $(VENV)/.dev-installed

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo test check lint format types docs bench bench-findings clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@echo "setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(DEMO): $(PROJECT) | $(BIN)/python
	@echo "installing autotrack and what the examples need"
	@$(PIP) install --constraint constraints.txt --editable '.[examples]'
	@touch $@

$(DEV): $(PROJECT) | $(BIN)/python
	@echo "installing autotrack and the tools that test it"
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(DEMO)

setup: $(DEV)  ## install autotrack and everything its tests need into .venv

demo: $(DEMO)  ## train on real handwritten digits, tracked, and say where to look
	@$(BIN)/python examples/digits.py

test: $(DEV)  ## run the tests
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal

check: lint types docs test  ## all that must be right before a change lands

lint: $(DEV)  ## style and formatting (ruff)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

format: $(DEV)  ## bring the code into shape (ruff)
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

types: $(DEV)  ## strict type checking (mypy)
	@$(BIN)/mypy

docs: $(DEV)  ## build the documentation into build/docs
	@$(BIN)/sphinx-build -n -W -q -b html -d build/doctrees docs build/docs
	@echo "documentation: build/docs/index.html"

bench: $(DEV)  ## measure what tracking costs
	@$(BIN)/python -m benchmarks.bench

bench-findings: $(DEV)  ## measure how far findings can be trusted
	@$(BIN)/python -m benchmarks.findings --details

clean:  ## remove .venv, build/ and every cache
	@rm -rf $(VENV) build dist .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
