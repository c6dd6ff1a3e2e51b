# Two commands matter on a fresh machine: `make demo` and `make test`. They need make, Python >= 3.11
# with its headers and venv, and a C compiler. `make help` lists the rest.
#
# The package is installed into .venv in editable mode, compiled parts included. So there is one copy
# of the code: whatever folder a test, a child process or a notebook starts in, it imports the files
# you edit, never a forgotten installed copy and never a source tree without its compiled parts. What
# an editable install cannot show, a file missing from the wheel, tests/test_build.py checks, and
# `make test-oldest` runs the suite against the wheel itself.

VENV := .venv
OLDEST := .venv-oldest
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

# python3, or where that is older than 3.11 the newest python3.x found that is not.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null \
	&& echo "$$python" && break; done)

COMPILED := setup.py pyproject.toml MANIFEST.in \
	$(wildcard skw2v/*.pyx skw2v/*.pxd skw2v/kernels/*.c skw2v/kernels/*.h)
CYTHON_FILES := $(wildcard skw2v/*.pyx skw2v/*.pxd)
C_FILES := $(wildcard skw2v/kernels/*.c skw2v/kernels/*.h tools/*.c tools/*.h)
DOCS := $(wildcard docs/*.rst docs/conf.py docs/figures/*.py README.md CHANGELOG.md)

# Pictures are written, never shown.
export MPLBACKEND := Agg

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format test-oldest race docs sdist wheel dist bench bench-quality clean \
	distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed ## install into .venv and run the main job on real text
	$(BIN)/python -m skw2v demo

test: lint $(VENV)/.develop ## lint, then the tests (PYTEST_ARGS="-k name" passes options on)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# cython-lint calls pycodestyle by its bare name, so it must be on the PATH.
lint: $(VENV)/.develop ## ruff, cython-lint and clang-format, all read-only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(if $(CYTHON_FILES),PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint $(CYTHON_FILES),@echo "no Cython")
	$(if $(C_FILES),$(BIN)/clang-format --dry-run -Werror $(C_FILES),@echo "no C")

format: $(VENV)/.develop ## rewrite the sources the way lint wants them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(if $(C_FILES),$(BIN)/clang-format -i $(C_FILES))

test-oldest: $(OLDEST)/.installed ## the tests on the wheel, with the oldest supported dependencies
	cd tests && ../$(OLDEST)/bin/python -m pytest . --ignore=test_build.py $(PYTEST_ARGS)

race: ## the kernels under sanitizers: no data race, no stray access (see tools/race.sh)
	tools/race.sh

docs: $(VENV)/.docs ## the documentation, as HTML in docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -E -q -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

dist: dist/.built ## sdist, and from it the wheel, in dist/
sdist wheel: dist

bench: $(VENV)/.develop ## words per second beside gensim (BENCH_ARGS passes options on)
	$(BIN)/python benchmarks/throughput.py $(BENCH_ARGS)

bench-quality: $(VENV)/.develop ## similarity and analogy scores beside gensim
	$(BIN)/python benchmarks/quality.py $(BENCH_ARGS)

clean: ## remove what was built; keeps the virtual environments
	rm -rf build dist *.egg-info docs/_build docs/generated skw2v/*.c skw2v/*.so
	rm -rf .pytest_cache .hypothesis .ruff_cache $(VENV)/.installed $(VENV)/.develop $(OLDEST)
	find skw2v tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove the virtual environments too
	rm -rf $(VENV)

# --- stamps ------------------------------------------------------------------------------------
# Built without pip's isolation, from requirements that stay in .venv: a rebuild after a changed
# kernel needs no network. The first line reads them from where pip would. The extras name the
# package that is installed by then, which adds what they ask for without compiling again.

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "skw2v needs Python 3.11 or newer; name one: make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(COMPILED) | $(BIN)/python
	$(BIN)/python $(PIP_INSTALL) $$($(BIN)/python -c \
		'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])')
	$(BIN)/python $(PIP_INSTALL) --no-build-isolation --editable '.[plot]'
	@$(BIN)/python -c 'from skw2v._kernels import openmp_enabled; openmp_enabled() or \
		print("skw2v: the compiler has no working OpenMP; training will use one thread")'
	@touch $@

$(VENV)/.develop: $(VENV)/.installed
	$(BIN)/python $(PIP_INSTALL) 'skw2v[test,lint]'
	@touch $@

$(VENV)/.docs: $(VENV)/.develop
	$(BIN)/python $(PIP_INSTALL) 'skw2v[docs]'
	@touch $@

dist/.built: $(COMPILED) $(wildcard skw2v/*.py tests/*.py) $(DOCS) | $(VENV)/.develop
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	@touch $@

$(OLDEST)/.installed: dist/.built tests/oldest.txt
	test -x $(OLDEST)/bin/python || $(BIN)/python -m venv $(OLDEST)
	$(OLDEST)/bin/python $(PIP_INSTALL) --constraint tests/oldest.txt \
		--force-reinstall --no-deps dist/skw2v-*.whl
	$(OLDEST)/bin/python $(PIP_INSTALL) --constraint tests/oldest.txt "$$(echo dist/skw2v-*.whl)[test]"
	@touch $@
