# make serve    the server, from nothing but Python 3.11 or newer
# make web      the web client's libraries, with Node 20 or newer; `serve` and `test` do it where there is npm
# make test     everything: lint, types, and all tests on each Python that is here
# make bench    measures it on this machine, in about five minutes
# make docs     writes OpenAPI and AsyncAPI into docs/
# make clean    back to what git knows

PYTHON ?= python3
VENV := .venv
# Pythons that pyenv keeps count too, without its shims.
PYENVS := $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.1[123].*/bin)
empty :=
space := $(empty) $(empty)
WITH_PYENVS := PATH="$$PATH:$(subst $(space),:,$(PYENVS))"

NPM := $(shell command -v npm)
CHROMIUM := $(shell command -v chromium || command -v chromium-browser)
APT := $(if $(filter 0,$(shell id -u)),$(shell command -v apt-get))

.PHONY: serve web test chromium bench docs clean

serve: $(VENV)/installed
	@$(if $(NPM),$(MAKE) --silent web || echo "The web client could not be built; the server runs without it.")
	@exec $(VENV)/bin/sottovoce serve

web: web/vendor/.built

test: $(VENV)/tox-installed $(if $(NPM),web) $(if $(CHROMIUM),,chromium)
	@rm -rf .tox/junit && mkdir -p .tox/junit
	$(WITH_PYENVS) $(VENV)/bin/tox run-parallel --parallel 2 --parallel-no-spinner
	@$(VENV)/bin/python tests/tally.py .tox/junit

# Where it may not be installed the tests that need it fail, and say so.
chromium:
	$(if $(APT),$(APT) update -qq && $(APT) install -y -qq --no-install-recommends chromium fonts-noto-color-emoji,\
	@echo "Chromium is missing: apt-get install chromium, as root")

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
	@echo "Fetching the web client's libraries; the first time that takes half a minute."
	cd web && npm ci --no-audit --no-fund
	@touch $@

web/vendor/.built: web/node_modules/.package-lock.json web/build-vendor.js
	cd web && (node build-vendor.js || (rm -rf vendor; exit 1))
	@touch $@

docs: $(VENV)/bench-installed
	@$(VENV)/bin/python -m handlers.documents docs

clean:
	git clean -fdX
