# NAP Explorer. `make` alone lists the commands. On Windows, use the plain pip commands in README.md.

PORT    ?= 8501
ADDRESS ?= 127.0.0.1
REFERENCE ?= ../shared
CIFAR10 ?= data
VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check install

# A Python that is 3.11 or newer and can make virtual environments; `python3` first, because it is the user's own choice.
SUITABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	if "$$python" -c '$(SUITABLE)' >/dev/null 2>&1; then echo "$$python"; break; fi; done)

# Each stamp is the moment at which what it depends on was installed: newer requirements are installed again, else nothing.
READY     := $(VENV)/.ready
APP_DEPS  := $(VENV)/.requirements
TEST_DEPS := $(VENV)/.requirements-dev

.DEFAULT_GOAL := help
.PHONY: help app test test-all lint lint-js types format docs fidelity imagenet search analyses bench

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

app: $(APP_DEPS) ## start the app on http://127.0.0.1:8501 (PORT=8600: another port; ADDRESS=0.0.0.0: the whole network)
	@echo "NAP Explorer: http://$(ADDRESS):$(PORT) (Ctrl+C stops it)"
	@STREAMLIT_LOGGER_HIDE_WELCOME_MESSAGE=true \
		$(BIN)/python -m streamlit run app.py --server.address $(ADDRESS) --server.port $(PORT)

UNIT_TESTS := $(BIN)/python -m pytest --ignore=tests/e2e

# In one process: a second one imports torch, collects and extracts the shared study once more, which costs half as much
# again of the processor's time. `make test-all` takes a process a core.
test: lint types ## lint, types, then the quick tests, without a browser
	$(UNIT_TESTS) -m "not slow"

test-all: lint types ## lint, types, then every test: the slow ones too, and the browser tests where Chromium is found
	$(UNIT_TESTS) --numprocesses=auto --dist=loadfile
	$(BIN)/python -m pytest tests/e2e

lint: $(TEST_DEPS) lint-js ## check style, format and the import contract; the browser components where Node is
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

lint-js: # the JavaScript of the browser components, where Node is installed: the app itself needs none
	@if [ -x node_modules/.bin/eslint ]; then npx --no-install eslint pages/components/static; \
	elif command -v npm >/dev/null 2>&1; then npm ci --no-audit --no-fund && npx --no-install eslint pages/components/static; \
	else echo "Left out: ESLint of pages/components/static, because Node and npm are not installed (nodejs.org)."; fi

types: $(TEST_DEPS) ## check the types of nap_core, the pages and app.py
	$(BIN)/mypy

format: $(TEST_DEPS) ## mend what lint can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(TEST_DEPS) ## make the README's table and screenshots again
	$(BIN)/python assets/build/build_docs.py

$(TEST_DEPS): requirements-dev.txt requirements-extra.txt requirements.txt $(READY)
	@echo "Installing requirements-dev.txt into $(VENV) (minutes the first time; torch is large) ..."
	$(PIP) -r requirements-dev.txt
	@touch $(APP_DEPS) $(TEST_DEPS)

$(APP_DEPS): requirements.txt $(READY)
	@echo "Installing requirements.txt into $(VENV) (minutes the first time; torch is large) ..."
	$(PIP) -r requirements.txt
	@touch $(APP_DEPS)

$(READY):
	@python="$(PYTHON)"; python="$${python:-python3}"; \
	if ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "NAP Explorer needs Python 3.11 or newer, and $$python is: $$("$$python" --version 2>&1)."; \
		echo "Install one from python.org or your system's packages, or name one: make PYTHON=/path/to/python3"; \
		exit 1; \
	fi; \
	if ! "$$python" -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$$python has no venv module. Debian and Ubuntu: apt install python3-venv"; \
		exit 1; \
	fi; \
	"$$python" -m venv $(VENV)
	@touch $(READY)

fidelity: $(TEST_DEPS) ## measure every method beside its published figures (REFERENCE, CIFAR10: folders with the data)
	$(BIN)/python assets/build/build_fidelity.py --reference $(REFERENCE) --cifar10 $(CIFAR10)

imagenet: $(TEST_DEPS) ## measure an ImageNet network on photographs, textures and scenes (REFERENCE: folder with the data)
	$(BIN)/python assets/build/build_imagenet.py --reference $(REFERENCE)

search: $(TEST_DEPS) ## search w on the papers' CIFAR-10 network, an hour (REFERENCE, CIFAR10: folders with the data)
	$(BIN)/python assets/build/build_weight_search.py --reference $(REFERENCE) --cifar10 $(CIFAR10)

analyses: $(TEST_DEPS) ## measure score designs, the oracle and layers there (REFERENCE, CIFAR10: folders with the data)
	$(BIN)/python assets/build/build_score_designs.py --reference $(REFERENCE) --cifar10 $(CIFAR10)
	$(BIN)/python assets/build/build_layers.py --reference $(REFERENCE) --cifar10 $(CIFAR10)

bench: $(TEST_DEPS) ## compare speeds within one run: decoding, extraction, methods, a study of ImageNet's size
	$(BIN)/python assets/build/benchmark --write
