# make serve    install and run the server; needs only Python 3.11 or newer
# make web      bundle the web client's libraries; needs Node 20 or newer. `serve` and `test` run it if npm is installed
# make test     run lint, type checks, and all tests on every installed Python
# make bench    measure the server on this machine, in about five minutes
# make mutants  breaks the server's rules one at a time, to find those that nothing tests
# make docs     write OpenAPI and AsyncAPI documents to docs/
# make clean    delete all files that git ignores

PYTHON ?= python3
VENV := .venv
# Pythons that pyenv installed are used too, without its shims.
PYENVS := $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.1[123].*/bin)
empty :=
space := $(empty) $(empty)
WITH_PYENVS := PATH="$$PATH:$(subst $(space),:,$(PYENVS))"

NPM := $(shell command -v npm)
CHROMIUM := $(shell command -v chromium || command -v chromium-browser)
APT := $(if $(filter 0,$(shell id -u)),$(shell command -v apt-get))

.PHONY: serve web test chromium bench mutants docs clean

serve: $(VENV)/installed
	@$(if $(NPM),$(MAKE) --silent web || echo "The web client could not be built; the server runs without it.")
	@exec $(VENV)/bin/sottovoce serve

web: web/vendor/.built

test: $(VENV)/tox-installed $(if $(NPM),web) $(if $(CHROMIUM),,chromium)
	@rm -rf .tox/junit && mkdir -p .tox/junit
	$(WITH_PYENVS) $(VENV)/bin/tox run-parallel --parallel 2 --parallel-no-spinner
	@$(VENV)/bin/python tests/tally.py .tox/junit

# Without root it is not installed; then the tests that need it fail and name the reason.
chromium:
	$(if $(APT),$(APT) update -qq && $(APT) install -y -qq --no-install-recommends chromium fonts-noto-color-emoji,\
	@echo "Chromium is missing: apt-get install chromium, as root")

bench: $(VENV)/bench-installed
	@$(VENV)/bin/python -m bench

$(VENV)/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit("Sottovoce needs Python 3.11 or newer") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/pip setup.py constraints.txt
	@echo "Installing into $(VENV); the first time takes about 30 seconds."
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/tox-installed: $(VENV)/bin/pip constraints.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt tox
	@touch $@

$(VENV)/bench-installed: $(VENV)/bin/pip setup.py constraints.txt
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .[test,bench,mutants]
	@touch $@

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@echo "Downloading the web client's libraries; the first time takes about 30 seconds."
	cd web && npm ci --no-audit --no-fund
	@touch $@

web/vendor/.built: web/node_modules/.package-lock.json web/build-vendor.js
	cd web && (node build-vendor.js || (rm -rf vendor; exit 1))
	@touch $@

# FILES: which of the server's files to mutate; docs/testing.md.
mutants: $(VENV)/bench-installed
	@$(VENV)/bin/python -m tests.mutants $(FILES)

docs: $(VENV)/bench-installed
	@$(VENV)/bin/python -m handlers.documents docs

clean:
	git clean -fdX
