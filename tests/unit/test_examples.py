"""examples/: settings that the code accepts, rules that fit their APIs, pages that name what there is."""

from __future__ import annotations

import re
import time
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from jwt_authorizer.answers import CachedBy
from jwt_authorizer.settings import load_settings
from jwt_authorizer.tokens import TokenPlace
from jwt_authorizer_devkit.routes.cases import parse_cases
from jwt_authorizer_devkit.routes.checking import check_rules
from jwt_authorizer_devkit.routes.listed import route_tables
from jwt_authorizer_devkit.routes.reading import read_routes
from jwt_authorizer_devkit.routes.trying import try_cases
from tests.unit.pages import EXAMPLES, ROOT, blocks, read_yaml
from tests.unit.test_template import parameter_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from jwt_authorizer.settings import Settings

DEPLOYED = sorted(path.parent for path in EXAMPLES.glob("*/samconfig.toml"))
BY_ROUTE = [folder for folder in DEPLOYED if (folder / "rules.toml").exists()]
TEMPLATES = [path for path in sorted(EXAMPLES.rglob("*.yaml")) if "\nResources:\n" in path.read_text("utf-8")]
PARAMETERS = read_yaml((ROOT / "template.yaml").read_text("utf-8"))["Parameters"]
VARIABLES = {parameter_of(name): name for name in re.findall(r"\bJWT_[A-Z_]+\b", (ROOT / "template.yaml").read_text())}
NOT_FOR_TOKENS = re.compile(
    r"query|header|path\b|domainName|claims|authorizer\.(?!sub|principalId|reason|required_scope)"
)


def name_of(folder: Path) -> str:
    return folder.name


def config(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "samconfig.toml").read_text("utf-8"))


def parameters(folder: Path) -> dict[str, str]:
    pairs = config(folder)["authorizer"]["deploy"]["parameters"].get("parameter_overrides", [])
    if not pairs:
        # They are given on the command line, since some come from another stack.
        pairs = re.findall(r"\bJwt\w+=\S+", blocks("sh", page=folder / "README.md")[0].text)
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}


def settings(folder: Path) -> Settings:
    return load_settings(
        {VARIABLES[name]: value for name, value in parameters(folder).items() if name in VARIABLES}, folder
    )


def resources(template: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(template.read_text("utf-8"))["Resources"]
    return found


def routes(listed: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Give method and path of each route."""
    for route in listed:
        method = route.get("method", "*")
        for each in [method] if isinstance(method, str) else method:
            yield each, route["path"]


@pytest.mark.parametrize("folder", DEPLOYED, ids=name_of)
def test_its_settings_are_parameters_of_the_template_and_the_function_starts_with_them(folder: Path) -> None:
    assert parameters(folder).keys() <= PARAMETERS.keys()
    for name, value in parameters(folder).items():
        assert re.fullmatch(PARAMETERS[name].get("AllowedPattern", ".*"), value)
        assert value in PARAMETERS[name].get("AllowedValues", [value])
    loaded = settings(folder)
    assert loaded.issuers
    assert not loaded.keys.allow_http


@pytest.mark.parametrize("folder", BY_ROUTE, ids=name_of)
def test_its_rules_list_the_routes_of_its_api(folder: Path) -> None:
    listing = read_routes((folder / "template.yaml").read_text("utf-8"))
    assert not listing.problems
    document = tomllib.loads((folder / "rules.toml").read_text("utf-8"))
    assert sorted(routes(document["routes"])) == sorted(routes(route_tables(listing)))


@pytest.mark.parametrize("folder", BY_ROUTE, ids=name_of)
def test_its_rules_say_what_its_cases_say_and_leave_nothing_out(folder: Path) -> None:
    cases = parse_cases((folder / "cases.yaml").read_text("utf-8"))
    wrong = [result for result in try_cases(settings(folder), cases, time.time()) if not result.passed]
    assert wrong == []
    assert settings(folder).answers.cached_by is CachedBy.ROUTE
    assert check_rules(settings(folder), CachedBy.ROUTE).fine


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_no_log_is_told_what_a_token_may_be_in(template: Path) -> None:
    text = template.read_text("utf-8")
    for written in re.findall(r"^ +Format: >-\n((?: +\S.*\n)+)", text, re.MULTILINE):
        assert not NOT_FOR_TOKENS.search(written)
    # Execution logs hold whole requests.
    assert not re.search(r"^ *(?:DataTraceEnabled|LoggingLevel):", text, re.MULTILINE)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_pages_of_any_origin_are_allowed_nothing_with_credentials(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"Allow-?Origins?: .*\*", text)
    if "AllowCredentials" in text:
        parameter = read_yaml(text)["Parameters"]["AllowedOrigin"]
        assert not re.fullmatch(parameter["AllowedPattern"], "https://*")
        assert not re.fullmatch(parameter["AllowedPattern"], "*")
        assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"])


def test_a_cookie_is_looked_for_where_the_cache_is_keyed_and_nowhere_else() -> None:
    (source,) = settings(EXAMPLES / "browser-cookies").token_sources
    assert (source.place, source.name) == (TokenPlace.COOKIE, "__Host-session")
    api = resources(EXAMPLES / "browser-cookies" / "template.yaml")["Api"]["Properties"]
    assert api["Auth"]["Authorizers"]["Jwt"]["Identity"]["Headers"] == ["Cookie"]


def test_the_mcp_server_and_its_authorizer_have_the_same_name_issuer_and_scope() -> None:
    of_the_api = read_yaml((EXAMPLES / "mcp-server" / "template.yaml").read_text("utf-8"))["Parameters"]
    of_the_authorizer = parameters(EXAMPLES / "mcp-server")
    assert of_the_authorizer == {
        "JwtIssuer": of_the_api["Issuer"]["Default"],
        "JwtAudience": of_the_api["PublicUrl"]["Default"] + "/mcp",
        "JwtRequiredScopes": of_the_api["Scope"]["Default"],
        "JwtResourceMetadata": of_the_api["PublicUrl"]["Default"] + "/.well-known/oauth-protected-resource/mcp",
    }


def test_through_the_private_networks_endpoint_only_the_keys_can_be_read() -> None:
    made = resources(EXAMPLES / "private-vpc" / "network.yaml")
    (statement,) = made["S3Endpoint"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "s3:GetObject")
    assert statement["Resource"] == "${Keys.Arn}/jwks.json"
    kinds = {resource["Type"].removeprefix("AWS::EC2::") for resource in made.values()}
    assert not kinds & {"InternetGateway", "NatGateway", "VPCGatewayAttachment", "Route", "EgressOnlyInternetGateway"}
    assert set(made["Keys"]["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}


def test_the_copied_keys_are_neither_read_nor_written_without_tls() -> None:
    made = resources(EXAMPLES / "private-vpc" / "network.yaml")
    policy = made["KeysPolicy"]["Properties"]
    assert policy["Bucket"] == "Keys"
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["Keys.Arn", "${Keys.Arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
