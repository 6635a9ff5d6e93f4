"""A deployed authorizer in simulated time: what it writes, and what Lambda counts about it.

The function is the real one, with the real key cache; its lines are what CloudWatch gets. Lambda is not here: what it
counts of its own (``AWS/Lambda``) is counted by :meth:`Running.invoke` as its developer guide says, and an invocation
that crashes is one for which no function is called.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jwt_authorizer.claims import ClaimRules
from jwt_authorizer.function import AuthorizerFunction
from jwt_authorizer.issuers import CachedKeySource, FetchError
from jwt_authorizer.issuers.fetched import Fetched
from jwt_authorizer.issuers.response import Response
from jwt_authorizer.log_line import Journal
from jwt_authorizer.refresher import refresh
from jwt_authorizer.rules import Route, compile_rules
from jwt_authorizer.settings import HttpApiReject
from jwt_authorizer.settings.table import JWKS_COOLDOWN, JWKS_MAX_STALE, JWKS_TTL
from jwt_authorizer_devkit.mint import Defect
from jwt_authorizer_devkit.signing import key_set
from tests.cloudformation import read_template, resolve
from tests.cloudwatch import Metric, Metrics
from tests.factories import (
    AUDIENCE,
    ISSUER,
    NOW,
    Event,
    FakeKeys,
    authorizer,
    http_api_v2_event,
    parsed_keys,
    rest_request_event,
    signing_key,
    token,
    websocket_event,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt_authorizer.authorize import Authorizer
    from jwt_authorizer.issuers.aws import AwsClient
    from jwt_authorizer.issuers.response import Deadline
    from tests.cloudformation import Resolved

type Act = Callable[[Running], None]
"""What happens each time."""

ROOT = Path(__file__).resolve().parents[2]
GIVEN = {"JwtIssuer": ISSUER, "JwtAudience": AUDIENCE}
REFRESHER = {"RefreshTarget": "s3://bucket/keys", "RefreshTargetArn": "arn:aws:s3:::bucket/keys"}
SHIFTING = {"GradualDeployment": "Canary10Percent10Minutes"}
NEW_VERSION = "AuthorizerFunction.Version.Version"
"""What ``GetAtt`` gives in :mod:`tests.cloudformation`."""
GAP = 20
"""Seconds between two requests."""
SCHEDULE = 300
"""Seconds between two runs of the refresher: the template's default."""
_FOR_DAYS = int(NOW) + 30 * 24 * 3600
GOOD = rest_request_event(token({"exp": _FOR_DAYS}))
UNKNOWN_KEY = rest_request_event(token({"exp": _FOR_DAYS}, defect=Defect.UNKNOWN_KEY))
EXPIRED = rest_request_event(token(defect=Defect.EXPIRED))
LARGE = websocket_event(token({"exp": _FOR_DAYS, "pad": "x" * 8000}))
CACHED_BY_TOKEN_ALONE = http_api_v2_event(token({"exp": _FOR_DAYS}))
FOREIGN: Event = {"hello": "world"}
ROUTES = compile_rules((Route(None, "/orders/{id}"),))


@cache
def stack() -> Resolved:
    """Work ``template.yaml`` out, with everything that has an alarm."""
    return resolve(read_template(ROOT / "template.yaml"), GIVEN | REFRESHER | SHIFTING)


def alarms() -> dict[str, dict[str, Any]]:
    """Give its alarms."""
    return stack().of_type("AWS::CloudWatch::Alarm")


@cache
def _failed_start(service: str) -> dict[str, Any]:
    """Have the real entry point fail, by wrong settings, and give the line that it wrote."""
    ended = subprocess.run(
        [sys.executable, "-c", "import jwt_authorizer.handler"],
        env={"PYTHONPATH": str(ROOT), "POWERTOOLS_SERVICE_NAME": service, "JWT_LEEWAY_SECONDS": "soon"},
        capture_output=True,
        text=True,
        check=False,
    )
    line: dict[str, Any] = json.loads(ended.stdout)
    return line


