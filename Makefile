# The commands for development and CI. `make` lists them. GNU make 3.81 (macOS) or later.

BIN := .venv/bin
SAM := .venvs/sam/bin/sam
MINISTACK := .venvs/ministack/bin/ministack
# Only website/hooks.py imports MkDocs; type-check it there.
DOCS := .venvs/docs/bin/python
HOOKS := docs/website/hooks.py
CHECKED := $(wildcard authorizer/* devkit/* packaging/jwt_authorizer_packaging demo benchmarks tests scripts/*.py examples/backend examples/*/backend \
	examples/serverless-framework) \
	$(filter-out $(HOOKS),$(wildcard docs/website/*.py))
# The core: `authorize` and what it calls. Their tests take a few seconds.
CORE := authorize answers claims events keys policies records rules tokens
UNIT := $(wildcard tests/unit tests/vectors tests/properties tests/security)
# In parallel on all processors, at most eight.
EACH := -n auto --maxprocesses=8 --dist=worksteal
# Two files at a time, since they mostly wait for processes that they started. Fixtures of a file are set up once.
BY_FILE := -n 2 --dist=loadfile
# Coverage is measured here and checked by `make coverage`.
COVER := --cov --cov-report= --cov-fail-under=0
# `make lock` compiles these. requirements/runtime.in becomes ../requirements.txt, whose versions the others use too.
LOCKED := $(filter-out requirements/runtime.in,$(sort $(wildcard requirements/*.in)))
# Node packages: the peers that `make bench` measures, and the commands that deploy two examples.
NODE_LOCKS := $(wildcard benchmarks/node/package-lock.json cdk-construct/package-lock.json examples/*/package-lock.json examples/*/client/package-lock.json \
	tests/e2e/*/package-lock.json)
# The ones that the end-to-end tests run.
NODE_TESTED := $(filter-out benchmarks/%,$(NODE_LOCKS))
LOCK := .venvs/boot/bin/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"

# The architecture of `make build`: arm64 or x86_64.
ARCH ?= arm64

export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
# The fastest steps come first, so that failures show early.
.NOTPARALLEL:

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Environments. Each has a stamp file: it is installed again only if its requirement file changed.

.venvs/boot/.made: requirements/uv.txt scripts/setup.sh
	@scripts/setup.sh boot
	@touch $@

.venv/.made: .venvs/boot/.made .python-version requirements/dev.txt
	@scripts/setup.sh venv .venv requirements/dev.txt
	@touch $@

.venvs/%/.made: .venvs/boot/.made .python-version requirements/%.txt
	@scripts/setup.sh venv .venvs/$* requirements/$*.txt
	@touch $@

.venvs/node/.made: scripts/setup.sh $(NODE_TESTED)
	@scripts/setup.sh node $(NODE_TESTED)
	@mkdir -p $(@D) && touch $@

# Compiling the CDK's bytecode would take a minute, for ten seconds of use.
.venvs/examples/.made: export UNCOMPILED := 1

.PHONY: setup
setup: .venv/.made .venvs/sam/.made .venvs/ministack/.made .venvs/docs/.made ## Install everything into this folder (other targets do this as needed)

## Checks and tests.

.PHONY: test-fast
test-fast: .venv/.made ## On save: format, lint, types of the deployed code, unit tests of the core (10 s)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy authorizer/jwt_authorizer
	$(BIN)/pytest --quiet $(wildcard $(foreach room,$(CORE),tests/unit/test_$(room)*.py)) $(EACH)

.PHONY: check
check: lint quick ## Before a push: format, lint, spelling, links, types, layers, all tests that start no other programs (a minute)

.PHONY: test
test: lint unit integration coverage e2e ## Every check and every test
	@echo "make test: all passed"

.PHONY: lint
lint: .venv/.made workflows spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory types

# Typos, and American English, as in "authorizer". pyproject.toml lists the files. tests/unit/test_docs.py checks links.
.PHONY: spelling
spelling: .venvs/tools/.made
	.venvs/tools/bin/codespell

# Checks the workflows with GitHub's schema and for security problems, offline: no action is looked up.
.PHONY: workflows
workflows: .venvs/tools/.made
	.venvs/tools/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.venvs/tools/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	.venvs/tools/bin/zizmor --offline --quiet --no-progress .github

.PHONY: types
types: .venv/.made
	$(BIN)/mypy $(CHECKED)

.PHONY: quick
quick: .venv/.made
	$(BIN)/pytest $(UNIT) $(EACH)

.PHONY: unit
unit: .venv/.made
	$(BIN)/pytest $(UNIT) $(EACH) --hypothesis-profile=thorough $(COVER)

.PHONY: integration
integration: .venv/.made .venvs/sam/.made .venvs/docs/.made
	@$(BIN)/mypy --python-executable $(DOCS) $(HOOKS)
	$(BIN)/pytest tests/integration $(BY_FILE) $(COVER) --cov-append

# Every branch of authorizer/ has to be covered, except as pyproject.toml explains.
.PHONY: coverage
coverage: .venv/.made
	$(BIN)/coverage report --skip-covered

.PHONY: e2e
e2e: .venv/.made $(foreach name,sam ministack tools examples node,.venvs/$(name)/.made)
	@$(BIN)/mypy --python-executable .venvs/examples/bin/python examples/cdk/*.py
	$(BIN)/pytest tests/e2e $(BY_FILE) --timeout=300

.PHONY: mutants
mutants: .venv/.made ## Mutation tests: break the core in each way of scripts/mutants.toml, and check that a test fails (half an hour)
	$(BIN)/python scripts/mutate.py

.PHONY: fmt
fmt: .venv/.made ## Format the code and fix what the linter can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: generate
generate: .venv/.made ## Write template.yaml and the tables of settings from their sources
	@$(BIN)/python -m jwt_authorizer_packaging.generate

## The demo, the package, the measurements.

.PHONY: demo
demo: .venv/.made .venvs/sam/.made .venvs/ministack/.made ## Deploy three APIs with the authorizer to a local AWS, and show their answers
	@$(BIN)/python -m demo

.PHONY: build
build: .venv/.made .venvs/sam/.made ## Build the function's package with SAM (ARCH=arm64 or x86_64)
	. scripts/index.sh && $(SAM) build --parameter-overrides Architecture=$(ARCH)

.PHONY: release
release: .venv/.made .venvs/tools/.made ## Make a release in dist/: packages, templates, bills of materials, checksums (TAG=v1.2.3 to require that version)
	. scripts/index.sh && $(BIN)/python -m jwt_authorizer_packaging.release --tag "$(TAG)"

.PHONY: cdk
cdk: release .venvs/node/.made ## Build the CDK construct in dist/, for npm and PyPI, with the packages of `make release`
	. scripts/index.sh && $(BIN)/python -m jwt_authorizer_packaging.cdk dist

.PHONY: bench
bench: .venv/.made ## Measure our performance claims
	$(BIN)/python -m benchmarks

## The site of docs/.

# At each build the theme prints the end of its support. docs/adr/0015-site.md has the plan for then.
.PHONY: docs
docs: .venv/.made .venvs/docs/.made ## Build the site of docs/ into site/; fails on a broken link or anchor
	@$(BIN)/mypy --python-executable $(DOCS) $(HOOKS)
	@NO_MKDOCS_2_WARNING=1 $(DOCS) -m mkdocs build --strict
	@echo "make docs: $(CURDIR)/site/index.html"

.PHONY: docs-serve
docs-serve: .venvs/docs/.made ## Serve the site at http://127.0.0.1:8000/, and reload it after each change
	@NO_MKDOCS_2_WARNING=1 $(DOCS) -m mkdocs serve --strict --watch README.md --watch examples

## Fuzzing is not part of `make test`, which replays tests/fuzz/corpus/ instead.

# Seconds per target; there are five.
SECONDS ?= 60

.PHONY: fuzz
fuzz: .venvs/fuzz/.made ## Search for inputs that break a promise (SECONDS=60 for each target; KEEP=--keep adds to the corpus)
	.venvs/fuzz/bin/python -m tests.fuzz --seconds $(SECONDS) $(KEEP)

## Requirements.

.PHONY: lock
lock: .venvs/boot/.made ## Write the requirement files from requirements/*.in, with the same versions where they still fit
	. scripts/index.sh && $(LOCK) $(UPGRADE) requirements/runtime.in -o requirements.txt
	. scripts/index.sh && for name in $(LOCKED:.in=); do $(LOCK) $(UPGRADE) $$name.in -o $$name.txt || exit 1; done

# No Node package is deployed, so only high and critical vulnerabilities fail.
.PHONY: audit
audit: .venvs/tools/.made ## Check all pinned versions for known vulnerabilities (needs the internet and npm, so it is not part of `make test`)
	for file in requirements.txt requirements/*.txt; do echo "$$file" && \
		.venvs/tools/bin/pip-audit --strict --progress-spinner off --require-hashes --disable-pip -r $$file || exit 1; done
	for file in $(NODE_LOCKS); do echo "$$file" && \
		(cd "$$(dirname "$$file")" && npm audit --package-lock-only --audit-level=high) || exit 1; done

.PHONY: upgrade
upgrade: UPGRADE := --upgrade
upgrade: lock ## Write the requirement files with the newest versions

.PHONY: clean
clean: ## Remove build results and caches, but not the environments (.venv and .venvs)
	rm -rf site dist .aws-sam .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find $(CHECKED) -name __pycache__ -type d -prune -exec rm -rf {} +
