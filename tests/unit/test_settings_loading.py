"""The environment becomes settings, or one error that names everything that is wrong."""

import sys
from collections.abc import Mapping
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest

from jwt_authorizer.answers import CachedBy, HttpApiReject, HttpApiResponse
from jwt_authorizer.claim_conditions import parse_claim, parse_condition
from jwt_authorizer.contexts import Challenge
from jwt_authorizer.errors import ErrorCode, Problem, SettingsError
from jwt_authorizer.rules import Deny
from jwt_authorizer.settings import Settings, load_settings
from jwt_authorizer.settings.claim_values import claims
from jwt_authorizer.settings.model import LogAllowed, LogPrincipal
from jwt_authorizer.tokens import TokenLocation, TokenSource
from jwt_authorizer_packaging.bytecode import keep_parsed
from tests.factories import AUDIENCE, AUTHORIZATION, ISSUER, environment, principal

ACCESS = (parse_condition("token_use", "access"),)
NOWHERE = Path("/nonexistent")
SIMPLE = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}
DOCUMENT = f"""
[[issuers]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
"""


def load(environment: Mapping[str, str], root: Path = NOWHERE) -> Settings:
    return load_settings(environment, root)


def wrong(environment: Mapping[str, str], root: Path = NOWHERE) -> dict[str, Problem]:
    with pytest.raises(SettingsError) as caught:
        load(environment, root)
    found = {problem.name: problem for problem in caught.value.problems}
    assert len(found) == len(caught.value.problems)
    return found


JWKS = environment()["JWT_JWKS"]
DEFAULT_ALGORITHMS = {f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)} | {"EdDSA", "Ed25519"}
QUERY = TokenSource(TokenLocation.QUERY, "token")
METADATA = "https://api.example.com/.well-known/oauth-protected-resource"
# Where each variable arrives, what is there without it, and with this value.
ARRIVES: list[tuple[str, str, str, object, object]] = [
    ("JWT_AUDIENCE", "b", "issuer.claim_rules.audience", {AUDIENCE}, {"b"}),
    ("JWT_CLIENT_ID", "c,d", "issuer.claim_rules.client_id", set(), {"c", "d"}),
    ("JWT_JWKS", JWKS, "issuer.jwks", (), (JWKS,)),
    ("JWT_ALGORITHMS", "ES256", "issuer.algorithms", DEFAULT_ALGORITHMS, {"ES256"}),
    ("JWT_LEEWAY_SECONDS", "5", "issuer.claim_rules.leeway", 60, 5),
    ("JWT_MAX_LIFETIME_SECONDS", "3600", "issuer.claim_rules.max_lifetime", None, 3600),
    ("JWT_TOKEN_TYPES", "at+jwt", "issuer.token_types", set(), {"at+jwt"}),
    ("JWT_REQUIRED_CLAIMS", '{"token_use": ["access"]}', "issuer.claim_rules.required_claims", (), ACCESS),
    ("JWT_REQUIRED_SCOPES", "a b", "issuer.claim_rules.required_scopes", (), ("a", "b")),
    ("JWT_SCOPE_CLAIMS", "a,b", "issuer.claim_rules.scope_claims", claims("scope,scp"), claims("a,b")),
    ("JWT_PRINCIPAL_CLAIM", "/a/b, sub", "issuer.claim_rules.principal_claims", claims("sub"), claims("/a/b,sub")),
    ("JWT_TOKEN_SOURCE", "query:token", "token_sources", (AUTHORIZATION,), (QUERY,)),
    ("JWT_CONTEXT_CLAIMS", "email", "answers.context_claims", (), (("email", parse_claim("email")),)),
    ("JWT_USAGE_KEY_CLAIM", "/api/key", "answers.usage_key_claim", None, parse_claim("/api/key")),
    ("JWT_HOOK", "checks:check", "hook", None, "checks:check"),
    ("JWT_RESOURCE_METADATA", METADATA, "answers.challenge.resource_metadata", None, METADATA),
    ("JWT_CACHED_BY", "route", "answers.cached_by", CachedBy.TOKEN, CachedBy.ROUTE),
    ("JWT_END_WITH_TOKEN", "true", "answers.end_with_token", False, True),
    ("JWT_HTTP_API_RESPONSE", "iam", "answers.http_api_response", HttpApiResponse.SIMPLE, HttpApiResponse.IAM),
    ("JWT_HTTP_API_REJECT", "raise", "answers.http_api_reject", HttpApiReject.DENY, HttpApiReject.RAISE),
    ("JWT_JWKS_TTL_SECONDS", "61", "keys.ages.ttl", 600, 61),
    ("JWT_JWKS_MAX_STALE_SECONDS", "62", "keys.ages.max_stale", 3600, 62),
    ("JWT_JWKS_COOLDOWN_SECONDS", "63", "keys.ages.cooldown", 30, 63),
    ("JWT_HTTP_TIMEOUT_SECONDS", "4", "keys.timeout", 3, 4),
    ("JWT_TOKEN_CACHE_SIZE", "0", "token_cache_size", 1000, 0),
    ("JWT_ALLOW_HTTP", "true", "keys.allow_http", False, True),
    ("JWT_LOG_ALLOWED", "metric", "log.allowed", LogAllowed.FULL, LogAllowed.METRIC),
    ("JWT_LOG_PRINCIPAL", "none", "log.principal", LogPrincipal.PLAIN, LogPrincipal.NONE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "value", "place", "default", "found"), ARRIVES, ids=[variable for variable, *_ in ARRIVES]
)
def test_a_variable_arrives_where_it_is_used(
    variable: str, value: str, place: str, default: object, found: object
) -> None:
    def there(environment: Mapping[str, str]) -> object:
        settings = load(environment)
        (issuer,) = settings.issuers
        start: object = issuer if place.startswith("issuer.") else settings
        return attrgetter(place.removeprefix("issuer."))(start)

    assert there(SIMPLE) == default
    assert there(SIMPLE | {variable: value}) == found


