"""`explain` and the deployed function agree, whatever the token, the event and the settings."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from jwt_authorizer.function import AuthorizerFunction, create_function
from jwt_authorizer.settings import table
from jwt_authorizer_devkit import toml_text
from jwt_authorizer_devkit.environment_toml import toml_value
from jwt_authorizer_devkit.explaining import ApiKind, WatchedFunction, event_for, explain, watched_function
from jwt_authorizer_devkit.explaining.steps import Passing
from jwt_authorizer_devkit.mint import Defect, access_claims, mint
from jwt_authorizer_devkit.signing import key_set
from tests.factories import AUDIENCE, AUTHORIZATION, EVENTS, ISSUER, NOW, signing_key
from tests.properties.claim_oracle import JSON

KEYS = json.dumps(key_set((signing_key("ES256"), signing_key("EdDSA", "key-2"))))
PLAIN = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS": KEYS}
DOCUMENT = f"""
[[issuers]]
issuer = "{ISSUER}"
audience = ["{AUDIENCE}"]
jwks = '{KEYS}'
[[routes]]
method = "GET"
path = "/orders/{{id}}"
scopes = ["orders:read"]
[[routes]]
path = "/files/{{proxy+}}"
claims = {{ role = "admin" }}
"""
SETTINGS = (
    PLAIN,
    PLAIN | {"JWT_CLIENT_ID": "demo-client", "JWT_MAX_LIFETIME_SECONDS": "600", "JWT_REQUIRED_SCOPES": "orders:read"},
    PLAIN
    | {"JWT_TOKEN_TYPES": "at+jwt", "JWT_REQUIRED_CLAIMS": '{"tier": ["paid", 1]}', "JWT_HTTP_API_REJECT": "raise"},
    PLAIN
    | {"JWT_REQUIRED_CLAIMS": '{"/a/roles": {"all": ["a", 1], "like": "x*"}}', "JWT_PRINCIPAL_CLAIM": "/a/id,sub"},
    PLAIN | {"JWT_TOKEN_SOURCE": "cookie:session,query:token,header:X-Token"},
    {"JWT_CONFIG": DOCUMENT},
    {"JWT_CONFIG": DOCUMENT, "JWT_CACHED_BY": "route"},
    {"JWT_CONFIG": DOCUMENT, "JWT_CACHED_BY": "nothing", "JWT_HTTP_API_RESPONSE": "iam"},
)

_SIGNED = re.compile(r"eyJ[\w-]+\.[\w-]+\.([\w-]{40,})")

times = st.integers(-4000, 4000).map(lambda seconds: int(NOW) + seconds)
more_claims = st.fixed_dictionaries(
    {},
    optional={
        "iss": st.sampled_from([ISSUER, ISSUER + "/", "https://other.example.com", None, 5]),
        "aud": st.sampled_from([AUDIENCE, [AUDIENCE, "x"], "other", [], None]) | JSON,
        "exp": times | JSON,
        "nbf": times | JSON,
        "iat": times | JSON,
        "scope": st.sampled_from(["orders:read", "", None, ["orders:read"], "admin orders:read"]) | JSON,
        "sub": st.sampled_from(["user-1", "", None, 7]) | JSON,
        "client_id": st.sampled_from(["demo-client", "x", None]) | JSON,
        "role": st.sampled_from(["admin", ["admin"], "staff"]),
        "tier": st.sampled_from(["paid", 1, True, "free"]),
        "a": st.fixed_dictionaries({"roles": st.sampled_from([["a", 1, "xy"], ["a", "x"], {"a": 1}, "x"])}),
    },
)
headers = st.fixed_dictionaries(
    {},
    optional={"typ": st.sampled_from(["at+jwt", "JWT", None]), "kid": st.sampled_from(["key-1", "key-2", None, "?"])},
)


@st.composite
def tokens(draw: st.DrawFn) -> str:
    """Draw a signed token, mostly nearly right; sometimes cut, changed, or any text."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.text(max_size=60))
    claims = access_claims(ISSUER, draw(more_claims), audience=AUDIENCE, now=NOW, scope="orders:read")
    key = draw(st.sampled_from([signing_key("ES256"), signing_key("EdDSA", "key-2")]))
    text = mint(key, claims, defect=draw(st.none() | st.sampled_from(list(Defect))), header=draw(headers))
    cut = draw(st.sampled_from([0, 0, 0, 0, 1, 4, 30]))
    return text[: len(text) - cut]


