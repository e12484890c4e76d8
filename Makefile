# What a person runs, and what the continuous integration runs: the same targets.
#
#   make demo     cut out things in the sample photos (base package only)
#   make test     lint, types, import rules, tests, and the installed wheel
#   make bench    the benchmarks
#   make help     this list
#
# Every environment is a folder here and nothing is installed outside of them:
#   .venv         base package, for the demo
#   .venv-dev     base, train and dev extras, for tests and benchmarks
#   .venv-wheel   the built wheel and nothing else: what a user gets from `pip install latentcut`
# An environment is made once, and again whenever pyproject.toml changes.

PYTHON      ?= python3
# Threads of OpenMP, BLAS, torch and ONNX Runtime during tests. More than there are cores makes small
# networks much slower, and results are compared with figures that were made with 2.
THREADS     ?= 2
# For example: make test PYTEST_ARGS='-m "not slow"'
PYTEST_ARGS ?=
DEMO_OUTPUT ?= demo_output

PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
LIMIT_THREADS := OMP_NUM_THREADS=$(THREADS) OPENBLAS_NUM_THREADS=$(THREADS) MKL_NUM_THREADS=$(THREADS)
# Built wheels go here; emptied before every build, so that there is never more than one.
WHEEL_DIR   := build/wheel
WHEEL_DEMO  := build/wheel-demo

# A recipe that fails half-way leaves no stamp behind.
.DELETE_ON_ERROR:
.PHONY: help demo test lint pytest wheel bench python clean

help:
	@echo "make demo     cut out things in the sample photos; pictures in $(DEMO_OUTPUT)/"
	@echo "make test     lint, types, import rules, tests, and the installed wheel"
	@echo "make lint     only format, lint, types and import rules"
	@echo "make pytest   only the tests      (PYTEST_ARGS='-m \"not slow\" -k clicks')"
	@echo "make wheel    only build the wheel and try it in an environment of its own"
	@echo "make bench    run the benchmarks"
	@echo "make clean    remove the environments and everything built"
	@echo
	@echo "Another interpreter:  make test PYTHON=python3.13"

demo: .venv/.installed
	.venv/bin/latentcut demo --output "$(DEMO_OUTPUT)"

test: lint pytest wheel
	@echo "make test: lint, types, import rules, tests and wheel are fine"

lint: .venv-dev/.installed
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/ruff check .
	.venv-dev/bin/mypy
	.venv-dev/bin/lint-imports

pytest: .venv-dev/.installed
	$(LIMIT_THREADS) .venv-dev/bin/python -m pytest $(PYTEST_ARGS)

# The tree may hold files that the wheel lacks, so the wheel is tried where the tree is not: installed
# alone and started from another folder. Without extras there is no torch, and the command must work.
wheel: .venv-wheel/.created
	rm -rf $(WHEEL_DIR) $(WHEEL_DEMO)
	mkdir -p $(WHEEL_DEMO)
	.venv-wheel/bin/python -m pip wheel --quiet --disable-pip-version-check \
		--no-deps --wheel-dir $(WHEEL_DIR) .
	.venv-wheel/bin/python $(PIP_INSTALL) $(WHEEL_DIR)/latentcut-*.whl
	.venv-wheel/bin/python $(PIP_INSTALL) --force-reinstall --no-deps $(WHEEL_DIR)/latentcut-*.whl
	.venv-wheel/bin/python -m pip check
	.venv-wheel/bin/python -c "import importlib.util, sys; \
		sys.exit('torch is installed by the base package' if importlib.util.find_spec('torch') else 0)"
	cd $(WHEEL_DEMO) && ../../.venv-wheel/bin/latentcut --help
	cd $(WHEEL_DEMO) && $(LIMIT_THREADS) ../../.venv-wheel/bin/latentcut doctor
	cd $(WHEEL_DEMO) && $(LIMIT_THREADS) ../../.venv-wheel/bin/latentcut demo --output pictures

# Every script benchmarks/bench_*.py, one after the other; each says what it measures.
bench: .venv-dev/.installed
	@set -e; for script in benchmarks/bench_*.py; do \
		if [ ! -e "$$script" ]; then echo "there is no benchmarks/bench_*.py yet"; break; fi; \
		echo "== $$script"; \
		$(LIMIT_THREADS) .venv-dev/bin/python "$$script"; \
	done

clean:
	rm -rf .venv .venv-dev .venv-wheel build dist $(DEMO_OUTPUT)

# ---------------------------------------------------------------- environments

# Says what is missing before `venv` or pip fail with something less clear.
python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "Error: there is no $(PYTHON); install Python 3.11 or newer, or name one: make PYTHON=..." >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Error: $(PYTHON) is $$($(PYTHON) --version 2>&1), and latentcut needs Python 3.11 or newer;" \
			"name another one: make PYTHON=python3.13" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Error: $(PYTHON) cannot make environments; on Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; }

# The part after the bar only orders: the check runs first, but does not make the environment old.
# A folder that is there already is emptied (--clear): it belongs to an older pyproject.toml.
# Each gets a .gitignore of its own, as newer Pythons do by themselves.
.venv/.installed: pyproject.toml | python
	$(PYTHON) -m venv --clear .venv
	@echo '*' > .venv/.gitignore
	.venv/bin/python $(PIP_INSTALL) --editable .
	@touch $@

.venv-dev/.installed: pyproject.toml | python
	$(PYTHON) -m venv --clear .venv-dev
	@echo '*' > .venv-dev/.gitignore
	.venv-dev/bin/python $(PIP_INSTALL) --editable '.[train,dev]'
	@touch $@

.venv-wheel/.created: pyproject.toml | python
	$(PYTHON) -m venv --clear .venv-wheel
	@echo '*' > .venv-wheel/.gitignore
	@touch $@
