"""Measure the warm path in Python: ours by stage, the obvious authorizer, the peers. ``python -m benchmarks.warm``.

It reads its input from standard input (see :class:`Material`), and writes seconds per call by name to standard output
as JSON. Log lines go to a file descriptor without a buffer, as on Lambda.
"""

from __future__ import annotations

import gc
import json
import os
import ssl
import sys
import time
from typing import TYPE_CHECKING, Any, TypedDict

import jwt
from awslambdaric.bootstrap import Unbuffered  # type: ignore[import-untyped]  # AWS ships no types
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet as JoserfcKeySet

from benchmarks.proofs import BoundHandler, raw_check
from benchmarks.workload import AUDIENCE, rest_event
from jwt_authorizer.answers import AnswerSettings, iam_policy
from jwt_authorizer.authorize import Outcome
from jwt_authorizer.claims import ClaimRules, VerifiedToken, check_claims
from jwt_authorizer.events import read_event
from jwt_authorizer.function import create_function
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.fetched import Fetched
from jwt_authorizer.keys import check_signature, parse_key_set
from jwt_authorizer.log_line import DecisionLog
from jwt_authorizer.policies import policies_for
from jwt_authorizer.rules import compile_rules
from jwt_authorizer.tokens import BearerToken, TokenLocation, TokenSource, bearer_token, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PASSES = 25

STAGES = ("event", "token", "parse", "key", "signature", "claims", "decision", "answer", "log line")
"""The stages of our handler, in order."""


class Material(TypedDict):
    """The input: an issuer, its keys' URL and content, the certificates of its server, and tokens."""

    issuer: str
    jwks_url: str
    jwks: str
    certificates: str
    tokens: list[str]


class _Context:
    """The members of Lambda's context object that are used."""

    function_name = "bench"
    function_version = "1"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:bench"
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    tenant_id = None