def test_a_challenge_names_the_algorithms_of_proofs_where_they_are_checked() -> None:
    assert load(SIMPLE).answers.challenge == Challenge()
    assert load(SIMPLE | {"JWT_BOUND_TOKENS": "mtls", "JWT_CACHED_BY": "nothing"}).answers.challenge == Challenge()
    proofs = SIMPLE | {"JWT_BOUND_TOKENS": "dpop", "JWT_CACHED_BY": "nothing", "JWT_ALGORITHMS": "PS256,ES256"}
    assert load(proofs).answers.challenge == Challenge(None, "ES256 PS256")
    assert load(proofs | {"JWT_REQUIRE_BOUND_TOKENS": "true"}).answers.challenge == Challenge(
        None, "ES256 PS256", dpop_only=True
    )


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"JWT_BOUND_TOKENS": "dpop"}, {"JWT_BOUND_TOKENS"}),
        ({"JWT_BOUND_TOKENS": "mtls", "JWT_CACHED_BY": "route"}, {"JWT_BOUND_TOKENS"}),
        ({"JWT_REQUIRE_BOUND_TOKENS": "true"}, {"JWT_REQUIRE_BOUND_TOKENS"}),
        ({"JWT_REQUIRE_BOUND_TOKENS": "true", "JWT_BOUND_TOKENS": "ignore"}, {"JWT_REQUIRE_BOUND_TOKENS"}),
        *(
            ({name: value}, {name})
            for name, values in {
                "JWT_BOUND_TOKENS": ("DPoP", "dpop,refuse", "ignore,mtls"),
                "JWT_DPOP_MAX_AGE_SECONDS": ("0", "3601"),
                "JWT_DPOP_REPLAY": ("dynamodb", "dynamodb:a/b", "dynamodb:ab", "memory:x"),
                "JWT_DPOP_URLS": ("api.example.com", "http://api.example.com", "https://a.example?b"),
            }.items()
            for value in values
        ),
    ],
    ids=str,
)
def test_what_would_make_checking_a_binding_pointless_is_a_problem(
    environment: dict[str, str], names: set[str]
) -> None:
    assert wrong(SIMPLE | environment).keys() == names


def test_several_issuers_share_what_stands_above_them() -> None:
    settings = load(
        {
            "JWT_CONFIG": """
            leeway_seconds = 5
            audience = ["shared"]
            jwks_ttl_seconds = 61
            [context]
            mail = "email"
            [[issuers]]
            issuer = "https://a.example.com"
            [[issuers]]
            issuer = "https://b.example.com"
            audience = "own"
            required_claims = { token_use = "access" }
            """,
            "JWT_CACHED_BY": "nothing",
        }
    )
    first, second = settings.issuers
    assert (first.claim_rules.audience, first.claim_rules.leeway) == (frozenset({"shared"}), 5)
    assert (second.claim_rules.audience, second.claim_rules.leeway) == (frozenset({"own"}), 5)
    assert second.claim_rules.required_claims == ACCESS
    assert settings.answers.context_claims == (("mail", parse_claim("email")),)
    assert (settings.keys.ages.ttl, settings.answers.cached_by) == (61, CachedBy.NOTHING)


