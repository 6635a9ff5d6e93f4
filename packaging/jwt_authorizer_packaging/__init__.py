"""Building the function's package; see ``artifact.mk``."""
