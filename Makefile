# Tidings: `make serve` runs it, `make test` tests it. Each first makes the environment it needs, once.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help serve test test-quick coverage check format bench docs requirements clean

VENV ?= .venv
PYTHON ?= python3
export VENV PYTHON
BIN = $(VENV)/bin

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

serve: ## run the server and print its URL; PORT= HOST= STORE= choose, TIDINGS_… variables set the rest
	@scripts/environment serve
	@scripts/bundle
	@exec $(BIN)/python -m tidings serve $(if $(HOST),--host '$(HOST)') $(if $(PORT),--port '$(PORT)') $(if $(STORE),--store '$(STORE)')

test: ## run the tests; ARGS= goes to pytest
	@scripts/environment dev
	@scripts/node-modules
	@scripts/bundle
	$(BIN)/python -m pytest $(ARGS)

test-quick: ## run the tests that need no browser and take less than ten seconds each: at most four minutes
	@scripts/environment dev
	@scripts/node-modules
	@scripts/bundle
	$(BIN)/python -m pytest -m 'not slow and not browser' --numprocesses=2 --dist=loadfile $(ARGS)

coverage: ## run the tests, measured by line and branch, and fail if a file of the library is below 95 %
	@scripts/environment dev
	@scripts/node-modules
	@scripts/bundle
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/python -m scripts.coverage_floor

check: ## check every file: format, lint, types, the rules of the house, and the words
	@scripts/environment dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_house.py tests/test_words.py tests/web/test_house_js.py
	scripts/check-js

format: ## write files the way `make check` wants them
	@scripts/environment dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: ## measure, side by side with others, and write the table of docs/performance.md
	@scripts/environment dev
	@scripts/bundle
	$(BIN)/python -m bench $(ARGS)

docs: ## build the documentation to site/
	@scripts/environment docs
	$(BIN)/mkdocs build --strict

requirements: ## pin every dependency again, by version and hash; ARGS=--upgrade for newer ones
	@scripts/environment dev
	$(COMPILE) --group build -o requirements/build.txt
	$(COMPILE) pyproject.toml --extra server --extra langchain --extra oidc --extra otlp --extra postgres -c requirements/build.txt -o requirements/serve.txt
	$(COMPILE) pyproject.toml --extra server --extra langchain --extra oidc --extra otlp --extra postgres --group dev -c requirements/build.txt -c requirements/serve.txt -o requirements/dev.txt
	$(COMPILE) --group docs -c requirements/build.txt -c requirements/dev.txt -o requirements/docs.txt

COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate \
	--custom-compile-command 'make requirements' $(ARGS)

clean: ## remove what the other targets made, but no store
	rm -rf src/tidings/web/bundle $(VENV) $(VENV).lock $(VENV).log .roots dist site bench/build .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
