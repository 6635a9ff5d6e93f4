"""What callers and issuers send stays out of the log, of what Lambda's runtime prints, and of debuggers."""

from collections.abc import Callable

import pytest

from jwt_authorizer.authorize import authorize
from jwt_authorizer.claims import VerifiedToken, check_claims
from jwt_authorizer.errors import ErrorCode, SettingsError
from jwt_authorizer.events import read_event
from jwt_authorizer.refresher import refresh
from jwt_authorizer.settings.model import Place
from jwt_authorizer.settings.table import SETTINGS
from jwt_authorizer.tokens import BearerToken, parse
from jwt_authorizer_devkit.events import kinds, sample
from tests.security.lab import (
    AUDIENCE,
    ISSUER,
    NOW,
    Json,
    Lab,
    assert_clean,
    assert_silent,
    attacker_key,
    bare_lab,
    claims,
    field_event,
    lab,
    sign,
    token_event,
)

NASTY = ["\n", '\r\n{"decision":"allow"}', "\x1b[2J\x1b[31m", "\0", "\x7f", "\u2028", "\u202egnp.exe", "\u200b"]
NASTY += ['"}\n{"_aws":{}}', "%0a%0d", "${jndi:ldap://x}", "\ue000", "A" * 9000]


@pytest.fixture
def target() -> Lab:
    return lab(JWT_TOKEN_SOURCE="header:Authorization,query:t,cookie:t")


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
def test_a_token_cannot_write_into_the_log(target: Lab, nasty: str) -> None:
    target.attacked(sign(header={"alg": "ES256", "kid": nasty}), ErrorCode.UNKNOWN_KEY)
    assert len(target.last["kid"]) < 250
    target.attacked(sign(header={"alg": nasty, "kid": "p256"}), ErrorCode.UNSUPPORTED_ALGORITHM)
    assert len(target.last["alg"]) < 250
    target.attacked(sign(claims(iss=nasty)), ErrorCode.UNKNOWN_ISSUER)
    assert "issuer" not in target.last
    target.allowed(token_event(sign(claims(sub=f"user{nasty}"))))
    assert_clean(target.lines[-1], "")
    assert len(target.last["principal"]) < 250


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("kind", kinds())
def test_a_request_cannot_write_into_the_log(target: Lab, kind: str, nasty: str) -> None:
    event: Json = sample(kind, sign())
    name = {"http-api-2.0": "routeArn", "appsync": "odd"}.get(kind, "methodArn")
    context = event.get("requestContext", {}) | {"requestId": nasty, "routeKey": nasty, "resourcePath": nasty}
    if kind in ("rest-request", "rest-token"):
        context.pop("routeKey")
    target.allowed(
        event | {name: event.get(name, "") + nasty, "resource": nasty, "routeKey": nasty, "requestContext": context}
    )
    assert_clean(target.lines[-1], "")
    assert len(target.lines[-1]) < 4000


@pytest.mark.parametrize("kind", kinds())
def test_a_line_says_who_and_why_and_nothing_that_opens_a_door(target: Lab, kind: str) -> None:
    good = sign(claims(email="alice@example.com", scope="very:secret-scope"))
    forged, expired = sign(signer=attacker_key("p256")), sign(claims(exp=NOW - 900))
    unknown = sign(header={"alg": "ES256", "kid": sign().rpartition(".")[0]})
    secret = "another-cookie-of-theirs"
    for token in (good, forged, expired, unknown, sign(header={"alg": "none"})):
        event: Json = sample(kind, token)
        headers = event.get("headers", {}) | {"Cookie": f"session={secret}", "X-Api-Key": secret, "x": token}
        try:
            target.function(event | {"headers": headers, "queryStringParameters": {"password": secret}}, None)
        except Exception as error:  # noqa: BLE001 - refused or not, what counts is what was written
            assert str(error) == "Unauthorized"  # noqa: PT017 - API Gateway compares this text
        line = target.lines[-1]
        assert_clean(line, token)
        assert secret not in line
        assert "alice" not in line
        assert "very:secret" not in line


def test_what_is_dumped_for_a_debugger_holds_no_token_nor_does_the_token_cache(target: Lab) -> None:
    token = sign(claims(email="alice@example.com"))
    event, bearer = sample("http-api-2.0", token), BearerToken(token)
    parsed = parse(bearer)
    verified = VerifiedToken(ISSUER, parsed.claims)
    core = target.function._authorizer  # noqa: SLF001 - no other way in
    principal = check_claims(verified, core.issuers[ISSUER].claim_rules, NOW)
    outcome = authorize(event, core, NOW)
    kept = core.token_cache._entries  # noqa: SLF001 - its memory is what is looked at
    assert {len(name) for name in kept} == {32}
    for shown in (read_event(event), bearer, parsed, verified, principal, outcome, kept):
        assert_silent(repr(shown), token)
        assert "alice" not in repr(shown)


