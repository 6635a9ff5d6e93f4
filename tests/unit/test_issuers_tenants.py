"""Tenants: which issuer a token is of, whose keys are fetched, and what made-up tenants can cause."""

import itertools
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jwt_authorizer.authenticate import Issuer as CoreIssuer
from jwt_authorizer.claims import ClaimRules
from jwt_authorizer.errors import AuthorizerError, ErrorCode
from jwt_authorizer.function import create_function
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.tenants import (
    MOST_KEPT,
    MOST_LOOKED_UP,
    TenantIssuers,
    cached_tenants,
    placeholder_problem,
    tenant_list,
)
from jwt_authorizer.keys import Key, KeySource
from jwt_authorizer_devkit.issuer import local_issuer
from jwt_authorizer_devkit.issuer.tenants import tenant_of
from tests.security.lab import token_event
from tests.sources import COOLDOWN, MAX_STALE, START, TTL, Document, Issuer, Reports, Watch, source

TEMPLATE = "https://login.example.com/{tenant}/v2.0"


REFUSED = FetchError("answered 404", status=404)


@dataclass
class World:
    """Issuers by tenant, some of which fail, and the tenants that may call: with ``None``, any."""

    listed: Callable[[float], frozenset[str]] | None = None
    failing: dict[str, FetchError] = field(default_factory=dict)
    made: dict[str, Issuer] = field(default_factory=dict)
    template: str = TEMPLATE
    shared: CachedKeySource | None = None
    fetch_takes: float = 0.0

    def __post_init__(self) -> None:
        self.tenants = TenantIssuers(
            self.template,
            lambda iss, keys, tenant: CoreIssuer(iss, frozenset({"ES256"}), frozenset(), ClaimRules(), keys, tenant),
            None,
            self.listed,
            self.make,
            cooldown=COOLDOWN,
            shared=self.shared,
            monotonic=Watch(per_look=self.fetch_takes),
        )

    def make(self, tenant: str) -> CachedKeySource:
        if tenant.startswith("-"):
            message = "not a URL"
            raise ValueError(message)
        issuer = self.made[tenant] = Issuer((f"key of {tenant}",), self.failing.get(tenant))
        return source(issuer, fetch_takes=self.fetch_takes)

    def iss(self, tenant: str) -> str:
        return self.template.replace("{tenant}", tenant)

    def key(self, tenant: str, now: float) -> tuple[KeySource, Key]:
        """Ask as the core does: find the issuer, then its keys."""
        issuer = self.tenants.find(self.iss(tenant), now)
        assert issuer is not None
        (key,) = issuer.keys.candidates("ES256", f"key of {tenant}", now)
        return issuer.keys.source_of(key), key

    def kid(self, tenant: str, now: float) -> str | None:
        return self.key(tenant, now)[1].kid

    def code(self, tenant: str, now: float) -> ErrorCode:
        with pytest.raises(AuthorizerError) as caught:
            self.kid(tenant, now)
        return caught.value.code


@pytest.mark.parametrize(
    ("template", "any_tenant", "right"),
    [
        (TEMPLATE, True, True),
        ("https://{tenant}.auth.example.com", True, True),
        ("https://auth.{tenant}.example.com:8443/", True, True),
        ("https://{tenant}.com", False, True),
        ("https://{tenant}.com", True, False),
        ("https://a.{tenant}/x", True, False),
        ("https://a.example/x-{tenant}", False, False),
        ("https://a-{tenant}.example", False, False),
        ("https://{tenant}.example.com/{tenant}", False, False),
        ("https://a.example/?t={tenant}", False, False),
    ],
)
def test_where_the_placeholder_may_be(template: str, any_tenant: bool, right: bool) -> None:  # noqa: FBT001 - pytest passes by name
    assert (placeholder_problem(template, any_tenant=any_tenant) is None) is right


NOT_TENANTS = ["https://login.example.com/a/v2.0/", "https://login.example.com/a/b/v2.0"]
NOT_TENANTS += ["https://login.example.com//v2.0", "https://login.example.com/../v2.0"]
NOT_TENANTS += ["https://login.example.com/./v2.0", "https://login.example.com/a%2Fb/v2.0"]
NOT_TENANTS += ["https://login.example.com/ä/v2.0", "https://login.example.com/a\n/v2.0"]
NOT_TENANTS += [f"https://login.example.com/{'a' * 65}/v2.0", "https://login.example.com/v2.0"]
NOT_TENANTS += ["https://login.example.com.evil.test/a/v2.0", "http://login.example.com/a/v2.0", ""]


@pytest.mark.parametrize("iss", NOT_TENANTS)
def test_what_is_not_a_tenants_issuer(iss: str) -> None:
    assert World().tenants.find(iss, START) is None


