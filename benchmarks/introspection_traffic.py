"""Callers with opaque tokens and JWTs while an introspection endpoint fails, and the outcomes of their requests."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from benchmarks.outages import DISCOVERY, INTROSPECT
from benchmarks.traffic import AUDIENCE, LIFETIME, Outcome, ask
from jwt_authorizer.function import create_function
from jwt_authorizer_devkit.mint import Defect, access_claims, mint
from jwt_authorizer_devkit.signing import generate, key_set
from tests.factories import EVENTS
from tests.integration.hostile_server import answer, answer_json

if TYPE_CHECKING:
    from random import Random

    from jwt_authorizer.function import AuthorizerFunction
    from tests.integration.hostile_server import Exchange, HostileServer

CACHE, COOLDOWN = 60, 30
"""Seconds; the defaults."""
TIMEOUT = 0.5
"""Seconds. Shorter than the default, since requests wait in real time."""
SLACK = 5.0
"""Seconds that a busy machine may add to a wait."""
CALM = 60
"""Simulated seconds after a failure and its last cooldown."""
START = 1_800_000_000.0
CLIENT = "orders-api"
COOLING, AFTER = "Within a cooldown after a failure", "The endpoint works"
METRICS = ("Introspections", "IntrospectionFailures")
TOKENS = 60
"""Tokens that are sent repeatedly; a tenth of all tokens are new."""
_ENDED_EVERY = 40
"""One of this many requests with an active token makes the issuer revoke a token."""
_REJECTED = answer(b"{}", status="401 Unauthorized")


class Caller(StrEnum):
    """The kinds of tokens, as the simulation knows them."""

    REMEMBERED = "opaque, active, answer cached"
    ACTIVE = "opaque, active, answer not cached"
    ENDED = "opaque, revoked since its answer was cached"
    INACTIVE = "opaque, not active"
    ELSEWHERE = "opaque, active, for another audience"
    JWT = "good JWT"
    BAD_JWT = "bad JWT"


NEVER = (Caller.INACTIVE, Caller.ELSEWHERE, Caller.BAD_JWT)
_SHARES = {Caller.ACTIVE: 55, Caller.INACTIVE: 10, Caller.ELSEWHERE: 5, Caller.JWT: 20, Caller.BAD_JWT: 10}


@dataclass
class World:
    """The issuer, its tokens, the clock, and the outcomes of requests."""

    server: HostileServer
    store: HostileServer
    random: Random
    now: float = START
    phase: str = AFTER
    secret: str = "secret-1"
    """The secret that the endpoint accepts. That in Parameter Store is a behavior of ``store``."""
    active: list[str] = field(default_factory=list)
    ended: dict[str, float] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    """When the running function last found each token active."""
    counts: Counter[tuple[str, Caller, Outcome]] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    metrics: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    ended_for: float = 0.0
    """The longest time that a token was accepted after the issuer had revoked it, in seconds."""
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Serve the issuer's documents, its endpoint and the secret."""
        self.key = generate("ES256", "key-1")
        self.issuer = f"https://localhost:{self.server.port}"
        self.metadata = {"issuer": self.issuer, "introspection_endpoint": self.issuer + INTROSPECT}
        self.server.behaviors |= {DISCOVERY: answer_json(self.metadata), INTROSPECT: self._introspect}
        self.store_secret(self.secret)
        self.jwts = [mint(self.key, self.claims()) for _ in range(TOKENS)]
        self.function = self.start()

    def start(self) -> AuthorizerFunction:
        """Start a function as Lambda does, with empty caches."""
        self.starts += 1
        self.asked.clear()
        environment = {
            "JWT_ISSUER": self.issuer,
            "JWT_AUDIENCE": AUDIENCE,
            "JWT_JWKS": json.dumps(key_set((self.key,))),
            "JWT_HTTP_TIMEOUT_SECONDS": str(TIMEOUT),
            "JWT_INTROSPECTION": "discovery",
            "JWT_INTROSPECTION_CLIENT_ID": CLIENT,
            "JWT_INTROSPECTION_SECRET": "ssm:/orders-api",
        }
        self.function = create_function(environment, write=self._write, clock=lambda: self.now)
        return self.function

    def store_secret(self, secret: str) -> None:
        """Put this secret into Parameter Store."""
        self.store.behaviors["/"] = answer_json({"Parameter": {"Value": secret}})

    def spend(self, phase: str, seconds: float, requests: int) -> None:
        """Advance the clock, with requests at equal intervals."""
        self.phase = phase
        for _ in range(requests):
            self.now += seconds / requests
            self._send()

    def heal(self, requests: int) -> None:
        """Let the last cooldown pass, then some time without failures."""
        self.spend(COOLING, COOLDOWN + TIMEOUT + SLACK, max(1, requests // 3))
        self.spend(AFTER, CALM, requests)

    def count(self, caller: Caller, *outcomes: Outcome, phases: tuple[str, ...] = ()) -> int:
        """Count a caller's requests with these outcomes, in these phases or in all."""
        return sum(
            count
            for (phase, who, what), count in self.counts.items()
            if who is caller and what in outcomes and (not phases or phase in phases)
        )

    def expect(self, promise: str, held: object) -> None:
        """Record a promise that was broken."""
        if not held:
            self.broken.append(promise)

    def claims(self, audience: str = AUDIENCE) -> dict[str, object]:
        """Return the claims of a good token, or of one for another audience."""
        return access_claims(self.issuer, audience=audience, now=START, lifetime=LIFETIME)

    def _send(self) -> None:
        caller, token = self._token(self.random.choices(list(_SHARES), list(_SHARES.values()))[0])
        event = self.random.choice(list(EVENTS.values()))(token)
        began = time.perf_counter()
        outcome = ask(self.function, event)
        self.waits.append(time.perf_counter() - began)
        self.counts[self.phase, caller, outcome] += 1
        if outcome is Outcome.ALLOWED and caller is Caller.ENDED:
            self.ended_for = max(self.ended_for, self.now - self.ended[token])
        elif outcome is Outcome.ALLOWED and caller is Caller.ACTIVE:
            self.asked[token] = self.now

    def _token(self, caller: Caller) -> tuple[Caller, str]:
        number = self.random.getrandbits(64)
        match caller:
            case Caller.JWT:
                return caller, self.random.choice(self.jwts)
            case Caller.BAD_JWT:
                defect = self.random.choice((Defect.FORGED, Defect.ALG_NONE, Defect.EXPIRED))
                return caller, mint(self.key, self.claims(), defect=defect)
            case Caller.ELSEWHERE:
                return caller, f"elsewhere-{number}"
            case Caller.INACTIVE if self.ended and number % 2:
                token = self.random.choice(list(self.ended))
                return (Caller.ENDED if self._is_remembered(token) else Caller.INACTIVE), token
            case Caller.INACTIVE:
                return caller, f"made-up-{number}"
            case _:
                return self._active(number)

    def _active(self, number: int) -> tuple[Caller, str]:
        if number % _ENDED_EVERY == 0 and self.active:
            self.ended[self.active.pop(0)] = self.now
        if len(self.active) < TOKENS or number % 10 == 0:
            token = f"active-{number}"
            if len(self.active) < TOKENS:
                self.active.append(token)
        else:
            token = self.random.choice(self.active)
        return (Caller.REMEMBERED if self._is_remembered(token) else Caller.ACTIVE), token

    def _is_remembered(self, token: str) -> bool:
        return token in self.asked and self.now < self.asked[token] + CACHE

    def _introspect(self, exchange: Exchange) -> None:
        """Answer an introspection request (RFC 7662)."""
        head, _, body = exchange.request.partition(b"\r\n\r\n")
        form = parse_qs((body or exchange.receive()).decode())
        credentials = base64.b64encode(f"{CLIENT}:{self.secret}".encode())
        token = form["token"][0]
        if b"\r\nAuthorization: Basic " + credentials not in head:
            _REJECTED(exchange)
        elif token.startswith("elsewhere-"):
            answer_json({"active": True} | self.claims("https://other.example.com"))(exchange)
        elif token.startswith("active-") and token not in self.ended:
            answer_json({"active": True} | self.claims())(exchange)
        else:
            answer_json({"active": False})(exchange)

    def _write(self, line: str) -> None:
        if METRICS[0] in line:
            self.metrics.update({name: json.loads(line).get(name, 0) for name in METRICS})