@st.composite
def events(draw: st.DrawFn) -> object:
    """Draw an event of each kind, now and then with a part exchanged or gone."""
    bearer = draw(tokens())
    if draw(st.booleans()):
        kind = draw(st.sampled_from(list(ApiKind)))
        path = draw(st.sampled_from(["/orders/1", "/files/a/b", "/orders", "/", "/x//y"]))
        return event_for(bearer, AUTHORIZATION, kind, draw(st.sampled_from(["GET", "POST"])), path)
    make = draw(st.sampled_from(list(EVENTS.values())))
    event = make(draw(st.just(bearer) | st.none()))
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(sorted(event)))
        event = {**event, name: draw(JSON)}
    if draw(st.integers(0, 3)) == 0:
        event = {**event, "headers": {"cookie": f"session={bearer}", "x-token": bearer}}
    return event


@cache
def both(number: int) -> tuple[AuthorizerFunction, list[str], WatchedFunction]:
    written: list[str] = []
    function = create_function(SETTINGS[number], write=written.append, clock=lambda: NOW)
    return function, written, watched_function(SETTINGS[number], now=NOW, package_root=Path.cwd())


@given(number=st.integers(0, len(SETTINGS) - 1), event=events())
@example(number=0, event=None)
@example(number=0, event=[])
@settings(max_examples=settings().max_examples * 4)
def test_explain_says_what_the_function_does_and_shows_no_signature(number: int, event: object) -> None:
    function, written, watched = both(number)
    answer: dict[str, object] | None = None
    raised: str | None = None
    try:
        answer = function(event, None)
    except Exception as error:  # noqa: BLE001 - whatever it is, explain has to tell it
        raised = str(error)
    explanation = explain(event, watched)
    assert (explanation.answer, explanation.raised) == (answer, raised)
    line = json.loads(written[-1])
    assert (explanation.decision, explanation.reason, explanation.detail) == (
        line["decision"],
        line.get("reason"),
        line.get("detail"),
    )
    failed = [step for step in explanation.steps if step.outcome is Passing.FAILED]
    assert len(failed) == (explanation.decision != "allow")
    assert (explanation.advice is None) is (explanation.decision == "allow")
    wrong = {verdict.reason for verdict in explanation.claims if verdict.holds is False}
    if explanation.decision in ("allow", "deny"):
        assert not wrong
    elif explanation.verified and explanation.decision == "reject":
        assert explanation.reason in wrong
    text = f"{explanation.steps} {explanation.claims} {explanation.advice} {explanation.detail} {explanation.log_line}"
    for sent in _SIGNED.finditer(json.dumps(event)):
        assert sent[1] not in text


