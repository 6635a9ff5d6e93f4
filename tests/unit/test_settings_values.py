"""One setting's value, from an environment variable's text or from TOML: what is read, and what is refused in words."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest

from jwt_authorizer.claim_conditions import Claim, parse_claim, parse_condition
from jwt_authorizer.contexts import RESERVED_KEYS
from jwt_authorizer.settings import claim_values, issuer_values, values
from jwt_authorizer.settings.raw import RawSettings, RawValue, read_raw
from jwt_authorizer.settings.table import HOOK, RESOURCE_METADATA
from jwt_authorizer.tokens import TokenLocation, TokenSource

NAN, INFINITY = float("nan"), float("inf")


def called(value: object) -> str:
    if isinstance(value, frozenset):
        return str(sorted(value))  # a set has no order, and processes that share the tests have to agree on names
    return str(getattr(value, "__name__", repr(value)))[:60]


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (values.string, " a text ", "a text"),
        (issuer_values.issuer, "https://a.example.com/commons,inc/x@y", "https://a.example.com/commons,inc/x@y"),
        (values.exact_strings, "api://*/a, b", ("api://*/a", "b")),
        (issuer_values.locations, '{"keys": ["a,https://b"]}', ('{"keys": ["a,https://b"]}',)),
        (values.strings, "a, b ,c", ("a", "b", "c")),
        (values.strings, ["a,b", " c "], ("a,b", "c")),
        (values.scopes, "orders:read, orders:write  admin", ("orders:read", "orders:write", "admin")),
        (values.boolean, True, True),
        (values.boolean, " TRUE ", True),
        (values.seconds(0), " 0.5 ", 0.5),
        (values.seconds(0, 10), 10, 10.0),
        (values.seconds(0, 10), 0, 0.0),
        (values.count, 0, 0),
        (values.count, 2.0, 2),
        (values.algorithms, ["EdDSA"], frozenset({"EdDSA", "Ed25519"})),
        (values.algorithms, "Ed25519", frozenset({"Ed25519"})),
        (values.token_types, "at+JWT,application/jwt", frozenset({"at+jwt", "jwt"})),
        (claim_values.required_claims, '{"token_use": "access"}', (parse_condition("token_use", "access"),)),
        (claim_values.required_claims, {"/a": {"all": [1, None]}}, (parse_condition("/a", {"all": [1, None]}),)),
        (claim_values.claim, " /a/b~1c ", Claim("/a/b~1c", ("a", "b/c"))),
        (claim_values.claims, "sub, /a/b", (Claim("sub", ("sub",)), Claim("/a/b", ("a", "b")))),
        (
            values.token_sources,
            "cookie:session, header:X-Token",
            (TokenSource(TokenLocation.COOKIE, "session"), TokenSource(TokenLocation.HEADER, "X-Token")),
        ),
        (claim_values.context_claims, "a, b = x:y", (("a", parse_claim("a")), ("b", parse_claim("x:y")))),
        (claim_values.context_claims, {"a": "/b"}, (("a", parse_claim("/b")),)),
    ],
    ids=called,
)
def test_what_is_read(read: Callable[[object], object], value: object, expected: object) -> None:
    result = read(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (values.string, "  ", "expected a string that is not empty"),
        (issuer_values.issuer, "https://a.example.com/.well-known/oauth-authorization-server/x", "discovery document"),
        (issuer_values.issuer, "https://a.example.com https://b.example.com", "several issuers"),
        (issuer_values.issuer, "https://login.microsoftonline.com/<tenant>/v2.0", "placeholder"),
        (issuer_values.issuer, "https://${DOMAIN}/", "placeholder"),
        (issuer_values.issuer, "https://user:password@a.example.com", "user name"),
        (issuer_values.issuer, "https://login.microsoftonline.us/organizations/v2.0", "any tenant"),
        (issuer_values.issuer, "https://login.partner.microsoftonline.cn/common/v2.0", "any tenant"),
        (issuer_values.issuer, "https://sts.chinacloudapi.cn/common/", "any tenant"),
        *((issuer_values.issuer, f"{quote}https://a.example.com", "quotes included: leave") for quote in "\"'["),
        (issuer_values.issuer, "a\nb", "white space"),
        (issuer_values.issuer, "https://sts.windows.net/consumers/", "any tenant"),
        (issuer_values.issuer, "https://a.example.com/ x", "white space"),
        (values.exact_strings, ["a", "*"], "never matches"),
        (values.exact_strings, '["a", "b"]', "brackets and quotes"),
        (values.exact_strings, "https://a.example.com https://b.example.com", "white space"),
        (values.exact_strings, "a\nb", "white space"),
        (values.exact_strings, "https://{tenant}.example.com", "placeholder"),
        (values.exact_strings, "api://<client-id>", "placeholder"),
        (values.exact_strings, "$(API)", "placeholder"),
        (values.token_types, "at+jwt,application/", "is not a token type"),
        (claim_values.claim, '"sub"', "brackets and quotes"),
        (claim_values.claims, "scope,*", "not the name of a claim"),
        (claim_values.context_claims, "mail='email'", "brackets and quotes"),
        (issuer_values.locations, "https://a.example.com/keys,https://b.example.com/keys", "lists several URLs"),
        (issuer_values.introspection, "https://a.example.com/.well-known/openid-configuration", "write discovery, or"),
        *((HOOK.read, hook, "must be module:function") for hook in ("checks", "checks:check()", "../checks:check")),
        *(
            (RESOURCE_METADATA.read, f"https://a.example.com/{end}", "must be one https:// URL")
            for end in (",https://b.example.com/x", '", error="none', "\\", "\r\nX: y", "\u00e4")
        ),
        (issuer_values.locations, ["https://a.example.com/.well-known/openid-configuration"], "is not a key set"),
        (values.strings, "a,", "no empty one"),
        (values.strings, [], "at least one value"),
        (values.strings, ["a", 5], "expected a list of strings"),
        (values.scopes, " , ", "at least one value"),
        (values.scopes, ["orders read"], "is not a scope"),
        (values.boolean, "yes", "expected true or false"),
        (values.boolean, 1, "expected true or false"),
        (values.seconds(0), "-1", "at least 0"),
        (values.seconds(1), "0.9", "at least 1"),
        (values.seconds(0, 25), "25.1", "at least 0 and at most 25"),
        (values.seconds(0), NAN, "a number of seconds"),
        (values.seconds(0), -INFINITY, "a number of seconds"),
        (values.seconds(0), "1e3", "a number of seconds"),
        (values.seconds(0), True, "a number of seconds"),
        (values.seconds(0), 1e12, "a number of seconds"),
        (values.seconds(0), "60s", "a number of seconds"),
        (values.count, "1.5", "whole number"),
        (values.count, False, "whole number"),
        (values.algorithms, "none", "never accepted"),
        (values.algorithms, "RS256,HS256", "HS256 is never accepted"),
        (values.algorithms, "hs512", "never accepted"),
        (values.algorithms, "RS255", "is not supported; expected some of ES256, "),
        (claim_values.required_claims, "token_use=access", "expected a JSON object"),
        (claim_values.required_claims, "[" * 100_000, "expected a JSON object"),
        (claim_values.required_claims, "[]", "expected an object"),
        (claim_values.required_claims, {}, "expected an object"),
        (claim_values.required_claims, '{"a": ' + "1" * 5000 + "}", "a number has 5000 digits"),
        (claim_values.required_claims, '{"a": NaN}', "nan or infinite"),
        (claim_values.required_claims, '{"a": 1, "a": 2}', "a is listed twice"),
        (claim_values.required_claims, '{"a": {"all": 1, "all": 2}}', "all is listed twice"),
        (claim_values.claim, "/a~b", "is not a JSON Pointer"),
        (claim_values.context_claims, "email,/a/b", "a claim pointer needs a key of its own: b=/a/b"),
        (claim_values.context_claims, {"a": "/b~"}, "is not a JSON Pointer"),
        (values.token_sources, "header:", "is not a token source"),
        (values.token_sources, "body:token", "is not a token source"),
        (values.token_sources, "header:a:b", "is not a token source"),
        (claim_values.context_claims, "a b", "is not a context key"),
        (claim_values.context_claims, "email=", "names no claim"),
        (claim_values.context_claims, "a,email,email=mail", "the context key 'email' is listed twice"),
        (claim_values.context_claims, {"a": "b", "email": 5}, 'email must name a claim: expected key = "claim"'),
    ],
    ids=called,
)
def test_what_is_refused(read: Callable[[object], object], value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(value)


def test_the_context_keys_of_every_answer_and_of_api_gateway_are_reserved() -> None:
    written = {"sub", "iss", "exp", "scope", "claims", "tenant", "error", "reason", "required_scope"}
    # API Gateway developer guide, "Variables for access logging": $context.authorizer.*
    api_gateways = {"integrationLatency", "integrationStatus", "latency", "requestId", "status", "principalId"}
    assert written | api_gateways <= RESERVED_KEYS
    for key in RESERVED_KEYS:
        with pytest.raises(ValueError, match="is taken"):
            claim_values.context_claims(f"{key}=email")


# ---------------------------------------------------------------------------------------------------------------
# Settings as written, from the environment or from a TOML document: where each goes, and what is wrong with it.


ONE_ISSUER = '[[issuers]]\nissuer = "https://a.example.com"\n'


def read(environment: Mapping[str, str]) -> RawSettings:
    return read_raw(environment, Path())


def read_document(document: str, **environment: str) -> RawSettings:
    return read({"JWT_CONFIG": document, **environment})


def problems(raw: RawSettings) -> dict[str, str]:
    return {problem.name: problem.message for problem in raw.problems}


def test_a_variable_set_to_nothing_counts_as_not_set() -> None:
    raw = read({"JWT_AUDIENCE": "", "JWT_CACHED_BY": "  ", "JWT_CONFIG": " ", "JWT_NO_SUCH_THING": ""})
    assert [issuer.written for issuer in raw.issuers] == [{}]
    assert raw.document.written == {}
    assert raw.problems == []


@pytest.mark.parametrize("value", [None, 60, True, ["a"], b"a"])
def test_a_mapping_with_other_values_than_texts_is_a_problem(value: object) -> None:
    found = problems(read(cast("Mapping[str, str]", {"JWT_AUDIENCE": value, "PATH": value})))
    assert found == {"JWT_AUDIENCE": f"expected a string, as in an environment variable, not {type(value).__name__}"}


def test_an_unknown_variable_is_a_problem_with_a_suggestion() -> None:
    found = problems(read({"JWT_AUDIENC": "a", "JWT_XXXXXXXXXXXXXXXX": "b"}))
    assert found["JWT_AUDIENC"] == "there is no such setting: did you mean JWT_AUDIENCE?"
    assert found["JWT_XXXXXXXXXXXXXXXX"].startswith("there is no such setting; there are JWT_ALGORITHMS, ")


def test_beside_a_document_its_settings_are_no_longer_variables() -> None:
    found = problems(read_document(ONE_ISSUER, JWT_AUDIENCE="a", JWT_CONTEXT_CLAIMS="email"))
    assert "(audience = … under [[issuers]])" in found["JWT_AUDIENCE"]
    assert '(under [context]: key = "claim")' in found["JWT_CONTEXT_CLAIMS"]


def test_beside_a_document_the_later_settings_may_be_variables_but_not_both() -> None:
    assert read_document(ONE_ISSUER, JWT_CACHED_BY="route").document.written == {
        "cached_by": RawValue("JWT_CACHED_BY", "route")
    }
    both = read_document(f'cached_by = "route"\n{ONE_ISSUER}', JWT_CACHED_BY="route")
    assert problems(both) == {"cached_by": "is set here and as JWT_CACHED_BY: keep one of them"}


@pytest.mark.parametrize(
    ("document", "name", "message"),
    [
        ("", "issuers", "expected at least one [[issuers]] table"),
        ('issuers = "https://a.example.com"', "issuers", "expected at least one [[issuers]] table"),
        ("issuers = [5]", "issuers[0]", "expected a table: write [[issuers]] above it"),
        (f"leeway = 5\n{ONE_ISSUER}", "leeway", "there is no such setting: did you mean leeway_seconds?"),
        (f'issuer = "https://a.example.com"\n{ONE_ISSUER}', "issuer", "did you mean issuers?"),
        *((f'{name} = "a"\n{ONE_ISSUER}', name, "there is no such setting") for name in ("config", "context_claims")),
        (f"{ONE_ISSUER}cached_by = 5", "issuers[0].cached_by", "there is no such setting of an issuer; there are"),
        ("a b =", "JWT_CONFIG", "is not a TOML document: Expected"),
        ("a = " + "[" * 100_000, "JWT_CONFIG", "is not a TOML document: "),
    ],
)
def test_a_wrong_document_says_where_and_what(document: str, name: str, message: str) -> None:
    found = problems(read_document(document or "#"))
    assert list(found) == [name]
    assert message in found[name]
