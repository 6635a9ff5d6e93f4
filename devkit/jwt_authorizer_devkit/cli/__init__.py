"""The command ``jwt-authorizer``: one module for each of its commands."""
