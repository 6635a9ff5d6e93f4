"""Each of the usual mistakes has a line of advice of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jwt_authorizer.errors import Reason
from jwt_authorizer_devkit.advised_settings import advised
from jwt_authorizer_devkit.explaining import ApiKind, event_for, explain, watched_function
from jwt_authorizer_devkit.explaining.advice import Advice
from jwt_authorizer_devkit.explaining.advice.general import GENERAL
from jwt_authorizer_devkit.mint import Defect
from jwt_authorizer_devkit.signing import key_set
from tests.factories import AUDIENCE, AUTHORIZATION, ISSUER, NOW, SCOPE, config, rest_request_event, signing_key, token

KEYS = json.dumps(key_set((signing_key("ES256"), signing_key("RS256", "key-2"))))
POOL = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example"
TENANT = "11111111-2222-3333-4444-555555555555"
ENTRA_V1 = f"https://sts.windows.net/{TENANT}/"
ENTRA_V2 = f"https://login.microsoftonline.com/{TENANT}/v2.0"
AUTH0 = "https://myapp.eu.auth0.com/"
ROLES = {"realm_access": {"roles": ["a"]}}
K8S = {"sub": None, "kubernetes.io": {"a/b": {"name": "x"}}}
LONG_AGO = {"exp": int(NOW) - 7200, "iat": int(NOW) - 7500}


@dataclass(frozen=True, slots=True)
class Case:
    """A token with claims of its own, the settings it meets, and the mistake that is to be recognized."""

    mistake: str
    claims: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    says: str = ""
    header: Mapping[str, object] = field(default_factory=dict)
    defect: Defect | None = None

    def __str__(self) -> str:
        """Name the case."""
        return self.mistake


CASES = [
    Case("id_token", {"aud": "demo-client", "azp": "demo-client", "scope": None}, says="aud is the client id"),
    Case("id_token", {"aud": "demo-client", "nonce": "n-0S6"}, says="it has nonce"),
    Case("id_token", {"aud": "app", "typ": "ID"}, says="its typ is ID"),
    Case(
        "id_token",
        {"iss": POOL, "token_use": "id", "aud": "4f2example"},
        {"JWT_ISSUER": POOL, "JWT_AUDIENCE": "", "JWT_CLIENT_ID": "4f2example"},
        "Cognito's ID token",
    ),
    Case("id_token", {"token_use": "id"}, {"JWT_REQUIRED_CLAIMS": '{"token_use": "access"}'}, "access token"),
    Case("id_token", {"nonce": "x"}, {"JWT_TOKEN_TYPES": "at+jwt"}, header={"typ": "JWT"}),
    Case("access_token", {"token_use": "access"}, {"JWT_REQUIRED_CLAIMS": '{"token_use": "id"}'}),
    Case(
        "cognito_audience",
        {"iss": POOL, "token_use": "access", "aud": None, "client_id": "4f2example"},
        {"JWT_ISSUER": POOL},
        'JWT_CLIENT_ID=4f2example and, to keep ID tokens out, set JWT_REQUIRED_CLAIMS={"token_use": "access"}',
    ),
    Case(
        "cognito_audience",
        {"iss": POOL, "token_use": "access", "aud": None},
        {"JWT_ISSUER": POOL, "JWT_CLIENT_ID": "another"},
        "no aud: leave out JWT_AUDIENCE.",
    ),
    Case("no_audience", {"aud": None}, says="leave out JWT_AUDIENCE, set JWT_CLIENT_ID=demo-client"),
    Case("no_audience", {"aud": None}, {"JWT_CLIENT_ID": "demo-client"}, "leave out JWT_AUDIENCE."),
    Case("neither_audience_nor_client", {"aud": None, "client_id": None}, says="JWT_ANY_AUDIENCE=true"),
    Case(
        "neither_audience_nor_client",
        {"aud": None, "client_id": None},
        {"JWT_AUDIENCE": "", "JWT_CLIENT_ID": "x"},
        "leave out JWT_CLIENT_ID, set JWT_ANY_AUDIENCE=true",
    ),
    Case("other_api", {"aud": "https://another-api.example.com"}, says="https://another-api.example.com"),
    Case("audience_slash", {"aud": AUDIENCE + "/"}, {"JWT_AUDIENCE": f"{AUDIENCE},b"}, f"JWT_AUDIENCE=b,{AUDIENCE}/"),
    Case("entra_audience", {"aud": TENANT}, {"JWT_AUDIENCE": f"api://{TENANT}"}, f"JWT_AUDIENCE={TENANT}"),
    Case("microsoft_graph", {"aud": "00000003-0000-0000-c000-000000000000"}, says="Microsoft Graph"),
    Case("other_client", settings={"JWT_CLIENT_ID": "another"}, says="demo-client"),
    Case("okta_client", {"client_id": None, "cid": "0oa1"}, {"JWT_CLIENT_ID": "0oa1"}, '{"cid": "0oa1"}'),
    Case(
        "okta_client",
        {"client_id": None, "cid": "0oa1", "tier": "paid"},
        {"JWT_CLIENT_ID": "0oa1,0oa2", "JWT_REQUIRED_CLAIMS": '{"tier": "paid"}'},
        'add the claim cid with the value ["0oa1", "0oa2"]',
    ),
    *(
        Case(
            "okta_client",
            {"aud": aud, "client_id": None, "cid": "0oa1"},
            {"JWT_CLIENT_ID": "0oa1", "JWT_AUDIENCE": ""},
            says,
        )
        for aud, says in (
            (AUDIENCE, f"set JWT_AUDIENCE={AUDIENCE} and set"),
            (None, "set JWT_ANY_AUDIENCE=true and set"),
        )
    ),
    Case("other_client", {"client_id": None, "cid": "0oa3"}, {"JWT_CLIENT_ID": "0oa1"}, "0oa3"),
    Case("no_client", {"client_id": None}, {"JWT_CLIENT_ID": "x"}, "leave out JWT_CLIENT_ID"),
    Case("no_client", {"client_id": None}, {"JWT_CLIENT_ID": "x", "JWT_AUDIENCE": ""}, f"JWT_AUDIENCE={AUDIENCE}"),
    Case("trailing_slash", {"iss": AUTH0}, {"JWT_ISSUER": AUTH0.rstrip("/")}, f"JWT_ISSUER={AUTH0}"),
    Case("trailing_slash", {"iss": ISSUER}, {"JWT_ISSUER": ISSUER + "/"}, "without one"),
    Case("letter_case", {"iss": ISSUER}, {"JWT_ISSUER": "https://Issuer.example.com"}),
    Case("other_scheme", {"iss": "issuer.example.com"}, says="exactly like that"),
    Case("entra_v1", {"iss": ENTRA_V1}, {"JWT_ISSUER": ENTRA_V2}, "requestedAccessTokenVersion"),
    Case("entra_v1", {"iss": ENTRA_V1}, {"JWT_ISSUER": ENTRA_V2.replace("1111", "9999")}, "another tenant's"),
    Case("entra_v2", {"iss": ENTRA_V2}, {"JWT_ISSUER": ENTRA_V1}, f"JWT_ISSUER={ENTRA_V2}"),
    Case("other_environment", {"iss": "https://issuer.staging.example.com"}, says="another environment"),
    Case("other_environment", {"iss": f"{POOL}2"}, {"JWT_ISSUER": POOL}, "another Cognito user pool"),
    Case(
        "cognito_issuer", {"iss": POOL.replace("//", "//issuer-")}, {"JWT_ISSUER": POOL}, "JWT_ISSUER=https://issuer-"
    ),
    Case(
        "other_environment", {"iss": f"{ISSUER}/realms/staging"}, {"JWT_ISSUER": f"{ISSUER}/realms/live"}, "same host"
    ),
    Case("other_issuer", {"iss": "https://login.elsewhere.test"}, says="JWT_ISSUER=https://login.elsewhere.test"),
    Case("no_issuer", {"iss": None}),
    Case("just_expired", {"exp": int(NOW) - 600, "iat": int(NOW) - 900}, says="clocks disagree"),
    Case("expired", LONG_AGO, says="2 h ago"),
    Case("never_valid", {"exp": int(NOW) - 7200, "iat": int(NOW)}, says="before it was issued"),
    Case("clock_ahead", {"iat": int(NOW) + 120, "exp": int(NOW) + 900}, says="120 s ahead"),
    Case("clock_ahead", {"nbf": int(NOW) + 86_400, "exp": int(NOW) + 90_000}, says="in 24 h"),
    Case("no_expiry", {"exp": None}, says="no exp"),
    Case("invalid_claim", {"tier": "free"}, {"JWT_REQUIRED_CLAIMS": '{"tier": "paid"}'}),
    Case("nested_claim", ROLES, {"JWT_REQUIRED_CLAIMS": '{"realm_access.roles": "a"}'}, "/realm_access/roles"),
    Case("nested_claim", K8S, {"JWT_PRINCIPAL_CLAIM": "kubernetes.io.a/b.name"}, "/kubernetes.io/a~1b/name"),
    Case("invalid_claim", ROLES, {"JWT_REQUIRED_CLAIMS": '{"realm_access.groups": "a"}'}),
    Case("other_type", {"anonymous": False}, {"JWT_REQUIRED_CLAIMS": '{"anonymous": "false"}'}, "false without quotes"),
    Case("other_type", {"level": "3"}, {"JWT_REQUIRED_CLAIMS": '{"level": [1, 3]}'}, 'write "3", in quotes'),
    Case("unsigned", defect=Defect.ALG_NONE, says="never accepted"),
    Case("symmetric", defect=Defect.HMAC_CONFUSION, says="RS256 or ES256"),
    Case("algorithm", settings={"JWT_ALGORITHMS": "RS256"}, says="Add ES256"),
    Case("unknown_kid", header={"kid": "last-year"}, says="publishes key-1, key-2, and not last-year"),
    Case("changed", defect=Defect.TAMPERED),
    Case("unsupported_token_type", settings={"JWT_TOKEN_TYPES": "jwt"}),
    Case("token_lifetime_too_long", settings={"JWT_MAX_LIFETIME_SECONDS": "60"}),
    Case("missing_scope", settings={"JWT_REQUIRED_SCOPES": "admin"}, says="lacks the scope admin (it has orders:read"),
    Case("missing_scope", {"scope": None}, {"JWT_REQUIRED_SCOPES": "admin"}, "none at all"),
    *(
        Case("scope_elsewhere", claims, {"JWT_REQUIRED_SCOPES": "admin"}, f"set JWT_SCOPE_CLAIMS=scope,scp,{name}")
        for name, claims in (
            ("permissions", {"name": "admin", "permissions": ["admin"]}),
            ("scopes", {"scopes": "read admin"}),
            ("https://example.com/roles", {"groups": ["staff"], "https://example.com/roles": {"admin": {}}}),
            ("/realm_access/roles", {"realm_access": {"roles": ["admin"]}}),
        )
    ),
    Case("missing_scope", {"name": "admin", "roles,x": ["admin"]}, {"JWT_REQUIRED_SCOPES": "admin"}),
]


def advice_for(event: object, **settings: str) -> Advice:
    environment = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS": KEYS} | settings
    watched = watched_function(environment, now=NOW, package_root=Path.cwd())
    advice = explain(event, watched).advice
    assert advice is not None
    return advice


def with_token(bearer: str) -> dict[str, object]:
    return event_for(bearer, AUTHORIZATION, ApiKind.REST, "GET", "/orders/1")


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case}" for number, case in enumerate(CASES)])
def test_mistakes_in_what_a_token_says(case: Case) -> None:
    bearer = token(case.claims, header=case.header, defect=case.defect)
    advice = advice_for(with_token(bearer), **case.settings)
    assert advice.mistake == case.mistake
    assert case.says in advice.text


GOOD = token()
HEAD, PAYLOAD, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    ("sent", "mistake"),
    [
        ("kWfT3v0o9dQ2", "opaque"),
        (f"{HEAD}.aaaa.bbbb.cccc.dddd", "encrypted"),
        (f"{HEAD}.{PAYLOAD}", "cut_short"),
        (HEAD, "cut_short"),
        (GOOD[:-5], "cut_short"),
        (GOOD[:-4], "cut_short"),
        (GOOD[:-43], "cut_short"),
        (f"{HEAD}.{PAYLOAD[:41]}.{SIGNATURE}", "cut_short"),
        (f'"{GOOD}"', "quoted"),
        (f"{HEAD}.{PAYLOAD} {SIGNATURE}", "white_space"),
        (f"Bearer {GOOD}", "bearer_twice"),
        ("Basic dXNlcjpwdw==", "other_scheme"),
        (f"DPoP {GOOD}", "other_scheme"),
        (f"Authorization: Bearer {GOOD}", "header_name"),
        (token(defect=Defect.CRITICAL), "extension"),
        ("a.b.c.d", "malformed_token"),
        (f"{GOOD}.x.y.z,1", "malformed_token"),
    ],
    ids=[
        "opaque", "jwe", "no-signature", "header-only", "less-5", "less-4", "less-43", "half-claims", "quoted",
        "wrapped",
        "bearer-twice", "basic", "dpop", "header-name", "critical", "four-parts", "joined",
    ],
)  # fmt: skip
def test_mistakes_in_how_a_token_is_sent(sent: str, mistake: str) -> None:
    assert advice_for(with_token(sent)).mistake == mistake


def test_a_signature_that_lost_whole_bytes_of_an_rsa_key_was_cut() -> None:
    bearer = token(alg="RS256", header={"kid": "key-2"})
    assert advice_for(with_token(bearer[:-4])).mistake == "cut_short"


@pytest.mark.parametrize(
    ("members", "mistake", "says"),
    [
        ({"headers": {"Authorization": GOOD}}, "no_bearer", "Authorization: Bearer <token>"),
        ({"headers": {"authorization": f"Token {GOOD}"}}, "other_scheme", "“Token”"),
        ({"headers": {"X-Auth": GOOD}}, "other_place", "JWT_TOKEN_SOURCE=header:X-Auth"),
        ({"headers": {"Cookie": f"a=b; session={GOOD}"}}, "other_place", "JWT_TOKEN_SOURCE=cookie:session"),
        ({"queryStringParameters": {"access_token": GOOD}}, "other_place", "JWT_TOKEN_SOURCE=query:access_token"),
        ({"headers": {"Authorization": "Basic dXNlcjpwdw=="}}, "missing_token", "Bearer"),
        ({"headers": {}}, "missing_token", "Bearer"),
    ],
    ids=["no-bearer", "other-scheme", "header", "cookie", "query", "basic", "nothing"],
)
def test_a_token_in_the_wrong_place(members: dict[str, object], mistake: str, says: str) -> None:
    event = {**rest_request_event(None), "multiValueHeaders": {}, **members}
    advice = advice_for(event)
    assert advice.mistake == mistake
    assert says in advice.text


def test_a_token_event_without_the_word_bearer() -> None:
    event = {"type": "TOKEN", "methodArn": rest_request_event(None)["methodArn"], "authorizationToken": GOOD}
    assert advice_for(event).text.startswith("authorizationToken holds a token without its scheme")


def test_a_backends_event_is_recognized() -> None:
    assert "authorizer, not the backend" in advice_for({"version": "2.0", "rawPath": "/"}).text


def test_several_keys_and_no_kid() -> None:
    keys = json.dumps(key_set((signing_key(), signing_key("ES256", "key-3"))))
    advice = advice_for(with_token(token(defect=Defect.NO_KID)), JWT_JWKS=keys)
    assert (advice.mistake, "key-1, key-3" in advice.text) == ("no_kid", True)


ROUTES = config("""
[[routes]]
method = "GET"
path = "/orders/{id}"
[[routes]]
method = "GET"
path = "/staff"
claims = { role = "staff" }
[[routes]]
method = "GET"
path = "/verified"
claims = { verified = "true" }
""")


@pytest.mark.parametrize(
    ("method", "path", "mistake"),
    [
        ("PUT", "/orders/1", "other_method"),
        ("GET", "/prod/orders/1", "stage_in_path"),
        ("GET", "/elsewhere", "unlisted_route"),
        ("GET", "/staff", "claim_mismatch"),
        ("GET", "/verified", "other_type"),
    ],
)
def test_mistakes_in_routes(method: str, path: str, mistake: str) -> None:
    watched = watched_function({"JWT_CONFIG": ROUTES}, now=NOW, package_root=Path.cwd())
    advice = explain(event_for(token({"verified": True}), AUTHORIZATION, ApiKind.REST, method, path), watched).advice
    assert advice is not None
    assert advice.mistake == mistake


@pytest.mark.parametrize(
    ("named", "in_a_document"),
    [
        ("set JWT_CLIENT_ID=a,b. Leave out JWT_AUDIENCE", 'set client_id = ["a", "b"]. Leave out audience'),
        ("JWT_CACHED_BY=route, JWT_JWKS=<your keys>", 'JWT_CACHED_BY=route, jwks = ["<your keys>"]'),
        ('JWT_REQUIRED_CLAIMS={"token_use": "access"}', 'required_claims = { token_use = "access" }'),
    ],
)
def test_settings_of_a_document_are_named_as_the_document_has_them(named: str, in_a_document: str) -> None:
    assert advised(named, {"JWT_ISSUER": ISSUER}) == named
    assert advised(named, {"JWT_CONFIG": "file:x", "JWT_CACHED_BY": "token"}) == in_a_document


def test_where_several_issuers_are_trusted_scopes_are_counted_for_one() -> None:
    other = f"{ROUTES}scopes = ['admin']\n[[issuers]]\nissuer = 'https://other.example.com'\naudience = 'x'\n"
    watched = watched_function({"JWT_CONFIG": other}, now=NOW, package_root=Path.cwd())
    bearer = token({"roles": ["admin"], "verified": "true"})
    advice = explain(event_for(bearer, AUTHORIZATION, ApiKind.REST, "GET", "/verified"), watched).advice
    assert advice is not None
    assert advice.text.endswith(f"in the [[issuers]] table of {ISSUER}")


def test_no_advice_repeats_a_token() -> None:
    sent = {"headers": {"X-Auth": GOOD, "Authorization": f"Token {GOOD}"}}
    for event in ({**rest_request_event(None), **sent}, with_token(f'"{GOOD}"'), with_token(GOOD[:-5])):
        assert SIGNATURE[:20] not in advice_for(event).text


def test_each_reason_has_general_advice() -> None:
    assert GENERAL.keys() == set(Reason)
    assert SCOPE not in "".join(GENERAL.values())
