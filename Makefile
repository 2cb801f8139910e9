# `make demo` and `make test` each do all set-up by themselves.
# `make demo` installs what the main job needs, `make test` everything; whoever runs both has everything.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Not compiled ahead: Python compiles a module when it first loads it, and most modules of the libraries never are.
PIP := $(BIN)/pip install --disable-pip-version-check --no-compile --constraint constraints.txt

.PHONY: setup demo town lint test bench site fresh release-check clean

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "blindscore needs Python 3.11 or newer")'
	@echo "== Making an environment in $(VENV)"
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.frontier: $(VENV)/.made pyproject.toml constraints.txt
	@echo "== Installing what the main job needs: about 270 MB to download, 860 MB on disk"
	$(PIP) --editable '.[frontier]'
	touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml constraints.txt
	@echo "== Installing everything that the tests need, PyTorch too: see README for sizes"
	$(PIP) --editable '.[dev]'
	touch $(VENV)/.frontier $@

setup: $(VENV)/.installed

demo: $(VENV)/.frontier
	$(BIN)/blindscore frontier --out out

# Sources, lender, log, witnesses, relay, a perk's office and gate as processes of their own, over TLS, on SQLite; then
# an order on the lender's files, one on the bank's, and the auditor.
town: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) --editable '.[frontier,town]'
	$(BIN)/blindscore town up --design one-show --people 20 --banks 2 --perk 600 --folder out/town
	$(BIN)/blindscore town order --on lender --folder out/town
	$(BIN)/blindscore town order --on bank --folder out/town
	$(BIN)/blindscore town audit --folder out/town

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/plugins

test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist worksteal

bench: setup
	$(BIN)/pytest benchmarks --benchmark-only

# The documentation as a site, out/site/index.html; fails on a broken link.
site: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# As a stranger would: from the public index alone, whatever this machine's pip is told.
fresh:
	PYTHON=$(PYTHON) .ci/fresh

# Before a release: wheel and source archive, twice the same bytes, each installed alone and tried.
release-check: setup
	PYTHON=$(PYTHON) .ci/fresh --release $(BIN)/python

clean:
	rm -rf $(VENV) out dist .pytest_cache .mypy_cache .ruff_cache
