"""The fuzzer's corpus is replayed: what once reached something new, or broke a promise, is tried in each run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.policies import PROBES, allows, check_policy
from tests.fuzz.targets import NOW, TARGETS, check_let_in, claims

CORPUS = Path(__file__).resolve().parents[1] / "fuzz" / "corpus"


@pytest.mark.parametrize("target", TARGETS)
def test_what_the_fuzzer_found_holds(target: str) -> None:
    inputs = sorted((CORPUS / target).iterdir())
    assert inputs
    for found in inputs:
        try:
            TARGETS[target](found.read_bytes())
        except BaseException as error:
            error.add_note(f"the input is {found.name}")
            raise


def test_the_corpus_lets_some_in() -> None:
    """A corpus of nothing but refusals would prove nothing about what is allowed."""
    allowed = [found for found in (CORPUS / "tokens").iterdir() if found.read_bytes()[:1] == b"s"]
    assert len(allowed) > 10
    assert any(b"GOOD" in found.read_bytes() for found in (CORPUS / "events").iterdir())
    assert any(b'"EC"' in found.read_bytes() for found in (CORPUS / "key_sets").iterdir())
    assert (CORPUS / "proofs" / "0dd62670f5b7").read_bytes() == b"HEADER\nCLAIMS"


def test_policies_are_evaluated_as_iam_does() -> None:
    everything = [{"Effect": "Allow", "Resource": ["arn:x/prod/*"]}]
    assert allows(everything, "arn:x/prod/GET/admin")
    denied = [*everything, {"Effect": "Deny", "Resource": ["arn:x/prod/GET/adm?n"]}]
    assert not allows(denied, "arn:x/prod/GET/admin")
    assert allows(denied, "arn:x/prod/GET/${*}")
    literal = [{"Effect": "Allow", "Resource": ["arn:x/prod/GET/${*}"]}]
    assert allows(literal, "arn:x/prod/GET/*")
    assert not allows(literal, "arn:x/prod/GET/admin")
    with pytest.raises(AssertionError, match="variable"):
        allows([{"Effect": "Allow", "Resource": ["arn:x/${aws:username}"]}], "arn:x/y")
    assert set(PROBES.values()) == {True, False}


@pytest.mark.parametrize("resource", ["*", "GET/orders/*", "*/orders/1", "GET/orders/special", "G?T/admin"])
def test_a_policy_that_allows_too_much_is_told(resource: str) -> None:
    event = {"type": "TOKEN", "methodArn": "arn:x/prod/GET/orders/1"}
    fine = [{"Effect": "Allow", "Resource": ["arn:x/prod/GET/orders/1"]}]
    check_policy(event, "allow", {"policyDocument": {"Statement": fine}})
    wide = [*fine, {"Effect": "Allow", "Resource": [f"arn:x/prod/{resource}"]}]
    with pytest.raises(AssertionError, match="the policy allows"):
        check_policy(event, "allow", {"policyDocument": {"Statement": wide}})
    with pytest.raises(AssertionError, match="does not say deny"):
        check_policy(event, "deny", {"policyDocument": {"Statement": fine}})


def test_a_token_that_is_let_in_wrongly_is_told() -> None:
    good = claims()
    check_let_in({"alg": "ES256"}, good)
    for header, payload in (
        ({"alg": "none"}, good),
        ({"alg": "ES256", "kid": "x"}, good),
        ({"alg": "ES256", "crit": []}, good),
        ({"alg": "ES256"}, claims(iss="x")),
        ({"alg": "ES256"}, claims(aud=["x"])),
        ({"alg": "ES256"}, claims(exp=NOW - 60)),
        ({"alg": "ES256"}, claims(nbf=NOW + 61)),
        ({"alg": "ES256"}, claims(sub="")),
    ):
        with pytest.raises(AssertionError):
            check_let_in(header, payload)
