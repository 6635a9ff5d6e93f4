"""`jwt-authorizer explain` and `doctor`, as a person or a script meets them; how each command refuses wrong input."""

import io
import json
import sys

import pytest

from jwt_authorizer_devkit.cli.app import run
from jwt_authorizer_devkit.cli.inputs import parse_environment, read_moment
from jwt_authorizer_devkit.mint import Defect
from jwt_authorizer_devkit.signing import key_set
from tests.factories import AUDIENCE, ISSUER, NOW, config, rest_request_event, signing_key, token
from tests.unit.desk import AT, Desk

GOOD = token()
SIGNATURE = GOOD.rpartition(".")[2]


@pytest.mark.parametrize("defect", list(Defect), ids=str)
def test_no_output_holds_a_token_or_one_within_it(desk: Desk, defect: Defect) -> None:
    bearer = token({"id_token": GOOD, "deep": {"act": [GOOD]}}, defect=defect)
    code, text = desk.explain(bearer)
    text += json.dumps(desk.explain_json(bearer)[1])
    assert (bearer.rpartition(".")[2][:30] or bearer) not in text
    assert GOOD[20:] not in text
    assert code == (0 if defect is Defect.NO_KID else 1)


@pytest.mark.parametrize("bearer", ["-q", "--"])
def test_a_token_that_begins_with_a_dash_is_no_option(desk: Desk, bearer: str) -> None:
    bearer += "k7Wf3v0o9dQ2k7Wf3v0o9dQ2k7Wf3v0o9dQ2"
    code, text = desk.explain(bearer)
    assert (code, "malformed_token" in text, bearer in text) == (1, True, False)


def test_json_has_the_whole_explanation(desk: Desk) -> None:
    code, document = desk.explain_json(token(defect=Defect.WRONG_AUDIENCE))
    assert code == 1
    assert (document["decision"], document["reason"], document["client_sees"]) == ("reject", "invalid_audience", "401")
    assert document["advice"]["mistake"] == "other_api"


def test_a_token_comes_in_many_ways(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(GOOD))
    files = [desk.write("token.txt", GOOD + "\n"), desk.write("event.json", json.dumps(rest_request_event(GOOD)))]
    asked = [["Bearer", GOOD], [f"bearer {GOOD}"], ["Authorization:", "Bearer", GOOD], *([it] for it in files), ["-"]]
    assert [desk.explain(*given)[0] for given in asked] == [0] * len(asked)
    assert desk.explain(json.dumps(rest_request_event(None)))[0] == 1


def test_a_config_with_routes_shows_what_a_copy_serves(desk: Desk) -> None:
    keys = desk.write("keys.json", json.dumps(key_set((signing_key(),))))
    routes = '[[routes]]\nmethod = "GET"\npath = "/orders/{id}"\n[[routes]]\npath = "/admin"\nscopes = ["admin"]\n'
    document = desk.write("rules.toml", f'[[issuers]]\nissuer = "{ISSUER}"\naudience = ["{AUDIENCE}"]\n{routes}')
    code, text = desk.run("explain", GOOD, AT, "--config", document, "--keys", keys)
    assert code == 0
    assert "JWT_CACHED_BY=token" in text
    assert "insufficient_scope (needs admin)" in text
    code, text = desk.run("explain", token({"aud": None}), AT, "--config", document, "--keys", keys)
    assert (code, 'client_id = ["demo-client"]' in text, "JWT_CLIENT_ID" in text) == (1, True, False)
    assert desk.run("explain", GOOD, AT, "--config", document, "--keys", keys, "--request", "POST /admin")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", GOOD, "--at", "tomorrow"], "2026-11-24T08:30:00Z"),
        (["explain", GOOD, "--request", "orders"], "GET /orders/1"),
        (["explain", GOOD, "--env", "missing.env"], "cannot be read: No such file"),
        (["explain", "missing.json"], "There is no file missing.json"),
        (["explain", '{"type": '], "The event is not JSON"),
        (["explain", '{"access_token": "x", "token_type": "Bearer"}'], "give its access_token alone"),
        (["doctor", GOOD, GOOD], "unexpected extra argument"),
        (["doctor", "issuer.example.com"], "https://myapp.authgear.cloud"),
        (["doctor", ISSUER, "--config", "x.toml"], "not both"),
        (["mint", "--claim", "x"], "NAME=VALUE"),
        (["mint", "--alg", "HS256"], "hmac-confusion"),
        (["mint", "--expired", "--alg", "none"], "one defect, but 2 are given"),
        (["mint", "--jwks"], "--key-file"),
        (["mint", "--dpop", "GET /orders"], "is not a request"),
        (["issuer", "--path", "x"], "/x"),
        (["nonsense"], "See jwt-authorizer --help."),
        (["rules", "check", "--nonsense"], "See jwt-authorizer rules check --help."),
    ],
    ids=range(17),
)
def test_errors_say_what_is_wrong_and_what_would_be_right(desk: Desk, arguments: list[str], said: str) -> None:
    if arguments[0] == "explain" and "--env" not in arguments:
        arguments = [*arguments, "--env", str(desk.folder / "function.env")]
    code = run(arguments)
    captured = desk.capture.readouterr()
    assert (code, captured.out) == (2, "")
    assert said in " ".join(captured.err.split())
    assert SIGNATURE not in captured.err


