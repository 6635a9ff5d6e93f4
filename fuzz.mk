# Included by the Makefile. Fuzzing is not part of `make test`, which replays tests/fuzz/corpus/ instead.

# Seconds for each of the five targets.
SECONDS ?= 60

.PHONY: fuzz
fuzz: .venvs/fuzz/.made ## Look for inputs that break a promise (SECONDS=60 for each target; KEEP=--keep grows the corpus)
	.venvs/fuzz/bin/python -m tests.fuzz --seconds $(SECONDS) $(KEEP)