SECRETS = ["https://user:S3CR3T@issuer.example", "user:S3CR3T@issuer.example"]
SECRETS += ["https:/user:SE CRET/S3CR3T@issuer.example", "https://issuer.example/?key=S3CR3T"]
SECRETS += ["https://issuer.example/#S3CR3T", 'x"}, {"kty": "RSA", "d": "S3CR3T"}']
SECRETS += ["-----BEGIN PRIVATE KEY----- S3CR3T", "eyJhbGciOiJFUzI1NiJ9.S3CR3T"]
# Of a text that is split, a part does not look like the secret that it is a part of.
SECRETS += ["-----BEGIN PRIVATE KEY-----\\nS3CR3T", "RS256,S3CR3T?,/S3CR3T,S3CR3T=,kty:RSA"]
PRIVATE_KEYS = '{"keys":[{"d":"S3CR3T"}]}'
KEYS = [f"'{PRIVATE_KEYS}'", f"\ufeff{PRIVATE_KEYS}", f"https:{PRIVATE_KEYS}", f"file:{PRIVATE_KEYS}"]
KEYS += ['[{"d":"S3CR3T"}]', '{"keys":{"d":"S3CR3T"}}']
KEYS += ["http://issuer.example/jwks?key=S3CR3T", "https://user:S3CR3T?x@issuer.example/jwks"]


def settings_error(function: Callable[..., object], *arguments: object, **named: object) -> str:
    with pytest.raises(SettingsError) as caught:
        function(*arguments, **named)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", [setting.variable for setting in SETTINGS if setting.place is not Place.ENVIRONMENT] + ["JWT_SECRET"]
)
def test_no_setting_s_error_repeats_a_secret_that_was_pasted_there(name: str) -> None:
    good = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_LEEWAY_SECONDS": "wrong\n\x1b[31m"}
    for value in [*SECRETS, *(f"x, {secret}" for secret in SECRETS), *(KEYS if name == "JWT_JWKS" else ())]:
        error = settings_error(bare_lab, **{**good, name: value})
        assert "S3CR3T" not in error
        assert "\x1b" not in error


@pytest.mark.parametrize(
    "table",
    [
        "[[issuers]]\nissuer = VALUE\naudience = 'a'\n[[issuers]]\nissuer = VALUE\naudience = 'a'\n",
        "[[issuers]]\nissuer = 'a'\naudience = [5, VALUE]\njwks = { keys = VALUE }\nrequired_claims = [VALUE]\n",
        "[[issuers]]\nissuer = 'a'\naudience = 'a'\n[[routes]]\npath = VALUE\nmethod = VALUE\nclaims = VALUE\n",
        "[[issuers]]\nissuer = 'a'\naudience = 'a'\n[[routes]]\npath = '/a'\nsecret = VALUE\nissuers = [VALUE]\n",
        "secret = VALUE\n[[issuers]]\nissuer = 'a'\naudience = 'a'\nsecret = VALUE\n",
        "key = 'S3CR3T'\n[[issuers]]\nissuer = 'a'\nkey = 'S3CR3T'\n[[routes]]\npath = '/a'\nkey = 'S3CR3T'\n",
        *(f"{setting.name} = WRITTEN\n[[issuers]]\nleeway_seconds = 'wrong'\n" for setting in SETTINGS),
    ],
)
def test_nor_does_a_document_s(table: str) -> None:
    for value in (f"'''{secret}'''" for secret in SECRETS):
        for written in (value, f"[5, {value}]", f"{{ a = {value} }}"):
            document = table.replace("VALUE", value).replace("WRITTEN", written)
            assert "S3CR3T" not in settings_error(bare_lab, JWT_CONFIG=document)


@pytest.mark.parametrize("value", [*SECRETS, "SECRET", '{"keys": [{"d": "S3CR3T"}]}'])
@pytest.mark.parametrize("name", ["JWT_REFRESH_SOURCE", "JWT_REFRESH_TARGET"])
def test_nor_does_the_refresher_s(name: str, value: str) -> None:
    assert "S3CR3T" not in settings_error(refresh, {"JWT_ISSUER": ISSUER, name: value}, now=0.0)
    if value != "SECRET":  # an issuer's name is not a secret
        assert "S3CR3T" not in settings_error(refresh, {"JWT_ISSUER": value}, now=0.0)


def test_a_setting_about_a_secret_takes_its_location_only() -> None:
    for setting in [setting for setting in SETTINGS if "secret" in setting.name or "password" in setting.name]:
        with pytest.raises(ValueError, match="where the secret is, not the secret itself") as caught:
            setting.read("S3CR3T")
        assert "S3CR3T" not in str(caught.value)


@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNzd29yZA", "Bearer opaque-reference-token", "dXNlcjpwYXNzd29yZA"])
def test_credentials_of_another_kind_are_not_repeated(target: Lab, value: str) -> None:
    target.refused(field_event(value), ErrorCode.MISSING_TOKEN, ErrorCode.MALFORMED_TOKEN)
    assert value.rpartition(" ")[2] not in target.lines[-1]
