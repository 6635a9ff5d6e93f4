"""Each of the usual mistakes has a line of advice of its own."""

import json
from pathlib import Path

import pytest

from jwt_authorizer.errors import ErrorCode
from jwt_authorizer_devkit.advised_settings import advised
from jwt_authorizer_devkit.explaining import ApiKind, event_for, explain, watched_function
from jwt_authorizer_devkit.explaining.advice import Advice
from jwt_authorizer_devkit.explaining.advice.general import GENERAL
from jwt_authorizer_devkit.mint import Defect
from jwt_authorizer_devkit.signing import key_set
from tests.factories import AUDIENCE, AUTHORIZATION, ISSUER, NOW, config, rest_request_event, signing_key, token

KEYS = json.dumps(key_set((signing_key("ES256"), signing_key("RS256", "key-2"))))
POOL = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example"
TENANT = "11111111-2222-3333-4444-555555555555"
ENTRA_V1 = f"https://sts.windows.net/{TENANT}/"
ENTRA_V2 = f"https://login.microsoftonline.com/{TENANT}/v2.0"
NOBODY = {"aud": None, "client_id": None}
OKTA = {"client_id": None, "cid": "0oa1"}
K8S = {"sub": None, "kubernetes.io": {"a/b": {"name": "x"}}}


def advice_for(event: object, **settings: str) -> Advice:
    environment = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS": KEYS} | settings
    watched = watched_function(environment, now=NOW, package_root=Path.cwd())
    advice = explain(event, watched).advice
    assert advice is not None
    return advice


def with_token(bearer: str) -> dict[str, object]:
    return event_for(bearer, AUTHORIZATION, ApiKind.REST, "GET", "/orders/1")