def test_quiet_leaves_it_to_the_exit_code(desk: Desk) -> None:
    assert desk.explain(GOOD, "--quiet") == (0, "")
    assert desk.explain(token(defect=Defect.FORGED), "-q", "--json") == (1, "")
    assert desk.run("doctor", "--env", str(desk.folder / "function.env"), "--quiet") == (0, "")
    code, text = desk.run("rules", "test", "none.yaml", "--quiet")
    assert (code, text.startswith("error ")) == (2, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A=1\nnonsense", "Line 2 of"),
        ("JwtJwksTtlSeconds=60", "JWT_JWKS_TTL_SECONDS"),
        ("{", "JSON"),
        ('{"Environment": 5}', "not an object"),
        ("JWT_ISUER=x\nJWT_ALGORITHMS=HS256", "did you mean JWT_ISSUER?"),
    ],
    ids=["no assignment", "a parameter of the template", "half of JSON", "no object", "no such setting"],
)
def test_an_environment_that_cannot_be_used(desk: Desk, text: str, said: str) -> None:
    code, printed = desk.run("explain", GOOD, "--env", desk.write("wrong.env", text))
    assert (code, said in printed) == (2, True)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("JWT_ALLOW_HTTP=true", "JWT_ALLOW_HTTP is on"),
        ("JWT_CACHED_BY=nothing", "only right if the TTL"),
        ("JWT_LEEWAY_SECONDS=600", "are accepted for 600 s after they have expired"),
        ("JWT_SCOPE_CLAIMS=resource_access.my-api.roles", "/resource_access/my-api/roles instead"),
        ("JWT_CONTEXT_CLAIMS=city=address.locality", "/address/locality instead"),
        ("JWT_ISSUER=https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example", "no setting separates them"),
    ],
)
def test_doctor_names_settings_that_deserve_a_look(desk: Desk, setting: str, said: str) -> None:
    env = desk.write("look.env", (desk.folder / "function.env").read_text() + setting)
    assert said in " ".join(desk.run("doctor", "--env", env)[1].split())


def test_doctor_knows_a_dotted_path_for_a_pointer_that_is_meant(desk: Desk) -> None:
    routes = "[[routes]]\npath = '/a'\nclaims = { 'realm_access.roles' = 'b', 'https://example.com/a.b' = 'c' }\n"
    fields = "[[fields]]\nfield = 'Query.orders'\nclaims = { 'org.role' = 'b', '/realm_access/x' = 'c' }\n"
    _, document = desk.json("doctor", "--config", desk.write("c.toml", config(routes + fields)))
    assert [(finding["level"], finding["fix"]) for finding in document["findings"] if finding["topic"] == "claims"] == [
        ("warning", "/realm_access/roles instead of realm_access.roles"),
        ("note", "/org/role, if it is inside another claim"),
    ]


def test_environments_in_each_form() -> None:
    told = {"FunctionName": "x", "Environment": {"Variables": {"JWT_ISSUER": "a"}}}
    assert parse_environment(json.dumps(told)) == {"JWT_ISSUER": "a"}
    lines = 'A=1 # not a comment\n\n B = "x y" \nC=\'{"a": 1}\''
    assert parse_environment(lines) == {"A": "1 # not a comment", "B": "x y", "C": '{"a": 1}'}


@pytest.mark.parametrize("text", ["1800000000", "2027-01-15T08:00:00", "2027-01-15T09:00:00+01:00"])
def test_moments(text: str) -> None:
    assert read_moment(text) == NOW


@pytest.mark.parametrize(
    ("issuers", "level", "said"),
    [
        ({ISSUER: {"sub": {"user-1": NOW}, "jti": {"a": NOW}}}, "good", "2 entries"),
        ({ISSUER + "/": {"sub": {"user-1": NOW}}}, "warning", f"{ISSUER}/, which are not in the settings"),
        ({ISSUER: {"subs": {}}}, "problem", "cannot be used"),
    ],
    ids=["fits", "other-issuer", "misspelt"],
)
def test_doctor_reads_the_revocation_list(desk: Desk, issuers: object, level: str, said: str) -> None:
    desk.write("revoked.json", json.dumps({"issuers": issuers}))
    settings = (desk.folder / "function.env").read_text() + "JWT_REVOKED=file:revoked.json\n"
    code, told = desk.json("doctor", "--env", desk.write("revoking.env", settings))
    assert code == (0 if level == "good" else 1)
    assert any((one["level"], said in one["said"]) == (level, True) for one in told["findings"])


def test_doctor_looks_at_settings_and_all_their_issuers(desk: Desk) -> None:
    code, text = desk.run("doctor", "--env", str(desk.folder / "function.env"))
    assert (code, "Nothing to fix." in text) == (0, True)
    document = f'allow_http = true\n[[issuers]]\nissuer = "{ISSUER}"\naudience = ["a"]\njwks = "file:x"'
    code, text = desk.run("doctor", "--config", desk.write("c.toml", document))
    assert (code, "there is no such file" in text) == (2, True)
