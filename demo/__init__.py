"""An API behind the authorizer, on this machine, by one command: ``python -m demo``."""