def test_in_a_host_a_tenant_is_one_label() -> None:
    world = World(template="https://{tenant}.auth.example.com/")
    assert world.tenants.find("https://a.b.auth.example.com/", START) is None
    assert world.tenants.find("https://evil.test/.auth.example.com/", START) is None
    assert world.code("-a", START) == ErrorCode.UNKNOWN_ISSUER, "no URL has such a host"
    found = world.tenants.find("https://a.auth.example.com/", START)
    assert found is not None
    assert found.tenant is not None
    assert (found.name, found.tenant.name, found.tenant.configured_issuer) == (world.iss("a"), "a", world.template)


def test_start_up_fetches_the_keys_of_the_first_tenants_that_are_listed() -> None:
    names = [f"t{number:02}" for number in range(2 * MOST_LOOKED_UP)]
    world = World(listed=lambda _: frozenset(names))
    world.tenants.warm(START)
    assert sorted(world.made) == names[:10]
    assert [world.kid(name, START) for name in names] == [f"key of {name}" for name in names], "all in a cooldown"
    World().tenants.warm(START)
    World(shared=(keys := source(Issuer(("one",))))).tenants.warm(START)
    assert keys.has_keys


def test_a_tenant_that_is_no_longer_listed_is_refused_remembered_tokens_too() -> None:
    listed = {"a", "b"}
    world = World(listed=lambda _: frozenset(listed))
    remembered, _ = world.key("a", START)
    before = remembered.version(START)
    assert remembered.version(START + 1) == before
    listed.remove("a")
    assert remembered.version(START + 2) != before
    assert world.code("a", START + 2) == ErrorCode.UNKNOWN_ISSUER
    world.kid("b", START + 2)
    listed.add("a")
    made = world.made["a"]
    world.kid("a", START + 2)
    assert world.made["a"] is not made, "its keys are fetched anew once it is listed again"


def test_a_tenant_that_hangs_touches_no_other() -> None:
    world = World(listed=lambda _: frozenset({"a", "b"}), failing={"b": FetchError("no complete answer")})
    assert world.code("b", START) == ErrorCode.KEYS_UNAVAILABLE
    assert world.kid("a", START) == "key of a"
    assert world.code("b", START + 1) == ErrorCode.KEYS_UNAVAILABLE
    assert world.made["b"].asked == 1, "held back for the cooldown"


# With any tenant.


def test_a_tenant_that_the_issuer_refuses_is_unknown_for_the_cooldown() -> None:
    world = World(failing={"made-up": REFUSED})
    assert world.code("made-up", START) == ErrorCode.UNKNOWN_ISSUER
    assert world.code("made-up", START + COOLDOWN - 1) == ErrorCode.UNKNOWN_ISSUER
    assert world.made["made-up"].asked == 1
    world.failing.clear()
    assert world.kid("made-up", START + COOLDOWN) == "key of made-up"


@pytest.mark.parametrize("status", [0, 408, 429, 500, 503])
def test_a_failure_that_refuses_no_tenant_is_a_500(status: int) -> None:
    world = World(failing={"a": FetchError("failed", status=status)})
    assert world.code("a", START) == ErrorCode.KEYS_UNAVAILABLE
    assert world.code("a", START + 1) == ErrorCode.KEYS_UNAVAILABLE
    assert world.made["a"].asked == 1


def test_a_known_tenant_outlives_a_4xx_as_any_outage() -> None:
    world = World()
    world.kid("a", START)
    world.made["a"].failure = REFUSED
    assert world.kid("a", START + TTL) == "key of a"
    assert world.code("a", START + TTL + MAX_STALE) == ErrorCode.KEYS_UNAVAILABLE


MADE_UP = [f"made-up-{number}" for number in range(20)]


def test_ten_unknown_tenants_are_looked_up_in_a_cooldown_and_those_that_are_known_go_on() -> None:
    world = World(failing=dict.fromkeys(MADE_UP, REFUSED))
    world.kid("known", START - COOLDOWN)
    codes = []
    for number, tenant in enumerate(MADE_UP):
        codes.append(world.code(tenant, START + number))
        assert world.kid("known", START + number) == "key of known"
    assert codes == [ErrorCode.UNKNOWN_ISSUER] * 10 + [ErrorCode.KEYS_UNAVAILABLE] * 10
    assert {tenant: issuer.asked for tenant, issuer in world.made.items()} == dict.fromkeys(["known", *MADE_UP[:10]], 1)
    assert world.code("good", START + 20) == ErrorCode.KEYS_UNAVAILABLE
    assert world.kid("good", START + COOLDOWN) == "key of good", "the first of them is a cooldown ago"
    assert world.code("better", START + COOLDOWN) == ErrorCode.KEYS_UNAVAILABLE
    assert world.kid("better", START - 86_400) == "key of better", "a clock that is set back locks nobody out"


def test_the_cooldown_counts_from_the_end_of_looking_up() -> None:
    world = World(failing={"a": FetchError("no complete answer")}, fetch_takes=3.0)
    world.code("a", START)
    world.code("a", START + COOLDOWN + 2)
    assert world.made["a"].asked == 1
    world.code("a", START + COOLDOWN + 3)
    assert world.made["a"].asked == 1, "anew"


