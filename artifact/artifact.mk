# What `sam build` runs to put the function's package together.
#
# SAM tells a makefile where the package goes (ARTIFACTS_DIR) but not for which architecture. The template
# therefore names this file's folder by its Architecture parameter: see ContextPath in template.yaml.
# `make` runs in a scratch copy of authorizer/; the recipe works from the project's own folder instead, since
# it needs requirements.txt and must not depend on what else lies about.

artifact_mk := $(abspath $(lastword $(MAKEFILE_LIST)))
project := $(abspath $(dir $(artifact_mk))..)
PYTHON ?= $(firstword $(wildcard $(project)/.venv/bin/python) python3)

# Both functions are the same package with another handler. SAM builds each on its own.
.PHONY: build-AuthorizerFunction build-RefresherFunction
build-AuthorizerFunction build-RefresherFunction:
	@cd "$(project)" && . tools/index.sh && \
		"$(PYTHON)" artifact/assemble.py --architecture $(ARCHITECTURE) --into "$(ARTIFACTS_DIR)"
