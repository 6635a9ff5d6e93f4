"""``python -m jwt_authorizer_devkit.cli``: the command, from a checkout that is not installed."""

from jwt_authorizer_devkit.cli.app import main

main()
