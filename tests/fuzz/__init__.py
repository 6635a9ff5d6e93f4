"""Coverage-guided fuzzing of all that strangers can write: tokens, events, key sets (``docs/threat-model.md``).

``make fuzz SECONDS=600`` runs it; ``corpus/`` holds the inputs that reached something new, and
``tests/security/test_costs.py`` replays them in each test run.
"""
