# What a stranger types. Needs make and a stock Python 3.11 or newer with venv and pip; nothing else is installed outside .venv.
#   make demo    the whole lesson: a network learns to read digits, then reads a picture that is not MNIST
#   make test    set-up, the checks, the tests, the notebook
#   make check   ruff, mypy, import-linter
#   make recipe-test PYTHON=…  the tests of the training loop that runs on torch
#   make scoreboard  every figure that is told, measured again
#   make stress  the slow tests      make bench  the benchmarks      make dist  the wheel, tried in an empty place

# the first of these that is new enough, or the one you name: make demo PYTHON=/path/to/python3
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PAGE := demo/page.jpg
# the tests by two processes, each file by one of them; the notebook, which takes longest, begins
SHARED := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: help demo test check stress recipe-test bench scoreboard dist setup setup-demo clean
help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -7

setup: $(VENV)/ready-dev
setup-demo: $(VENV)/ready-demo

# a stamp younger than what it was made from means that there is nothing to do
$(VENV)/ready-%: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer found; name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 2; }
	@test -x $(BIN)/python || { echo "making $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing into $(VENV); a minute or two the first time"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(if $(filter dev,$*),dev,train)]'
	@touch $@ $(if $(filter dev,$*),$(VENV)/ready-demo)

demo: setup-demo
	rm -rf demo
	$(BIN)/inkdigits tutorial --out demo
	$(BIN)/inkdigits sample --text "2071 438" --split test --out $(PAGE)
	$(BIN)/python scripts/read_boxes.py demo $(PAGE)
	$(BIN)/inkdigits read $(PAGE)

test: setup check
	$(BIN)/python -m pytest $(SHARED) --nbmake notebooks tests

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

stress: setup
	$(BIN)/python -m pytest $(SHARED) -m stress tests

# what runs on torch alone; name a Python that has torch, keras, pytest and hypothesis
recipe-test:
	KERAS_BACKEND=torch PYTHONPATH=src $(PYTHON) -m pytest -m torch tests/test_engine.py

# DEV=DIR is a folder of labelled pages of strangers, which two of them need
bench: setup
	set -e; for b in benchmarks/*.py; do case $$b in \
	  *labelled_pages.py|*papers.py) if test -n "$(DEV)"; then echo "== $$b"; $(BIN)/python $$b $(DEV); fi;; \
	  *) echo "== $$b"; $(BIN)/python $$b;; esac; done

# every figure anew: DEV=DIR and EXTRA=DIR are folders of labelled pictures of strangers (WITHOUT=SOURCE leaves one of them out),
# FONTS=DIR is what recipe/fetch_fonts.py fetched
scoreboard: setup
	$(BIN)/python scripts/scoreboard.py $(if $(FONTS),--fonts $(FONTS)) $(if $(DEV),--dev $(DEV)) $(if $(EXTRA),--extra $(EXTRA)) $(if $(WITHOUT),--without $(WITHOUT))

dist: setup
	scripts/try_wheel.sh $(BIN)/python

clean:
	rm -rf build dist demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
