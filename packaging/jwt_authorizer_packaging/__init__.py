"""Build the function's package (see ``artifact.mk``), the template, and releases."""