@pytest.mark.parametrize(
    ("mistake", "claims", "settings", "says"),
    [
        ("id_token", {"aud": "demo-client", "azp": "demo-client", "scope": None}, {}, "aud is the client id"),
        ("id_token", {"token_use": "id"}, {"JWT_REQUIRED_CLAIMS": '{"token_use": "access"}'}, "Cognito's ID token"),
        ("access_token", {"token_use": "access"}, {"JWT_REQUIRED_CLAIMS": '{"token_use": "id"}'}, "of an ID token"),
        ("cognito_audience", {"token_use": "access", "aud": None, "client_id": "4f"}, {}, "set JWT_CLIENT_ID=4f and"),
        ("no_audience", {"aud": None}, {}, "leave out JWT_AUDIENCE, set JWT_CLIENT_ID=demo-client"),
        ("no_audience", {"aud": None}, {"JWT_CLIENT_ID": "demo-client"}, "leave out JWT_AUDIENCE."),
        ("neither_audience_nor_client", NOBODY, {}, "leave out JWT_AUDIENCE, set JWT_ANY_AUDIENCE=true"),
        ("other_api", {"aud": "https://another-api.example.com"}, {}, "aud is https://another-api.example.com"),
        ("audience_slash", {"aud": AUDIENCE + "/"}, {"JWT_AUDIENCE": f"{AUDIENCE},b"}, f"JWT_AUDIENCE=b,{AUDIENCE}/"),
        ("entra_audience", {"aud": TENANT}, {"JWT_AUDIENCE": f"api://{TENANT}"}, f"JWT_AUDIENCE={TENANT}"),
        ("microsoft_graph", {"aud": "00000003-0000-0000-c000-000000000000"}, {}, "of your own API"),
        ("other_client", {}, {"JWT_CLIENT_ID": "another"}, "issued to demo-client"),
        (
            "okta_client",
            OKTA | {"tier": "paid"},
            {"JWT_CLIENT_ID": "0oa1,0oa2", "JWT_REQUIRED_CLAIMS": '{"tier": "paid"}'},
            'add the claim cid with the value ["0oa1", "0oa2"]',
        ),
        ("okta_client", OKTA, {"JWT_CLIENT_ID": "0oa1", "JWT_AUDIENCE": ""}, f"set JWT_AUDIENCE={AUDIENCE} and set"),
        ("no_client", {"client_id": None}, {"JWT_CLIENT_ID": "x", "JWT_AUDIENCE": ""}, f"JWT_AUDIENCE={AUDIENCE}"),
        ("trailing_slash", {"iss": ISSUER}, {"JWT_ISSUER": ISSUER + "/"}, f"JWT_ISSUER={ISSUER}"),
        ("letter_case", {"iss": ISSUER}, {"JWT_ISSUER": "https://Issuer.example.com"}, f"JWT_ISSUER={ISSUER}"),
        ("other_scheme", {"iss": "issuer.example.com"}, {}, "exactly so"),
        ("entra_v1", {"iss": ENTRA_V1}, {"JWT_ISSUER": ENTRA_V2}, "requestedAccessTokenVersion"),
        ("entra_v2", {"iss": ENTRA_V2}, {"JWT_ISSUER": ENTRA_V1}, f"JWT_ISSUER={ENTRA_V2}"),
        ("other_environment", {"iss": "https://issuer.staging.example.com"}, {}, "another environment"),
        ("other_environment", {"iss": f"{POOL}2"}, {"JWT_ISSUER": POOL}, "another Cognito user pool"),
        ("other_environment", {"iss": f"{ISSUER}/staging"}, {"JWT_ISSUER": f"{ISSUER}/live"}, "same host"),
        ("cognito_issuer", {"iss": POOL.replace("//", "//issuer-")}, {"JWT_ISSUER": POOL}, "JWT_ISSUER=https://issuer"),
        ("other_issuer", {"iss": "https://login.elsewhere.test"}, {}, "JWT_ISSUER=https://login.elsewhere.test"),
        ("no_issuer", {"iss": None}, {}, "missing"),
        ("just_expired", {"exp": int(NOW) - 600, "iat": int(NOW) - 900}, {}, "a clock is wrong"),
        ("expired", {"exp": int(NOW) - 7200, "iat": int(NOW) - 7500}, {}, "2 h ago"),
        ("never_valid", {"exp": int(NOW) - 7200, "iat": int(NOW)}, {}, "before it was issued"),
        ("clock_ahead", {"iat": int(NOW) + 120, "exp": int(NOW) + 900}, {}, "120 s ahead"),
        ("no_expiry", {"exp": None}, {}, "no exp"),
        ("nested_claim", {"a": {"b": "x"}}, {"JWT_REQUIRED_CLAIMS": '{"a.b": "x"}'}, "/a/b"),
        ("nested_claim", K8S, {"JWT_PRINCIPAL_CLAIM": "kubernetes.io.a/b.name"}, "/kubernetes.io/a~1b/name"),
        ("other_type", {"guest": False}, {"JWT_REQUIRED_CLAIMS": '{"guest": "false"}'}, "false without quotes"),
        ("other_type", {"level": "3"}, {"JWT_REQUIRED_CLAIMS": '{"level": [1, 3]}'}, 'write "3", in quotes'),
        ("missing_scope", {"scope": "read"}, {"JWT_REQUIRED_SCOPES": "admin"}, "lacks the scope admin (it has read)"),
        ("algorithm", {}, {"JWT_ALGORITHMS": "RS256"}, "Add ES256"),
        ("unsupported_token_type", {}, {"JWT_TOKEN_TYPES": "jwt"}, "typ"),
        ("token_lifetime_too_long", {}, {"JWT_MAX_LIFETIME_SECONDS": "60"}, "JWT_MAX_LIFETIME_SECONDS"),
        # Users may write "admin" into their own name.
        ("missing_scope", {"name": "admin", "roles,x": ["admin"]}, {"JWT_REQUIRED_SCOPES": "admin"}, "have the client"),
        ("scope_elsewhere", {"scopes": "x admin"}, {"JWT_REQUIRED_SCOPES": "admin"}, "=scope,scp,scopes"),
        ("scope_elsewhere", {"a": {"roles": ["b"]}}, {"JWT_REQUIRED_SCOPES": "b"}, "=scope,scp,/a/roles"),
    ],
)
def test_mistakes_in_what_a_token_says(
    mistake: str, claims: dict[str, object], settings: dict[str, str], says: str
) -> None:
    advice = advice_for(with_token(token(claims)), **settings)
    assert advice.mistake == mistake
    assert says in advice.text