@dataclass(slots=True)
class Running:
    """The authorizer of a stack, and everything that was reported about it since :data:`NOW`."""

    stack: Resolved
    now: float = NOW
    metrics: Metrics = field(default_factory=Metrics)
    lines: list[dict[str, Any]] = field(default_factory=list)
    issuer_is_down: bool = False
    refresher: str = "works"
    """Or ``fails``, or ``is silent``."""
    version: str = ""
    """The version that the alias sends requests to, where APIs call the alias."""
    _warm: AuthorizerFunction | None = None
    _other: AuthorizerFunction | None = None

    def tick(self) -> None:
        """Let :data:`GAP` seconds pass."""
        if (self.now - NOW) % SCHEDULE == 0 and self.refresher != "is silent":
            self._refresh()
        self.now += GAP

    # What may happen.

    def request(self, event: Event = GOOD) -> None:
        """Have a good request answered, or another one where keys are fetched."""
        if self._warm is None:
            journal = self._journal()
            keys = CachedKeySource(
                self._fetch,
                ttl=JWKS_TTL.default,
                max_stale=JWKS_MAX_STALE.default,
                cooldown=JWKS_COOLDOWN.default,
                report=journal.count,
                jitter=lambda: 0.5,
                monotonic=lambda: 0.0,  # fetching takes no time here
            )
            self._warm = self._started(authorizer(keys), journal)
        self._invoke(self._warm, event)

    def cold_start(self) -> None:
        """Have it answered by a new execution environment."""
        self._warm = None
        self.request()

    def elsewhere(self) -> None:
        """Have it answered where keys are no trouble, and in a tenth of a second."""
        if self._other is None:
            self._other = self._started(authorizer())
        self._invoke(self._other, GOOD, duration=100.0)

    def rejection(self) -> None:
        """Have a token refused that has expired."""
        self._invoke(self._started(authorizer()), EXPIRED)

    def wrong_audience(self, event: Event = GOOD) -> None:
        """Have a good token refused, since the setting names another audience."""
        elsewhere = ClaimRules(audience=frozenset({"https://elsewhere.example.com"}))
        self._invoke(self._started(authorizer(claim_rules=elsewhere)), event)

    def foreign_event(self) -> None:
        """Be called by something that is no API."""
        self._invoke(self._started(authorizer()), FOREIGN)

    def unsafe_cache(self) -> None:
        """Be asked by an HTTP API whose cache knows no routes, where rules do."""
        self._invoke(self._started(authorizer(rules=ROUTES)), CACHED_BY_TOKEN_ALONE)

    def large_token(self) -> None:
        """Be asked about more claims than a WebSocket API takes."""
        self._invoke(self._started(authorizer()), LARGE)

    def bug(self) -> None:
        """Meet an error that nobody foresaw."""
        self._invoke(self._started(authorizer(FakeKeys(failure=RuntimeError("a bug")))), GOOD)

    def crash(self) -> None:
        """End without a word, as for want of memory."""
        self._count(50.0, errors=1)

    def slow(self) -> None:
        """Take nine tenths of the time that Lambda gives, and answer."""
        self._invoke(self._started(authorizer()), GOOD, duration=0.9 * self._timeout)

    def throttle(self) -> None:
        """Be refused by Lambda. It is no invocation."""
        self.metrics.add(self.lambdas("Throttles"), self.now, 1)

    def failed_start(self) -> None:
        """Be called, and not start."""
        line = _failed_start(self.service)
        self.lines.append(line)
        self.metrics.read(line, self.now)  # it was written by another clock
        self._count(50.0, errors=1)

    # What Lambda and the function make of it.

    @property
    def service(self) -> str:
        """What the template has the function call itself."""
        properties = self.stack.resources["AuthorizerFunction"]["Properties"]
        return str(properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"])

    @property
    def _timeout(self) -> float:
        """Milliseconds, as Lambda counts durations."""
        return float(self.stack.resources["AuthorizerFunction"]["Properties"]["Timeout"]) * 1000

    def lambdas(self, name: str, function: str = "AuthorizerFunction") -> Metric:
        """Name one of Lambda's own metrics: by the function's name, which ``Ref`` gives."""
        return Metric("AWS/Lambda", name, frozenset({("FunctionName", function)}))

    def _started(self, core: Authorizer, journal: Journal | None = None) -> AuthorizerFunction:
        written = journal or self._journal()
        return AuthorizerFunction(core, written, HttpApiReject.DENY, lambda: self.now)

    def _journal(self) -> Journal:
        return Journal(lambda text: self.lines.append(json.loads(text)), self.service)

    def _fetch(self) -> Fetched:
        if self.issuer_is_down:
            message = "answered 503"
            raise FetchError(message)
        return Fetched(parsed_keys())

    def _invoke(self, function: AuthorizerFunction, event: Event, duration: float | None = None) -> None:
        errors = 0
        try:
            function(event, _Context())
        except Exception:  # noqa: BLE001 - an invocation that fails, for Lambda
            errors = 1
        self.metrics.read(self.lines[-1])
        self._count(self.lines[-1]["duration_ms"] if duration is None else duration, errors)

    def _count(self, duration: float, errors: int) -> None:
        for name, value in (("Invocations", 1.0), ("Errors", errors), ("Throttles", 0.0), ("Duration", duration)):
            whole = self.lambdas(name)
            self.metrics.add(whole, self.now, value)
            if self.version:
                # "View metrics for functions": by alias, and by alias and the version that it chose.
                by_alias = whole.dimensions | {("Resource", "AuthorizerFunction:live")}
                for dimensions in (by_alias, by_alias | {("ExecutedVersion", self.version)}):
                    self.metrics.add(replace(whole, dimensions=dimensions), self.now, value)

    def _refresh(self) -> None:
        """Run the second function, as its schedule does."""
        documents = {
            f"{ISSUER}/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"},
            f"{ISSUER}/keys": key_set((signing_key(),)),
        }

        def get(url: str, _: Deadline) -> Response:
            return Response(503 if self.refresher == "fails" else 200, {}, json.dumps(documents[url]).encode())

        environment = {"JWT_ISSUER": ISSUER, "JWT_REFRESH_TARGET": "s3://bucket/keys"}
        errors = 0
        try:
            refresh(environment, now=self.now, get=get, aws_client=lambda *_: cast("AwsClient", _Bucket()))
        except FetchError:
            errors = 1
        for name, value in (("Invocations", 1), ("Errors", errors)):
            self.metrics.add(self.lambdas(name, "RefresherFunction"), self.now, value)


def lived(running: Running, seconds: float, act: Act) -> None:
    """Let time pass, with one such thing every :data:`GAP` seconds."""
    end = running.now + seconds
    while running.now < end:
        act(running)
        running.tick()


def issuer_is_down(running: Running) -> None:
    """Make a good request while the issuer can't be reached."""
    running.issuer_is_down = True
    running.request()


class _Context:
    """Lambda's, as far as a line needs it."""

    aws_request_id = "function-1"


class _Bucket:
    """S3, as far as the refresher needs it."""

    def put_object(self, **_: object) -> None:
        """Take what is written."""
