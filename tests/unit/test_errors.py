"""Reason codes are public: they may be added to, never renamed."""

from __future__ import annotations

from jwt_authorizer.errors import (
    HEALED_BY_WAITING,
    AuthorizerError,
    DecisionError,
    Problem,
    Reason,
    SettingsError,
    TokenError,
)

REFUSED_TOKENS = """missing_token malformed_token unsupported_algorithm unsupported_token_type unknown_issuer
unknown_key bad_signature token_expired token_not_yet_valid token_lifetime_too_long invalid_audience invalid_client
invalid_claim unsupported_binding unbound_token missing_dpop_proof invalid_dpop_proof replayed_dpop_proof
certificate_mismatch inactive_token revoked_token"""
MISSING_RIGHTS = "insufficient_scope claim_mismatch route_not_listed refused_by_hook"
UNDECIDED = """keys_unavailable invalid_event unsafe_cache response_too_large introspection_unavailable
revocation_unavailable replay_store_unavailable hook_failed internal_error"""


def test_the_codes_are_those_of_the_contract_in_its_order() -> None:
    assert [str(reason) for reason in Reason] == f"{REFUSED_TOKENS} {MISSING_RIGHTS} {UNDECIDED}".split()


def test_a_new_key_and_a_token_ahead_of_its_time_heal_by_waiting() -> None:
    assert frozenset({Reason.UNKNOWN_KEY, Reason.TOKEN_NOT_YET_VALID}) == HEALED_BY_WAITING


def test_a_refused_token_and_an_open_question_are_told_apart() -> None:
    assert issubclass(TokenError, AuthorizerError)
    assert issubclass(DecisionError, AuthorizerError)
    assert not issubclass(TokenError, DecisionError)
    assert not issubclass(SettingsError, AuthorizerError)


def test_all_problems_stand_in_the_message_one_a_line() -> None:
    first, second = Problem("A", "is wrong"), Problem("B", "is missing")
    assert str(SettingsError((first,))) == "1 problem in the authorizer's settings:\n  - A: is wrong"
    error = SettingsError((first, second))
    assert error.problems == (first, second)
    assert str(error) == "2 problems in the authorizer's settings:\n  - A: is wrong\n  - B: is missing"
