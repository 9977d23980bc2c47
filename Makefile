# make book    environment, artifacts, notebooks and pages, from nothing
# make test    environment and tests
# make pdf     all pages of the book as one PDF, by a Chromium: _build/ganfp.pdf
# make release the archive dist/ganfp.tar.gz: pages, PDF, executed notebooks, records, generators, checksums
# make gpu-check  what must hold on a GPU, and how fast it is there: six minutes; ends with 2 where there is none
# make lint    the checkers of style and types alone
# make clean   remove what was made, except the environment and artifacts/
#
# PROFILE=smoke|quick|reference|gpu|paper   how big a run
# PYTHON=python3.12                         another interpreter than the first suitable one
# TORCH_INDEX=URL                           one more package index, such as PyTorch's own for a CPU-only torch

PROFILE ?= quick
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin

# Fit to use: 3.11 or newer, able to create environments.  (A command may exist and yet not run.)
FIT := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
CANDIDATES := python3.14 python3.13 python3.12 python3.11 python3
PYTHON ?= $(shell for p in $(CANDIDATES); do $$p -c '$(FIT)' >/dev/null 2>&1 && echo $$p && break; done)

.PHONY: book test pdf release lint gpu-check clean
.DEFAULT_GOAL := book

book: $(VENV)/installed
	@start=$$(date +%s) && $(BIN)/ganfp book --profile $(PROFILE) && echo "book: $$(( $$(date +%s) - start )) s"

test: $(VENV)/installed
	@start=$$(date +%s) && $(BIN)/python -m pytest && echo "tests: $$(( $$(date +%s) - start )) s"

pdf: $(VENV)/installed
	@$(BIN)/python tools/pdf.py

release: $(VENV)/installed
	@$(BIN)/python tools/release.py

lint: $(VENV)/installed
	@$(BIN)/ruff check . && $(BIN)/mypy

gpu-check: $(VENV)/installed
	@$(BIN)/python -m benchmarks.gpu

# The environment is made anew only when a pin or a dependency changed.
$(VENV)/installed: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python of version 3.11 or newer that can create environments was found."; \
	  echo "Install one (on Debian and Ubuntu with its -venv package) or name it: make PYTHON=/path/to/python"; exit 1; }
	@start=$$(date +%s) && echo "environment: $$($(PYTHON) --version) in $(VENV), 1.7 GB, a few minutes" \
	  && $(PYTHON) -m venv $(VENV) \
	  && $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	     $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r requirements.txt -e '.[book,test]' \
	  && touch $@ && echo "environment: $$(( $$(date +%s) - start )) s"

clean:
	rm -rf _build executed build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find ganfp tests book benchmarks -name __pycache__ -prune -exec rm -rf {} +
