# Two commands matter: `make demo` and `make test`. Each works alone, from a bare checkout.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The page's tools use the Node that setup chose.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help setup demo test lint page-test nightly bench bench-quick claims sentences vectors sbom clean

help:
	@echo 'make demo     everything on this machine: a writer, an audience, a desk (ARGS=--browser for a real one)'
	@echo 'make test     what must hold before a change is taken'
	@echo 'make lint     its first part only: style, types, borders between modules'
	@echo 'make nightly  the slow tests too; output goes to docs/nightly/'
	@echo 'make bench    what the roles can do on this machine; a table, then JSON (make bench-quick: less)'
	@echo 'make claims   deletes each guard of docs/claims.md and demands that its test fails (ARGS="--only 14")'
	@echo 'make sentences  lists new sentences in docs/sentences.txt, for somebody to judge'
	@echo 'make vectors  makes the test vectors again'
	@echo 'make sbom     lists what ships, with its licences, out of the locks'
	@echo 'make setup    what all of these do first'
	@echo 'make clean    removes what setup and the tests made'

setup:
	@sh tools/setup.sh

demo: setup
	.venv/bin/wallflower demo $(ARGS)

lint: setup
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	if [ -e page/package-lock.json ]; then cd page && npm run --if-present lint; fi

page-test: setup
	if [ -e page/package-lock.json ]; then cd page && npm test; fi

# Pytest comes last and -rs names every skipped test with its reason just above the closing lines.
test: setup
	sh tools/tests.sh $(ARGS)

# Part after part, each with its limit and its file; ARGS=--list names them, ARGS='kills fuzz' runs two.
nightly:
	WITH_FUZZER=1 WITH_BENCH=1 sh tools/setup.sh
	python tools/nightly.py $(ARGS)

# Figures of a machine that does something else meanwhile say little: compare the ratios of one run.
bench:
	WITH_BENCH=1 sh tools/setup.sh
	python -m bench $(ARGS)

bench-quick:
	WITH_BENCH=1 sh tools/setup.sh
	python -m bench --quick $(ARGS)

claims: setup
	mkdir -p docs/nightly
	{ date -u '+%Y-%m-%d %H:%M UTC'; python --version; uname -sm; python -m tests.claims $(ARGS); } 2>&1 \
	  | tee -a "docs/nightly/$$(date -u +%F)-claims.txt"

sentences: setup
	python -m tests.claims.sentences

# From the spec alone first, then by each implementation. What is sealed is kept as long as it opens:
# on an unchanged tree, `git diff vectors` stays empty.
vectors: setup
	python vectors/assemble.py
	python vectors/make_python.py
	cd page && npm run vectors

sbom: setup
	sh tools/sbom.sh

clean:
	rm -rf .venv .setup page/node_modules src/wallflower/campaign/page \
	  .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
