"""How property tests run: see ``--hypothesis-profile``; ``make test`` asks for ``thorough``."""

from hypothesis import settings

# No deadline: a busy machine is no defect. The same examples each time: a check that fails, fails for everyone.
settings.register_profile("quick", max_examples=15, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=200, deadline=None, derandomize=True, print_blob=True)
# New examples each time, many of them: for a machine that has the night.
settings.register_profile("explore", max_examples=5000, deadline=None, print_blob=True)
settings.load_profile("quick")