def test_a_document_is_read_as_the_build_parsed_it_if_it_is_still_that_document(tmp_path: Path) -> None:
    document, environment = tmp_path / "rules.toml", {"JWT_CONFIG": "file:rules.toml"}
    document.write_text(DOCUMENT, "utf-8-sig")  # with a byte order mark, as Windows writes it
    keep_parsed(document)
    sys.modules.pop("tomllib", None)
    assert load(environment, tmp_path).issuers[0].issuer == ISSUER
    assert "tomllib" not in sys.modules
    document.write_text(DOCUMENT.replace(ISSUER, "https://other.example.com"), "utf-8")
    assert load(environment, tmp_path).issuers[0].issuer == "https://other.example.com"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    values = {
        "JWT_ISSUER": "not a url",
        "JWT_ALGORITHMS": "HS256",
        "JWT_LEEWAY_SECONDS": "inf",
        "JWT_TOKEN_CACHE_SIZE": "-1",
        "JWT_CACHED_BY": "tokens",
        "JWT_AUDIENSE": "api",
    }
    found = wrong(values)
    assert found.keys() == values.keys() | {"JWT_AUDIENCE"}
    assert (found["JWT_ISSUER"].value, found["JWT_LEEWAY_SECONDS"].value) == ("not a url", "inf")
    assert wrong({}).keys() == {"JWT_ISSUER", "JWT_AUDIENCE"}


def test_any_audience_takes_the_place_of_both_and_stands_beside_neither() -> None:
    (issuer,) = load({"JWT_ISSUER": ISSUER, "JWT_ANY_AUDIENCE": "true"}).issuers
    assert (issuer.claim_rules.audience, issuer.claim_rules.client_id) == (frozenset[str](), frozenset[str]())
    for other in ("JWT_AUDIENCE", "JWT_CLIENT_ID"):
        found = wrong({"JWT_ISSUER": ISSUER, "JWT_ANY_AUDIENCE": "true", other: "a"})
        assert list(found) == ["JWT_ANY_AUDIENCE"]
        assert other in found["JWT_ANY_AUDIENCE"].message
    assert set(wrong({"JWT_ISSUER": ISSUER, "JWT_ANY_AUDIENCE": "false"})) == {"JWT_AUDIENCE"}


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ("[[issuers]]", {"issuers[0].issuer", "issuers[0].audience"}),
        (f"{DOCUMENT}[[issuers]]\nissuer = 3\naudience = []", {"issuers[1].issuer", "issuers[1].audience"}),
        (f"leeway_seconds = nan\n{DOCUMENT}[[issuers]]\nissuer = 'https://b.x'\naudience = 'b'", {"leeway_seconds"}),
        (f"{DOCUMENT}[[issuers]]\nissuer = '{ISSUER}'\naudience = 'b'", {"issuers"}),
        (f"{DOCUMENT}jwks = []", {"issuers[0].jwks"}),
        (f"{DOCUMENT}jwks = ['https://a.example/keys', 'ftp://keys']", {"issuers[0].jwks"}),
        (f"jwks = 'file:missing.json'\n{DOCUMENT}", {"jwks"}),
        (f"{DOCUMENT}[context]\nsub = 'email'", {"context"}),
        (f"unlisted_routes = 'deny'\n{DOCUMENT}", {"unlisted_routes"}),
        (f"unlisted_routes = 'allow'\n{DOCUMENT}[[routes]]\npath = '/orders'", {"unlisted_routes"}),
        (f"{DOCUMENT}[[routes]]\npath = '/orders'\nissuers = ['https://other.example.com']", {"routes (/orders)"}),
    ],
)
def test_a_problem_of_a_document_is_called_by_its_place(document: str, names: set[str]) -> None:
    assert set(wrong({"JWT_CONFIG": document})) == names


@pytest.mark.parametrize("unlisted", ["", 'unlisted_routes = "deny"', 'unlisted_routes = "absent"'])
def test_routes_are_compiled_with_what_holds_for_the_others(unlisted: str) -> None:
    rules = load({"JWT_CONFIG": f'{unlisted}\n{DOCUMENT}\n[[routes]]\nmethod = "GET"\npath = "/orders"\n'}).rules
    assert rules.configured
    assert rules.absent is ("absent" in unlisted)
    decision = rules.decide(principal(), "GET", "/invoices")
    assert isinstance(decision, Deny)
    assert decision.reason is ErrorCode.ROUTE_NOT_LISTED


