# make serve    the server, from nothing but Python 3.11 or newer
# make test     everything: lint, types, and all tests on each Python that is here
# make bench    measures it on this machine, in about five minutes
# make clean    back to what git knows

PYTHON ?= python3
VENV := .venv
# Pythons that pyenv keeps count too, without its shims.
PYENVS := $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.1[123].*/bin)
empty :=
space := $(empty) $(empty)
WITH_PYENVS := PATH="$$PATH:$(subst $(space),:,$(PYENVS))"

.PHONY: serve test bench clean

serve: $(VENV)/installed
	@exec $(VENV)/bin/sottovoce serve

test: $(VENV)/tox-installed web/node_modules/.package-lock.json
	@rm -rf .tox/junit && mkdir -p .tox/junit
	$(WITH_PYENVS) $(VENV)/bin/tox run-parallel --parallel 3 --parallel-no-spinner
	@$(VENV)/bin/python tests/tally.py .tox/junit

bench: $(VENV)/bench-installed
	@$(VENV)/bin/python -m bench

$(VENV)/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit("Sottovoce needs Python 3.11 or newer") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/pip setup.py constraints.txt
	@echo "Installing into $(VENV); the first time that takes half a minute."
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/tox-installed: $(VENV)/bin/pip constraints.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt tox
	@touch $@

$(VENV)/bench-installed: $(VENV)/bin/pip setup.py constraints.txt
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .[test,bench]
	@touch $@

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

clean:
	git clean -fdX
