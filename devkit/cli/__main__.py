"""``python -m devkit.cli``: the command, from a checkout that is not installed."""

from devkit.cli.app import main

main()