def test_an_issuer_without_tls_needs_permission_or_keys_of_its_own() -> None:
    insecure = SIMPLE | {"JWT_ISSUER": "http://localhost:8080"}
    assert "JWT_ALLOW_HTTP" in wrong(insecure)["JWT_ISSUER"].message
    assert load(insecure | {"JWT_ALLOW_HTTP": "true"}).keys.allow_http
    assert load(insecure | {"JWT_JWKS": JWKS}).issuers[0].issuer == "http://localhost:8080"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("file:settings.toml", "no such file"),
        ("file:../settings.toml", "inside the package"),
        ("file:latin.toml", "save it as UTF-8"),
        ("rules.toml", "file:PATH"),
        ("https://example.com/rules.toml?v=1", "file:PATH"),
    ],
)
def test_a_document_that_cannot_be_read_is_a_problem(config: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe4'")
    assert says in wrong({"JWT_CONFIG": config}, tmp_path)["JWT_CONFIG"].message


TENANTS = {**SIMPLE, "JWT_ISSUER": "https://id.example.com/{tenant}/v2.0", "JWT_TENANTS": "acme, globex"}


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, set[str]()),
        ({"JWT_TENANTS": "any", "JWT_TENANT_CLAIM": "/ext/tid"}, set[str]()),
        ({"JWT_TENANTS": "ssm:/tenants", "JWT_JWKS": "https://id.example.com/{tenant}/keys"}, set[str]()),
        ({"JWT_TENANTS": "s3://bucket/tenants.txt", "JWT_JWKS": "https://id.example.com/keys"}, set[str]()),
        ({"JWT_TENANTS": ""}, {"JWT_TENANTS"}),
        ({"JWT_TENANTS": "acme,.."}, {"JWT_TENANTS"}),
        ({"JWT_TENANTS": "file:missing.txt"}, {"JWT_TENANTS"}),
        ({"JWT_ISSUER": "https://{tenant}.example.com", "JWT_TENANTS": "a.b"}, {"JWT_TENANTS"}),
        ({"JWT_ISSUER": "https://id.example.com/x-{tenant}"}, {"JWT_ISSUER"}),
        ({"JWT_ISSUER": "https://{tenant}.com", "JWT_TENANTS": "any"}, {"JWT_ISSUER"}),
        ({"JWT_ISSUER": "http://id.example.com/{tenant}"}, {"JWT_ISSUER"}),
        ({"JWT_ISSUER": "https://id.example.com"}, {"JWT_TENANTS"}),
        ({"JWT_ISSUER": "https://id.example.com", "JWT_TENANTS": "", "JWT_TENANT_CLAIM": "tid"}, {"JWT_TENANT_CLAIM"}),
        ({"JWT_ISSUER": ISSUER, "JWT_TENANTS": "", "JWT_JWKS": "https://id.example.com/{tenant}/keys"}, {"JWT_JWKS"}),
    ],
)
def test_tenants_and_what_belongs_to_them(changed: dict[str, str], names: set[str]) -> None:
    environment = TENANTS | changed
    if names:
        assert set(wrong(environment)) == names
        return
    (issuer,) = load(environment).issuers
    listed = ("acme", "globex") if environment["JWT_TENANTS"] == "acme, globex" else environment["JWT_TENANTS"]
    assert issuer.tenants == listed
    assert issuer.tenant_claim == (parse_claim("/ext/tid") if "JWT_TENANT_CLAIM" in changed else None)


ASKED = {
    "JWT_INTROSPECTION": "https://id.example.com/introspect?policy=1",
    "JWT_INTROSPECTION_CLIENT_ID": "api",
    "JWT_INTROSPECTION_SECRET": "ssm:/secret",
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (ASKED | {"JWT_INTROSPECTION": "https://id.example.com/a b"}, "this is not an absolute https:// URL"),
        (ASKED | {"JWT_INTROSPECTION": "http://id.example.com/a"}, "JWT_ALLOW_HTTP"),
        (
            ASKED | {"JWT_INTROSPECTION": "discovery", "JWT_ISSUER": "id.example.com", "JWT_JWKS": JWKS},
            "no white space",
        ),
        ({"JWT_REVOKED": "revoked.json"}, "ssm:/name or file:PATH: neither file:PATH, ssm:/name nor s3://bucket/key"),
        ({"JWT_REVOKED": "file:revoked.json"}, "there is no such file"),
        ({"JWT_REVOKED": "https://a.example.com/a,https://b.example.com/b"}, "several URLs"),
    ],
)
def test_a_location_that_cannot_be_asked_is_a_problem_of_its_own(changed: dict[str, str], message: str) -> None:
    variable = next(iter(changed))
    problem = wrong(SIMPLE | changed)[variable]
    assert message in problem.message
    assert "JWT_JWKS" not in problem.message
    assert problem.value == changed[variable]


