# Everything installs itself into .venv: by uv where it is installed, else by venv and pip. uv.lock pins both.
PYTHON ?= python3
EXTRAS ?= aws gcp
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
SLOW := curl or browser or postgres or node or prometheus
comma := ,
empty :=
space := $(empty) $(empty)
PINNED := $(VENV)/constraints.txt

.PHONY: help install demo run test check lint bench clean
help:
	@echo "make install  install interlock into .venv     (EXTRAS=\"aws gcp postgres\" chooses the optional parts)"
	@echo "make demo     a living health page, without account or network"
	@echo "make run      probe what interlock.toml names"
	@echo "make test     the tests that need Python alone"
	@echo "make check    the tests that need a browser, PostgreSQL, Prometheus and Node; installs them (Debian)"
	@echo "make lint     style, types and the floors between the rooms"
	@echo "make bench    the benchmarks, each beside its peer"
	@echo "make clean    remove what these made"

# $(1): dependency groups, $(2): extras, $(3): stamp
ifdef UV
define INSTALL
	$(UV) sync --quiet --frozen --inexact $(foreach e,$(2),--extra $(e)) $(foreach g,$(1),--group $(g))
	@touch $(3)
endef
else
define INSTALL
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "interlock needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python tools/constraints.py > $(PINNED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(PINNED) \
	  -e '.[$(subst $(space),$(comma),$(strip $(2)))]' $(foreach g,$(1),--group $(g))
	@touch $(3)
endef
endif

STAMP := $(VENV)/.installed-$(subst $(space),-,$(sort $(EXTRAS)))
TEST_STAMP := $(VENV)/.installed-test
DEV_STAMP := $(VENV)/.installed-dev

install: $(STAMP)
$(STAMP): pyproject.toml uv.lock
	$(call INSTALL,,$(EXTRAS),$@)
	@$(BIN)/python -m compileall -q interlock cassettes contracts probes scheduler reports
$(TEST_STAMP): pyproject.toml uv.lock
	$(call INSTALL,test,aws gcp,$@)
$(DEV_STAMP): pyproject.toml uv.lock
	$(call INSTALL,test dev,aws gcp postgres,$@)

demo: $(STAMP)
	@$(BIN)/interlock demo

run: $(STAMP)
	@$(BIN)/interlock run

test: $(TEST_STAMP)
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not ($(SLOW))"

check: $(DEV_STAMP)
	@tools/system-packages
	@cd tests/others/node && test package-lock.json -ot node_modules/.package-lock.json || npm ci --ignore-scripts --no-audit --no-fund --silent
	$(BIN)/pytest -q --no-skips -m "$(SLOW)"

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV_STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