def test_the_least_recently_used_tenant_is_dropped_beyond_200() -> None:
    world = World()
    times = itertools.count(START, COOLDOWN / 10)
    for number in range(MOST_KEPT):
        world.kid(f"t{number}", next(times))
    # The first two are used since, by a new token and by a remembered one.
    world.kid("t0", next(times))
    remembered, _ = world.key("t1", next(times))
    for number in range(MOST_KEPT, MOST_KEPT + 5):
        remembered.version(next(times))
        world.kid(f"t{number}", next(times))
    before = dict(world.made)
    for number in (0, 1, 7, 2, 3):
        world.kid(f"t{number}", next(times))
    assert [name for name, issuer in world.made.items() if issuer is not before[name]] == ["t2", "t3"]


# A document that lists them.


ACME_AND_GLOBEX = b"acme\n\n  globex \r\n"


def listing(read: Document, reports: Reports | None = None) -> Callable[[float], frozenset[str]]:
    return cached_tenants(read, "s3://bucket/tenants.txt", Ages(TTL, MAX_STALE, COOLDOWN), reports or Reports())


@pytest.mark.parametrize("content", [None, b"acme\nnot a tenant", b"../x", b"\xff"])
def test_a_list_that_cannot_be_read_leaves_the_last_one_in_force(content: bytes | None) -> None:
    read, reports = Document(ACME_AND_GLOBEX), Reports()
    tenants = listing(read, reports)
    tenants(START)
    read.content = content
    for second in range(int(COOLDOWN)):
        assert tenants(START + TTL + second) == {"acme", "globex"}
    assert read.reads == 2
    assert reports.count("JwksFetchFailures") == 1
    assert "s3://bucket/tenants.txt" in reports.lines[0][1]
    with pytest.raises(AuthorizerError) as caught:
        tenants(START + TTL + MAX_STALE)
    assert caught.value.code == ErrorCode.KEYS_UNAVAILABLE


def test_a_list_that_was_never_read_decides_nothing_and_stops_no_start() -> None:
    world = World(listed=listing(Document(None)))
    world.tenants.warm(START)
    with pytest.raises(AuthorizerError) as caught:
        world.tenants.find(world.iss("acme"), START)
    assert caught.value.code == ErrorCode.KEYS_UNAVAILABLE


def test_a_document_of_tenants() -> None:
    assert tenant_list(b"") == frozenset()
    assert tenant_list(b"\xef\xbb\xbfa\r\nb\r\n") == {"a", "b"}, "as Windows writes it"
    with pytest.raises(ValueError, match="line 4 is not a tenant"):
        tenant_list(b"a\n\n  b \n# c\n")
    with pytest.raises(ValueError, match="save it as UTF-8"):
        tenant_list("a\n".encode("utf-16"))


# The whole function, with discovery, keys and a list of tenants over a real socket.

SETTINGS = """
[[issuers]]
issuer = "URL"
audience = "https://api.example.com"
tenants = "file:tenants.txt"
JWKS

[[routes]]
method = "GET"
path = "/orders/{id}"
issuers = ["URL"]
"""


@pytest.mark.parametrize(("jwks", "of_each"), [("", {"openid": 1, "jwks": 1}), ("jwks = 'URL/jwks'", {"jwks": 1})])
def test_each_tenant_has_keys_of_its_own(tmp_path: Path, jwks: str, of_each: dict[str, int]) -> None:
    """Their list may change, and rules name the issuer as the settings have it."""
    listed, lines, now = tmp_path / "tenants.txt", list[str](), time.time()
    listed.write_text("acme\nglobex\n")
    names = ("acme", "globex", "initech")
    with local_issuer(path="/{tenant}/v2.0", algorithms=("ES256",), tenants=names) as provider:
        settings = SETTINGS.replace("JWKS", jwks).replace("URL", provider.url)
        environment = {"JWT_CONFIG": settings, "JWT_ALLOW_HTTP": "true"}
        function = create_function(environment, write=lines.append, clock=lambda: now, package_root=tmp_path)

        def ask(tenant: str, signer: str) -> str:
            key = tenant_of(provider, signer).key()
            with suppress(Exception):  # the line says which
                function(token_event(tenant_of(provider, tenant).token({"exp": now + 300}, key=key)), None)
            line: dict[str, str] = json.loads(lines[-1])
            return line.get("reason") or f"{line['decision']} {line['tenant']}"

        assert [ask(name, name) for name in names] == ["allow acme", "allow globex", "unknown_issuer"]
        assert ask("acme", "globex") == ask("globex", "acme") == "bad_signature"
        fetches = {name: tenant.fetches for name, tenant in provider.tenants.items()}
        assert fetches == {"acme": of_each, "globex": of_each, "initech": {}}, "at start-up, and never again"
        listed.write_text("globex\n")
        assert ask("acme", "acme") == "allow acme", "within the TTL"
        now += 600
        assert [ask(name, name) for name in names] == ["unknown_issuer", "allow globex", "unknown_issuer"]
