# Everything that is run by hand or by a CI. `make` lists it. GNU make from 3.81 on (macOS) is enough.

BIN := .venv/bin
SAM := .venvs/sam/bin/sam
MINISTACK := .venvs/ministack/bin/ministack
# Where MkDocs is, which this alone of our code imports.
DOCS := .venvs/docs/bin/python
HOOKS := docs/website/hooks.py
CHECKED := $(wildcard authorizer/* devkit/* packaging/jwt_authorizer_packaging demo benchmarks tests scripts/*.py examples/backend examples/*/backend \
	examples/serverless-framework) \
	$(filter-out $(HOOKS),$(wildcard docs/website/*.py))
# The core: `authorize` and what it calls. Their tests take a few seconds.
CORE := authorize answers claims events keys policies records rules tokens
UNIT := $(wildcard tests/unit tests/vectors tests/properties tests/security)
# On each processor of the machine at once, up to eight.
EACH := -n auto --maxprocesses=8 --dist=worksteal
# Two files at a time: most of their time is for processes that they started. What a file sets up is set up once.
BY_FILE := -n 2 --dist=loadfile
# Counted here, judged by `make coverage`.
COVER := --cov --cov-report= --cov-fail-under=0
# What `make lock` compiles; requirements/runtime.in becomes ../requirements.txt, which the others hold to.
LOCKED := $(filter-out requirements/runtime.in,$(sort $(wildcard requirements/*.in)))
# What is Node's: the peers that `make bench` measures, and the commands that two examples are deployed with.
NODE_LOCKS := $(wildcard benchmarks/node/package-lock.json cdk-construct/package-lock.json examples/*/package-lock.json examples/*/client/package-lock.json \
	tests/e2e/*/package-lock.json)
# Those that the end-to-end tests run.
NODE_TESTED := $(filter-out benchmarks/%,$(NODE_LOCKS))
LOCK := .venvs/boot/bin/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"

# The architecture of `make build`: arm64 or x86_64.
ARCH ?= arm64

export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
# Steps are in the order in which failures come soonest.
.NOTPARALLEL:

.PHONY: help
help: ## List what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Environments: a stamp each, so that a second run is instant and a changed requirement file installs again.

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

# A minute of compiling the CDK for ten seconds of use.
.venvs/examples/.made: export UNCOMPILED := 1

.PHONY: setup
setup: .venv/.made .venvs/sam/.made .venvs/ministack/.made .venvs/docs/.made ## Install everything into this folder (other targets do so as needed)

## Checks and tests.

.PHONY: test-fast
test-fast: .venv/.made ## On save: format, lint, types of what is deployed, unit tests of the core (10 s)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy authorizer/jwt_authorizer
	$(BIN)/pytest --quiet $(wildcard $(foreach room,$(CORE),tests/unit/test_$(room)*.py)) $(EACH)

.PHONY: check
check: lint quick ## Before a push: format, lint, spelling, links, types, layers, all but the tests that start other programs (a minute)

.PHONY: test
test: lint unit integration coverage e2e ## Every check and every test
	@echo "make test: all passed"

.PHONY: lint
lint: .venv/.made workflows spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory types

# Typos, and one English: American, as in "authorizer". pyproject.toml says which files. Links are tests/unit/test_docs.py's.
.PHONY: spelling
spelling: .venvs/tools/.made
	.venvs/tools/bin/codespell

# Their form, by GitHub's own schema, and what an attacker could make of them; offline, so no action is looked up.
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

# Every branch of authorizer/ by now, or pyproject.toml says why not.
.PHONY: coverage
coverage: .venv/.made
	$(BIN)/coverage report --skip-covered

.PHONY: e2e
e2e: .venv/.made $(foreach name,sam ministack tools examples node,.venvs/$(name)/.made)
	@$(BIN)/mypy --python-executable .venvs/examples/bin/python examples/cdk/*.py
	$(BIN)/pytest tests/e2e $(BY_FILE) --timeout=300

.PHONY: mutants
mutants: .venv/.made ## Break the core on purpose, in each way of scripts/mutants.toml: do the tests notice? (half an hour)
	$(BIN)/python scripts/mutate.py

.PHONY: fmt
fmt: .venv/.made ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: generate
generate: .venv/.made ## Write template.yaml and the tables of settings from their sources
	@$(BIN)/python -m jwt_authorizer_packaging.generate

## The demo, the package, the measurements.

.PHONY: demo
demo: .venv/.made .venvs/sam/.made .venvs/ministack/.made ## Three APIs behind the authorizer, on a local AWS, and what each answers
	@$(BIN)/python -m demo

.PHONY: build
build: .venv/.made .venvs/sam/.made ## Build the function's package with SAM (ARCH=arm64 or x86_64)
	. scripts/index.sh && $(SAM) build --parameter-overrides Architecture=$(ARCH)

.PHONY: release
release: .venv/.made .venvs/tools/.made ## Make a release in dist/: packages, templates, bills of materials, checksums (TAG=v1.2.3 to insist on it)
	. scripts/index.sh && $(BIN)/python -m jwt_authorizer_packaging.release --tag "$(TAG)"

.PHONY: cdk
cdk: release .venvs/node/.made ## Make the CDK's construct in dist/, for npm and PyPI (after a release, whose packages it contains)
	. scripts/index.sh && $(BIN)/python -m jwt_authorizer_packaging.cdk dist

.PHONY: bench
bench: .venv/.made ## Measure what we claim about speed
	$(BIN)/python -m benchmarks

## The site of docs/.

# The theme says at each build when it ends; docs/adr/0015-site.md says what then.
.PHONY: docs
docs: .venv/.made .venvs/docs/.made ## Build the site of docs/ into site/, strictly: every link and anchor leads somewhere
	@$(BIN)/mypy --python-executable $(DOCS) $(HOOKS)
	@NO_MKDOCS_2_WARNING=1 $(DOCS) -m mkdocs build --strict
	@echo "make docs: $(CURDIR)/site/index.html"

.PHONY: docs-serve
docs-serve: .venvs/docs/.made ## Show the site at http://127.0.0.1:8000/, and again after each change
	@NO_MKDOCS_2_WARNING=1 $(DOCS) -m mkdocs serve --strict --watch README.md --watch examples

## Fuzzing is not part of `make test`, which replays tests/fuzz/corpus/ instead.

# Seconds for each of the five targets.
SECONDS ?= 60

.PHONY: fuzz
fuzz: .venvs/fuzz/.made ## Look for inputs that break a promise (SECONDS=60 for each target; KEEP=--keep grows the corpus)
	.venvs/fuzz/bin/python -m tests.fuzz --seconds $(SECONDS) $(KEEP)

## Requirements.

.PHONY: lock
lock: .venvs/boot/.made ## Write the requirement files anew from requirements/*.in, keeping versions that still fit
	. scripts/index.sh && $(LOCK) $(UPGRADE) requirements/runtime.in -o requirements.txt
	. scripts/index.sh && for name in $(LOCKED:.in=); do $(LOCK) $(UPGRADE) $$name.in -o $$name.txt || exit 1; done

# Nothing of Node's is deployed, so there what stops anybody is high or critical.
.PHONY: audit
audit: .venvs/tools/.made ## Ask for known vulnerabilities of all that is pinned (needs the internet and npm, so no part of `make test`)
	for file in requirements.txt requirements/*.txt; do echo "$$file" && \
		.venvs/tools/bin/pip-audit --strict --progress-spinner off --require-hashes --disable-pip -r $$file || exit 1; done
	for file in $(NODE_LOCKS); do echo "$$file" && \
		(cd "$$(dirname "$$file")" && npm audit --package-lock-only --audit-level=high) || exit 1; done

.PHONY: upgrade
upgrade: UPGRADE := --upgrade
upgrade: lock ## The same with the newest versions

.PHONY: clean
clean: ## Remove what was built or cached; environments stay (remove .venv and .venvs for those)
	rm -rf site dist .aws-sam .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find $(CHECKED) -name __pycache__ -type d -prune -exec rm -rf {} +