GOOD = token()
HEAD, PAYLOAD, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    ("mistake", "sent"),
    [
        ("opaque", "kWfT3v0o9dQ2"),
        ("encrypted", f"{HEAD}.aaaa.bbbb.cccc.dddd"),
        ("cut_short", f"{HEAD}.{PAYLOAD}"),
        ("cut_short", HEAD),
        ("cut_short", GOOD[:-5]),
        ("cut_short", f"{HEAD}.{PAYLOAD[:41]}.{SIGNATURE}"),
        ("cut_short", token(alg="RS256", header={"kid": "key-2"})[:-4]),
        ("quoted", f'"{GOOD}"'),
        ("white_space", f"{HEAD}.{PAYLOAD} {SIGNATURE}"),
        ("bearer_twice", f"Bearer {GOOD}"),
        ("other_scheme", "Basic dXNlcjpwdw=="),
        ("header_name", f"Authorization: Bearer {GOOD}"),
        ("extension", token(defect=Defect.CRITICAL)),
        ("malformed_token", "a.b.c.d"),
        ("unsigned", token(defect=Defect.ALG_NONE)),
        ("symmetric", token(defect=Defect.HMAC_CONFUSION)),
        ("unknown_kid", token(header={"kid": "last-year"})),
        ("changed", token(defect=Defect.TAMPERED)),
    ],
    ids=range(18),  # a token differs from process to process
)
def test_mistakes_in_how_a_token_is_made_or_sent(mistake: str, sent: str) -> None:
    advice = advice_for(with_token(sent))
    assert advice.mistake == mistake
    assert SIGNATURE[:20] not in advice.text


@pytest.mark.parametrize(
    ("members", "mistake", "says"),
    [
        ({"headers": {"Authorization": GOOD}}, "no_bearer", "Authorization: Bearer <token>"),
        ({"headers": {"authorization": f"Token {GOOD}"}}, "other_scheme", "“Token”"),
        ({"headers": {"X-Auth": GOOD}}, "other_place", "JWT_TOKEN_SOURCE=header:X-Auth"),
        ({"headers": {"Cookie": f"a=b; session={GOOD}"}}, "other_place", "JWT_TOKEN_SOURCE=cookie:session"),
        ({"queryStringParameters": {"access_token": GOOD}}, "other_place", "JWT_TOKEN_SOURCE=query:access_token"),
        ({"headers": {}}, "missing_token", "Bearer"),
        ({"type": "TOKEN", "headers": {}, "authorizationToken": GOOD}, "no_bearer", "authorizationToken has"),
    ],
    ids=["no-bearer", "other-scheme", "header", "cookie", "query", "nothing", "token-event"],
)
def test_a_token_in_the_wrong_place(members: dict[str, object], mistake: str, says: str) -> None:
    advice = advice_for({**rest_request_event(None), "multiValueHeaders": {}, **members})
    assert advice.mistake == mistake
    assert says in advice.text
    assert SIGNATURE[:20] not in advice.text


ROUTES = config("""
[[routes]]
method = "GET"
path = "/orders/{id}"
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
        ("GET", "/verified", "other_type"),
    ],
)
def test_mistakes_in_routes(method: str, path: str, mistake: str) -> None:
    event = event_for(token({"verified": True}), AUTHORIZATION, ApiKind.REST, method, path)
    advice = advice_for(event, JWT_CONFIG=ROUTES, JWT_ISSUER="", JWT_AUDIENCE="", JWT_JWKS="")
    assert advice.mistake == mistake


def test_settings_of_a_document_are_named_as_the_document_has_them() -> None:
    named = 'set JWT_CLIENT_ID=a,b and JWT_REQUIRED_CLAIMS={"a": "b"}. Leave out JWT_AUDIENCE, JWT_CACHED_BY=route'
    assert advised(named, {"JWT_ISSUER": ISSUER}) == named
    assert advised(named, {"JWT_CONFIG": "file:x", "JWT_CACHED_BY": "token"}) == (
        'set client_id = ["a", "b"] and required_claims = { a = "b" }. Leave out audience, JWT_CACHED_BY=route'
    )


def test_each_reason_has_general_advice() -> None:
    assert GENERAL.keys() == set(ErrorCode)
