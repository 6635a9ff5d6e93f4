"""AppSync: its event, the fields that a token has no right to, how long an answer is kept, and wrong settings."""

from pathlib import Path
from typing import Any

import pytest

from jwt_authorizer.answers import AnswerSettings, CachedBy
from jwt_authorizer.errors import SettingsError
from jwt_authorizer.hooks import Caller
from jwt_authorizer.settings import load_settings
from jwt_authorizer_devkit.mint import Defect
from jwt_authorizer_devkit.signing import Json
from tests.factories import AUDIENCE, ISSUER, NOW, Watched, authorizer, config, token
from tests.security.lab import APPSYNC_REFUSED, bare_lab

CONFIG = config("""
[[routes]]
path = "/orders"
scopes = ["nobody:has"]

[[fields]]
field = "Mutation.deleteOrder"
scopes = ["orders:delete"]

[[fields]]
field = "Order.notes"
any_scopes = ["orders:read", "admin"]

[[fields]]
field = "Order.margin"
claims = { groups = ["staff"] }
""")


def event(bearer: str | None) -> dict[str, Any]:
    return {
        "authorizationToken": bearer,
        "requestContext": {"apiId": "api", "accountId": "123456789012", "requestId": "r-1", "queryString": "{ me }"},
    }


def answer(bearer: str | None, config: str = CONFIG, **settings: str) -> tuple[dict[str, Any], Json]:
    target = bare_lab(**{"JWT_CONFIG": config} | settings)
    return target.answered(event(bearer)), target.last


def test_fields_that_the_token_has_no_right_to_are_denied_and_routes_do_not_apply() -> None:
    found, line = answer(f"Bearer {token({'scope': 'orders:delete'})}")
    assert (found["isAuthorized"], found["deniedFields"]) == (True, ["Order.notes", "Order.margin"])
    assert (line["decision"], line["event_kind"]) == ("allow", "appsync")


@pytest.mark.parametrize(("left", "ttl"), [(300.7, 300), (3600, 3600), (90_000, 3600), (-59, 0)])
def test_an_answer_is_kept_until_the_token_expires_and_an_hour_at_most(left: float, ttl: int) -> None:
    assert answer(token({"exp": NOW + left}))[0]["ttlOverride"] == ttl


def test_a_hook_sees_the_caller_alone_since_appsync_keeps_the_answer_for_other_queries() -> None:
    callers: list[Caller] = []
    core = authorizer(answers=AnswerSettings(cached_by=CachedBy.NOTHING), check=callers.append)
    assert Watched(core)(event(token()))["isAuthorized"] is True
    assert (callers[0].id, callers[0].route, callers[0].request) == ("user-1", None, None)


ASKING = 'introspection = "discovery"\nintrospection_client_id = "c"\nintrospection_secret = "ssm:/s"\naudience'


@pytest.mark.parametrize(
    ("settings", "ttl"),
    [
        ({"JWT_CONFIG": CONFIG.replace("audience", ASKING, 1)}, 60),
        ({"JWT_CACHED_BY": "nothing"}, 0),
        ({"JWT_REVOKED": "https://lists.example/revoked", "JWT_REVOKED_TTL_SECONDS": "45"}, 45),
    ],
)
def test_an_answer_is_kept_no_longer_than_what_it_rests_on(settings: dict[str, str], ttl: int, tmp_path: Path) -> None:
    assert load_settings({"JWT_CONFIG": CONFIG} | settings, tmp_path).answers.appsync_ttl == ttl


@pytest.mark.parametrize(
    ("bearer", "reason"),
    [
        (None, "missing_token"),
        ("Bearer ", "missing_token"),
        (token(defect=Defect.FORGED), "bad_signature"),
        (f"DPoP {token({'cnf': {'jkt': 'x'}})}", "unsupported_binding"),
    ],
    ids=range(4),
)
def test_a_bad_token_is_refused_and_that_is_not_kept(bearer: str | None, reason: str) -> None:
    for settings in ({}, {"JWT_BOUND_TOKENS": "dpop,mtls", "JWT_CACHED_BY": "nothing"}):
        found, line = answer(bearer, **settings)
        assert (found, line["reason"]) == (APPSYNC_REFUSED, reason)


def test_a_scope_that_every_request_needs_is_needed_here_too() -> None:
    found, line = answer(token(), CONFIG.replace("audience", 'required_scopes = ["billing"]\naudience', 1))
    assert (found, line["reason"]) == (APPSYNC_REFUSED, "insufficient_scope")


def test_appsync_hands_the_token_over_wherever_others_have_it() -> None:
    assert answer(token(), f'token_source = "cookie:session"\n{CONFIG}')[0]["isAuthorized"] is True


@pytest.mark.parametrize(
    "broken",
    [
        {"requestContext": None},
        {"requestContext": {"apiId": "api"}},
        {"requestContext": {"apiId": "api", "queryString": "{ me }"}, "methodArn": "arn:aws:execute-api:r:1:a/s/GET/"},
        {"requestContext": {"apiId": "api", "queryString": "{ me }"}, "routeArn": None},
    ],
    ids=str,
)
def test_an_event_that_is_not_appsync_s_is_an_error(broken: dict[str, object]) -> None:
    with pytest.raises(Exception, match="invalid_event"):
        bare_lab(JWT_CONFIG=CONFIG).answered(event(token()) | broken)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ("fields = 5", "expected [[fields]] tables"),
        ("fields = [5]", "expected a table: write [[fields]] above it"),
        ("[[fields]]\nscopes = ['a']", "such as Mutation.deleteOrder"),
        ("[[fields]]\nfield = 'Mutation.*'\nscopes = ['a']", "such as Mutation.deleteOrder"),
        ("[[fields]]\nfield = 'A.b'", "asks for nothing"),
        ("[[fields]]\nfield = 'A.b'\nscopes = []", "an empty list would ask for nothing"),
        ("[[fields]]\nfield = 'A.b'\nscope = ['a']", "did you mean scopes?"),
        ("[[fields]]\nfield = 'A.b'\nissuers = ['https://other.example']", "that no [[issuers]] table has"),
        ("[[fields]]\nfield = 'A.b'\nscopes = ['a']\n[[fields]]\nfield = 'A.b'\nscopes = ['b']", "listed twice"),
    ],
)
def test_fields_that_are_wrong_stop_the_start(fields: str, says: str, tmp_path: Path) -> None:
    issuers = f'[[issuers]]\nissuer = "{ISSUER}"\naudience = ["{AUDIENCE}"]\n'
    with pytest.raises(SettingsError) as raised:
        load_settings({"JWT_CONFIG": f"{fields}\n{issuers}" if fields[7:8] == "=" else issuers + fields}, tmp_path)
    assert says in str(raised.value)
