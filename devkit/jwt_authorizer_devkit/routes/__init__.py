"""Tools for rules by route: write them from an API's description, check them, and test them with cases."""