TEMPLATES = {"/a": "/a", "/a/1": "/a/{id}", "/b/x/y": "/b/{rest+}"}
SCOPES = ("read", "write", "admin")
some_scopes = st.lists(st.sampled_from(SCOPES), min_size=1, max_size=2, unique=True)
rules = st.lists(
    st.fixed_dictionaries(
        {"path": st.sampled_from(sorted(TEMPLATES.values()))},
        optional={
            "method": st.sampled_from(["GET", "PUT"]),
            "scopes": some_scopes,
            "any_scopes": some_scopes,
            "claims": st.just({"tier": "paid"}),
        },
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda rule: (rule["path"], rule.get("method")),
)
issuer_settings = st.fixed_dictionaries(
    {},
    optional={
        "audience": st.sampled_from([[AUDIENCE], [AUDIENCE + "/"], ["other", AUDIENCE]]),
        "client_id": st.sampled_from([["app"], ["app", "web"]]),
        "algorithms": st.just(["EdDSA"]),
        "required_claims": st.sampled_from([{"tier": "paid"}, {"verified": "true"}]),
        "required_scopes": some_scopes,
    },
).filter(lambda settings: {"audience", "client_id"} & settings.keys())
held = st.sampled_from(["read", "write", "read write", ["read"], ["write", "admin"], {"write": 1}, None])
callers = st.fixed_dictionaries(
    {},
    optional={
        "aud": st.sampled_from([AUDIENCE, AUDIENCE + "/", "another", None]),
        "client_id": st.sampled_from(["app", "web", "another", None]),
        "cid": st.sampled_from(["app", "another"]),
        "scope": held,
        "permissions": held,
        "realm_access": held.map(lambda value: {"roles": value}),
        "name": st.just("read write admin"),
        "tier": st.sampled_from(["paid", "free"]),
        "verified": st.sampled_from([True, "true"]),
        "token_use": st.sampled_from(["access", "id"]),
    },
)
ADVISED = re.compile(r"(leave out )?JWT_([A-Z_]+)(?:=(\{.*\}|\S*[^\s.,]))?")


def asked(document: dict[str, object], claims: dict[str, object], request: tuple[str, str]) -> tuple[str | None, str]:
    """Return the reason why a request is refused (``None``: it is allowed), and the advice."""
    watched = watched_function({"JWT_CONFIG": toml_text.document(document)}, now=NOW, package_root=Path.cwd())
    bearer = mint(
        signing_key("ES256"), access_claims(ISSUER, {"client_id": None, **claims}, audience=AUDIENCE, now=NOW)
    )
    explanation = explain(event_for(bearer, AUTHORIZATION, ApiKind.REST, *request), watched)
    return explanation.reason, explanation.advice.text if explanation.advice else ""


def followed(document: dict[str, object], advice: str) -> dict[str, object]:
    """Do what an advice says: each ``JWT_NAME=value`` is set, each ``leave out JWT_NAME`` left out."""
    changed = dict(document)
    for out, name, value in ADVISED.findall(advice):
        if out:
            changed.pop(name.lower(), None)
        elif value:
            setting = next(setting for setting in table.SETTINGS if setting.name == name.lower())
            changed[name.lower()] = toml_value(setting, value)
    return changed


@given(
    rules=rules,
    issuer=issuer_settings,
    advised=callers,
    others=st.lists(callers, min_size=1, max_size=4),
    request=st.tuples(st.sampled_from(["GET", "PUT"]), st.sampled_from(sorted(TEMPLATES))),
)
@example(
    # A rule that needs both scopes, and a token that has them elsewhere: those with one of them stay out.
    rules=[{"path": "/a", "scopes": ["read", "write"]}],
    issuer={"audience": [AUDIENCE]},
    advised={"permissions": ["read", "write"]},
    others=[{"permissions": ["read"]}],
    request=("PUT", "/a"),
)
def test_no_advice_weakens_a_rule(
    rules: list[dict[str, Any]],
    issuer: dict[str, Any],
    advised: dict[str, object],
    others: list[dict[str, object]],
    request: tuple[str, str],
) -> None:
    document = {**issuer, "issuers": [{"issuer": ISSUER, "jwks": KEYS}], "routes": rules}
    reason, advice = asked(document, advised, request)
    changed = followed(document, advice)
    if changed == document:
        return
    matching = [
        rule for rule in rules if rule["path"] == TEMPLATES[request[1]] and rule.get("method", request[0]) == request[0]
    ]
    for claims in (advised, *others):
        before, after = asked(document, claims, request)[0], asked(changed, claims, request)[0]
        if before is not None and after is None:
            # What it was refused for is what the advice is about, and the token has every scope that is needed.
            assert before == reason
            rule = min(matching, key=lambda rule: rule.get("method") != request[0])
            rights = json.dumps([claims.get(name) for name in ("scope", "permissions", "realm_access")])
            assert all(scope in rights for scope in (*issuer.get("required_scopes", ()), *rule.get("scopes", ())))
    # Nobody is sent in a circle: what was advised does not lead back to where it came from.
    again, advice_then = asked(changed, advised, request)
    assert again is None or followed(changed, advice_then) != document
