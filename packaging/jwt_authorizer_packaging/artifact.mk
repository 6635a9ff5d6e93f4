# What `sam build` runs to put the function's package together.
#
# SAM tells a makefile where the package goes (ARTIFACTS_DIR) but not for which architecture. The template
# therefore names this file's folder by its Architecture parameter: see ContextPath in template.yaml.
# `make` runs in a scratch copy of authorizer/; the recipe works from the project's own folder instead, since
# it needs requirements.txt and must not depend on what else lies about.

# `project` comes from the makefile that includes this one. Its path may hold spaces, of which make's own functions
# know nothing: the shell asks, in quotes.
PYTHON ?= $(shell test -x "$(project)/.venv/bin/python" && echo "$(project)/.venv/bin/python" || echo python3)

# All functions are the same package with another handler. SAM builds each on its own.
build-%:
	@cd "$(project)" && . scripts/index.sh && \
		"$(PYTHON)" packaging/jwt_authorizer_packaging/assemble.py --architecture $(ARCHITECTURE) --into "$(ARTIFACTS_DIR)"