def test_an_endpoint_may_have_a_query_but_no_issuer_with_tenants_has_one() -> None:
    (issuer,) = load(SIMPLE | ASKED).issuers
    assert issuer.introspection is not None
    assert issuer.introspection.url == ASKED["JWT_INTROSPECTION"]
    assert set(wrong(TENANTS | ASKED)) == {"JWT_INTROSPECTION"}


def test_of_several_sources_of_keys_all_have_the_tenant_or_none() -> None:
    table = "[[issuers]]\nissuer = 'https://a.example/{tenant}'\naudience = 'a'\ntenants = ['acme']\n"
    mixed = f"{table}jwks = ['https://a.example/{{tenant}}/1', 'https://a.example/2']"
    assert set(wrong({"JWT_CONFIG": mixed})) == {"issuers[0].jwks"}
    assert load({"JWT_CONFIG": mixed.replace("/2", "/{tenant}/2")}).issuers[0].tenants == ("acme",)


def test_a_document_that_aws_does_not_give_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a region boto3 makes no client, and so asks nobody.
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    message = wrong({"JWT_CONFIG": "ssm:/jwt/config"})["JWT_CONFIG"].message
    assert message.startswith("cannot be read: can't make the AWS client")


@pytest.mark.usefixtures("aws")
def test_a_document_may_be_kept_in_aws() -> None:
    import_module("boto3").client("ssm").put_parameter(Name="/jwt/config", Value=DOCUMENT, Type="String")
    assert load({"JWT_CONFIG": "ssm:/jwt/config"}).issuers[0].issuer == ISSUER


LONG = "x" * 500
LONG_ROUTES = f"""
[[routes]]
path = "/{LONG} "
scopes = ['{LONG}"']
claims = {{ {LONG} = [] }}
{LONG} = 5
[[routes]]
path = "/{LONG}"
issuers = ["{LONG}"]
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"JWT_ALGORITHMS": LONG},
        {"JWT_REQUIRED_SCOPES": f'{LONG}"'},
        {"JWT_REQUIRED_CLAIMS": f'{{"{LONG}": []}}'},
        {"JWT_TOKEN_SOURCE": LONG},
        {"JWT_CONTEXT_CLAIMS": f"sub={LONG}"},
        {f"JWT_{LONG}": "a"},
        {"JWT_ISSUER": LONG},
        {"JWT_CONFIG": DOCUMENT + LONG_ROUTES},
    ],
    ids=lambda environment: str(environment)[:40],
)
def test_an_error_repeats_no_more_than_the_start_of_what_is_too_long(environment: Mapping[str, str]) -> None:
    for problem in wrong(environment if "JWT_CONFIG" in environment else {**SIMPLE, **environment}).values():
        assert "x" * 90 in str(problem)
        assert "x" * 101 not in str(problem)


# The key that principals are hashed with.

HASHED = SIMPLE | {"JWT_LOG_PRINCIPAL": "hash"}


@pytest.mark.parametrize("key", [None, "s3cr3t", "ssm:s3cr3t with space", "secretsmanager:"])
def test_a_key_that_is_not_one_is_a_problem_and_is_not_shown(key: str | None) -> None:
    problems = wrong(HASHED | ({} if key is None else {"JWT_LOG_PRINCIPAL_KEY": key}))
    assert list(problems) == ["JWT_LOG_PRINCIPAL_KEY"]
    assert "s3cr3t" not in str(problems)
    document = f'log_principal = "hash"\nlog_principal_key = 1234\n{DOCUMENT}'
    (number,) = wrong({"JWT_CONFIG": document}).values()
    assert "1234" not in str(number)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("location", ["ssm:/my/key", "secretsmanager:my/key"])
def test_a_key_may_be_kept_in_aws(location: str) -> None:
    environment = HASHED | {"JWT_LOG_PRINCIPAL_KEY": location}
    assert list(wrong(environment)) == ["JWT_LOG_PRINCIPAL_KEY"]
    client = import_module("boto3").client
    client("ssm").put_parameter(Name="/my/key", Value="0123456789abcdef", Type="SecureString")
    client("secretsmanager").create_secret(Name="my/key", SecretString="0123456789abcdef")
    assert load(environment).log.principal_key == b"0123456789abcdef"
    assert load(HASHED | {"JWT_LOG_PRINCIPAL_KEY": "0123456789abcdef"}).log == load(environment).log
