"""Callers while an issuer fails, with good and bad tokens, and the outcomes of their requests."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from jwt_authorizer.errors import DecisionError
from jwt_authorizer_devkit.mint import Defect, access_claims, mint
from tests.factories import EVENTS

if TYPE_CHECKING:
    from random import Random

    from jwt_authorizer.function import AuthorizerFunction
    from jwt_authorizer_devkit.signing import SigningKey

AUDIENCE = "https://api.example.com"
LIFETIME = 7 * 86_400
REMEMBERED = 200
"""Good tokens of a key that are sent repeatedly; a tenth of all are new."""
# A token without a kid is good if only one key can verify it. Unknown kids are another kind of caller.
BAD = tuple(defect for defect in Defect if defect not in {Defect.NO_KID, Defect.UNKNOWN_KEY})


class Caller(StrEnum):
    """The kinds of tokens, as the simulation knows them."""

    GOOD = "good"
    OTHER = "good, of another issuer"
    NEW = "good, of a key published less than a cooldown ago"
    REMOVED = "of a key removed less than a TTL ago"
    GONE = "of a key removed longer ago"
    MADE_UP = "with a made-up kid"
    BAD = "bad in another way"


class Outcome(StrEnum):
    """The outcome of a request."""

    ALLOWED = "allowed"
    REFUSED = "rejected (401 or 403)"
    UNDECIDED = "undecided (500)"


@dataclass
class Administrator:
    """Publishes and removes an issuer's keys, and signs with one of them."""

    issuer: str
    signing: SigningKey
    published: dict[SigningKey, float] = field(default_factory=dict)
    removed: dict[SigningKey, float] = field(default_factory=dict)
    tokens: dict[SigningKey, list[str]] = field(default_factory=dict)

    def remove(self, key: SigningKey, now: float) -> None:
        """Remove a key from the key set."""
        del self.published[key]
        self.removed[key] = now

    def token(self, key: SigningKey, random: Random, now: float) -> str:
        """Return a token of this key, mostly one that was returned before."""
        pool = self.tokens.setdefault(key, [])
        if len(pool) == REMEMBERED and random.random() < 0.9:  # noqa: PLR2004 - see REMEMBERED
            return random.choice(pool)
        token = mint(key, self.claims(now))
        if len(pool) < REMEMBERED:
            pool.append(token)
        return token

    def claims(self, now: float) -> dict[str, object]:
        """Return the claims of a good token."""
        return access_claims(self.issuer, audience=AUDIENCE, now=now, lifetime=LIFETIME)


@dataclass
class Traffic:
    """Sends requests of every kind, in an order that depends on a seed."""

    failing: Administrator
    healthy: Administrator
    random: Random
    ttl: float
    cooldown: float
    phase: str = ""
    counts: Counter[tuple[str, Caller, Outcome]] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    removed_for: float = 0.0
    """The longest time that tokens of a removed key were accepted, in seconds."""
    _since_removal: float = 0.0

    def send(self, function: AuthorizerFunction, now: float, caller: Caller | None = None) -> Outcome:
        """Send one request, by this kind of caller or by a random one."""
        caller = caller or self.random.choices(list(_SHARES), list(_SHARES.values()))[0]
        caller, token = self._token(caller, now)
        event = self.random.choice(list(EVENTS.values()))(token)
        began = time.perf_counter()
        outcome = ask(function, event)
        self.waits.append(time.perf_counter() - began)
        self.counts[self.phase, caller, outcome] += 1
        if caller is Caller.REMOVED and outcome is Outcome.ALLOWED:
            self.removed_for = max(self.removed_for, self._since_removal)
        return outcome

    def count(self, caller: Caller, *outcomes: Outcome, phase: str | None = None) -> int:
        """Count a caller's requests with these outcomes, in one phase or all."""
        return sum(
            count
            for (when, who, what), count in self.counts.items()
            if who is caller and what in outcomes and phase in (None, when)
        )

    def _token(self, caller: Caller, now: float) -> tuple[Caller, str]:
        issuer = self.failing
        match caller:
            case Caller.OTHER:
                return caller, self.healthy.token(self.healthy.signing, self.random, now)
            case Caller.MADE_UP:
                kid = f"made up {self.random.getrandbits(64)}"
                return caller, mint(issuer.signing, issuer.claims(now), header={"kid": kid})
            case Caller.REMOVED if issuer.removed:
                key = self.random.choice(list(issuer.removed))
                self._since_removal = now - issuer.removed[key]
                return Caller.GONE if self._since_removal >= self.ttl else Caller.REMOVED, issuer.token(
                    key, self.random, now
                )
            case Caller.GOOD | Caller.REMOVED:
                key = self.random.choice([issuer.signing, *(key for key in issuer.published if key in issuer.tokens)])
                new = now < issuer.published[key] + self.cooldown
                return Caller.NEW if new else Caller.GOOD, issuer.token(key, self.random, now)
            case _:  # of the oldest published key
                return caller, mint(next(iter(issuer.published)), issuer.claims(now), defect=self.random.choice(BAD))


_SHARES = {Caller.GOOD: 60, Caller.OTHER: 10, Caller.MADE_UP: 10, Caller.REMOVED: 5, Caller.BAD: 15}


def ask(function: AuthorizerFunction, event: object) -> Outcome:
    """Send an event, and return the outcome that API Gateway would see in the answer."""
    try:
        answer = function(event, None)
    except DecisionError:
        return Outcome.UNDECIDED
    except Exception as error:
        if str(error) != "Unauthorized":
            raise
        return Outcome.REFUSED
    if "isAuthorized" in answer:
        return Outcome.ALLOWED if answer["isAuthorized"] is True else Outcome.REFUSED
    return Outcome.ALLOWED if "'Effect': 'Allow'" in str(answer["policyDocument"]) else Outcome.REFUSED