def main() -> None:
    """Measure each call over all tokens, and write the least times."""
    material: Material = json.load(sys.stdin)
    # Lambda's runtime client sets this for each invocation.
    os.environ["_X_AMZN_TRACE_ID"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
    results = sys.stdout
    sys.stdout = Unbuffered(open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the process ends
    calls = _ours(material) | _stages(material) | _obvious(material) | _peers(material) | _bound(material)
    gc.freeze()  # as our handler does; here it benefits all calls
    times = {name: float("inf") for name in calls}
    for _ in range(_PASSES):  # alternate, so that a slow moment affects all calls
        for name, call in calls.items():
            times[name] = min(times[name], _per_call(call, len(material["tokens"])))
    json.dump(times, results)
    results.flush()


def _per_call(call: Callable[[int], object], count: int) -> float:
    """Return the seconds per call in one pass over all tokens but the first, whose caches are cold."""
    spent = 0.0
    for number in range(count):
        if isinstance(call, _Handler):
            call.read_event(number)
        started = time.perf_counter()
        call(number)
        if number > 0:
            spent += time.perf_counter() - started
    return spent / (count - 1)


class _Handler:
    """A handler that is called with a newly parsed event, as Lambda's runtime does."""

    def __init__(self, events: Sequence[str], answer: Callable[[int, dict[str, object]], object]) -> None:
        self._events = events
        self._answer = answer
        self.read_event(0)

    def read_event(self, number: int) -> None:
        self._event: dict[str, object] = json.loads(self._events[number])

    def __call__(self, number: int) -> object:
        return self._answer(number, self._event)


def _with(tokens: Sequence[str]) -> list[str]:
    """Return an event for each token."""
    return [json.dumps(rest_event(token)) for token in tokens]


def environment(material: Material, **more: str) -> dict[str, str]:
    """Return our settings, with the keys in them."""
    return {"JWT_ISSUER": material["issuer"], "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS": material["jwks"], **more}


def _ours(material: Material) -> dict[str, Callable[[int], object]]:
    """Return whole handlers: with new tokens only, and with one repeated token."""
    tokens = material["tokens"]
    context = _Context()
    caching = create_function(environment(material), write=sys.stdout.write)
    uncached = _Uncached(material)
    return {
        "handler, fresh token": _Handler(
            _with(tokens), lambda number, event: uncached.function(number)(event, context)
        ),
        "handler, repeated token": _Handler(_with(tokens[:1]) * len(tokens), lambda _, event: caching(event, context)),
    }


class _Uncached:
    """A function whose caches do not have the tokens: each pass over them gets a new one."""

    def __init__(self, material: Material) -> None:
        self._environment = environment(material, JWT_TOKEN_CACHE_SIZE=str(len(material["tokens"])))
        self._function: Callable[[object, object], object] | None = None

    def function(self, number: int) -> Callable[[object, object], object]:
        if self._function is None or number == 0:
            self._function = create_function(self._environment, write=sys.stdout.write)
        return self._function


def _stages(material: Material) -> dict[str, Callable[[int], object]]:
    """Return each stage by itself, with the result of the one before."""
    now = time.time()
    keys = CachedKeySource(lambda: Fetched(parse_key_set(material["jwks"])), Ages(600, 3600, 30), lambda *_: None)
    sources = (TokenSource(TokenLocation.HEADER, "Authorization"),)
    rules = ClaimRules(audience=frozenset({AUDIENCE}))
    routes = compile_rules(None)
    policies = policies_for(routes)
    settings = AnswerSettings()
    log = DecisionLog(sys.stdout.write, "bench")
    events = [rest_event(token) for token in material["tokens"]]
    requests = [read_event(event) for event in events]
    bearers = [BearerToken(token) for token in material["tokens"]]  # with the digest, which the token cache needs
    parsed = [parse(bearer) for bearer in bearers]
    found = keys.candidates("RS256", parsed[0].kid, now)
    verified = VerifiedToken(material["issuer"], parsed[0].claims, parsed[0].payload)
    principal = check_claims(verified, rules, now)
    decision = routes.decide(principal, requests[0].method, requests[0].path)
    compiled = policies.compile(principal, decision, requests[0], "token")
    outcome = Outcome(
        "allow",
        None,
        request=requests[0],
        issuer=material["issuer"],
        alg="RS256",
        kid=parsed[0].kid,
        token_cache="miss",
        principal=principal,
        decision=decision,
    )

    def verification(number: int) -> object:
        token = parse(bearers[number])
        check_signature(token, keys.candidates(token.alg, token.kid, now))
        return check_claims(VerifiedToken(material["issuer"], token.claims, token.payload), rules, now)

    def decide(number: int) -> object:
        made = routes.decide(principal, requests[number].method, requests[number].path)
        return policies.compile(principal, made, requests[number], "token")

    return {
        "verification": verification,
        "event": lambda number: read_event(events[number]),
        "token": lambda number: bearer_token(requests[number], sources),
        "parse": lambda number: parse(bearers[number]),
        "key": lambda number: keys.candidates(parsed[number].alg, parsed[number].kid, now),
        "signature": lambda number: check_signature(parsed[number], found),
        "claims": lambda number: check_claims(
            VerifiedToken(material["issuer"], parsed[number].claims, parsed[number].payload), rules, now
        ),
        "decision": decide,
        "answer": lambda number: iam_policy(requests[number], principal, decision, compiled.statements, settings),
        "log line": lambda _: log.write(outcome, now=now, duration=0.001, invocation=_Context.aws_request_id),
    }


def _obvious(material: Material) -> dict[str, Callable[[int], object]]:
    """Return the obvious authorizer's handler. It does not cache tokens, so all take the same time."""
    os.environ |= {
        "JWKS_URL": material["jwks_url"],
        "JWT_ISSUER": material["issuer"],
        "JWT_AUDIENCE": AUDIENCE,
        "SSL_CERT_FILE": material["certificates"],
    }
    from benchmarks.peers import obvious  # noqa: PLC0415 - it reads its environment when imported

    context: Any = _Context()
    return {
        "obvious handler": _Handler(_with(material["tokens"]), lambda _, event: obvious.lambda_handler(event, context))
    }


def _bound(material: Material) -> dict[str, Callable[[int], object]]:
    """Return the handler with a repeated bound token, and the raw check of a proof's signature."""
    bound, context = BoundHandler(sys.stdout.write, len(material["tokens"])), _Context()
    handler = _Handler(bound.events, lambda number, event: bound(number, event, context))
    return {"handler, bound token": handler, "raw ES256 check": raw_check()}


def _peers(material: Material) -> dict[str, Callable[[int], object]]:
    """Return the raw check, and other libraries' checks of the same tokens."""
    tokens, issuer = material["tokens"], material["issuer"]
    key: Any = parse_key_set(material["jwks"]).keys[0].public
    parsed = [parse(BearerToken(token)) for token in tokens]
    scheme, digest = padding.PKCS1v15(), hashes.SHA256()
    ready = jwt.PyJWK(json.loads(material["jwks"])["keys"][0])
    context = ssl.create_default_context(cafile=material["certificates"])
    client = jwt.PyJWKClient(material["jwks_url"], ssl_context=context)
    joserfc_keys = JoserfcKeySet.import_key_set(json.loads(material["jwks"]))
    registry = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer}, aud={"essential": True, "value": AUDIENCE}
    )

    def pyjwt(number: int, found: jwt.PyJWK) -> object:
        return jwt.decode(tokens[number], found, algorithms=["RS256"], audience=AUDIENCE, issuer=issuer)

    def joserfc(number: int) -> None:
        registry.validate(joserfc_jwt.decode(tokens[number], joserfc_keys, algorithms=["RS256"]).claims)

    return {
        "raw check": lambda number: key.verify(parsed[number].signature, parsed[number].signing_input, scheme, digest),
        "PyJWT, ready key": lambda number: pyjwt(number, ready),
        "PyJWT, PyJWKClient": lambda number: pyjwt(number, client.get_signing_key_from_jwt(tokens[number])),
        "joserfc": joserfc,
    }


def read(times: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the least time of several rounds for each name, since noise only adds."""
    return {name: min(round_[name] for round_ in times) for name in times[0]}


if __name__ == "__main__":
    main()
