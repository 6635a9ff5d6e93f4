"""Used DPoP proofs in a DynamoDB table, which all execution environments share.

A conditional ``PutItem`` records a proof and finds out whether it was there, in one step: of two requests with the same
proof, one passes. The table has the hash key ``id`` (String) and the TTL attribute ``expires`` (Number, Unix
seconds). DynamoDB deletes expired items within days, so the condition compares the time itself.

Requests are signed here: AWS's SDK takes half a second to import. Only settings with a table load this module.
"""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from math import ceil
from os import urandom
from time import gmtime, strftime
from typing import TYPE_CHECKING

from jwt_authorizer.binding.replay import UsedProof, replayed
from jwt_authorizer.errors import DecisionError, ErrorCode
from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.session import Response, Session
from jwt_authorizer.records import dataclass, field
from jwt_authorizer.strict_json import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from jwt_authorizer.issuers.https import Post

_ALGORITHM = "AWS4-HMAC-SHA256"
_OK = 200
_FIRST_SERVER_ERROR = 500
_CREDENTIALS_TIMEOUT = 2.0
_REFRESH_BEFORE = 300.0
"""Seconds before credentials expire at which they are fetched again, as AWS's SDKs do."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key. ``expires_at`` is Unix time in seconds; ``None`` if the process does not outlive it."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class DynamoDbReplayStore:
    """Records used proofs in ``table`` at ``endpoint`` (a URL without a path), within ``timeout`` seconds.

    ``credentials`` returns those that are valid at a Unix time.
    """

    table: str
    region: str
    endpoint: str
    credentials: Callable[[float], Credentials] = field(repr=False)
    post: Post
    timeout: float

    def use(self, proof: UsedProof, now: float) -> None:
        """Record a proof, as :meth:`jwt_authorizer.binding.replay.ReplayStore.use` describes."""
        try:
            response = self._send(self._put_item(proof, now), now)
        except FetchError as error:
            self._unavailable(str(error))
        if response.status == _OK and response.body.startswith(b"{"):  # a proxy's page records nothing
            return
        kind, message = _error(response.body)
        if kind == "ConditionalCheckFailedException":
            replayed()
        self._unavailable(f"{response.status} {printable(kind)} {printable(message)}")

    def _put_item(self, proof: UsedProof, now: float) -> bytes:
        """Build a PutItem that fails if the table has the proof, unless it has expired or this request put it there."""
        request = urandom(12).hex()
        return json_text(
            {
                "TableName": self.table,
                "Item": {"id": {"S": proof.id}, "expires": {"N": str(ceil(proof.until))}, "request": {"S": request}},
                "ConditionExpression": "attribute_not_exists(id) OR #expires < :now OR #request = :request",
                "ExpressionAttributeNames": {"#expires": "expires", "#request": "request"},
                "ExpressionAttributeValues": {":now": {"N": str(int(now))}, ":request": {"S": request}},
            }
        ).encode()

    def _send(self, body: bytes, now: float) -> Response:
        """Send a request, and retry once if there is no response or DynamoDB failed (5xx), as AWS asks clients to."""
        headers = sign(
            "POST",
            self.endpoint.partition("://")[2],
            {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.PutItem"},
            body,
            credentials=self.credentials(now),
            region=self.region,
            service="dynamodb",
            now=now,
        )
        with Session(self.timeout) as session:
            try:
                response = self.post(self.endpoint, session, body, headers)
                if response.status < _FIRST_SERVER_ERROR:
                    return response
            except FetchError:
                session.left()  # raises if there is no time to try again
            return self.post(self.endpoint, session, body, headers)

    def _unavailable(self, what: str) -> NoReturn:
        raise DecisionError(
            ErrorCode.REPLAY_STORE_UNAVAILABLE, f"DynamoDB table {printable(self.table)} of used DPoP proofs: {what}"
        )


def replay_table(table: str, environment: Mapping[str, str], https: HttpsClient, timeout: float) -> DynamoDbReplayStore:
    """Make the store, in the function's own region and with its role's credentials."""
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    endpoint = dynamodb_endpoint(environment, region)
    client = https if endpoint.startswith("https:") else HttpsClient(allow_http=True)
    return DynamoDbReplayStore(table, region, endpoint, LambdaCredentials(environment), client.post, timeout)


def dynamodb_endpoint(environment: Mapping[str, str], region: str) -> str:
    """Return DynamoDB's URL: ``AWS_ENDPOINT_URL_DYNAMODB``, ``AWS_ENDPOINT_URL``, or the region's own."""
    set_by_hand = environment.get("AWS_ENDPOINT_URL_DYNAMODB") or environment.get("AWS_ENDPOINT_URL")
    if set_by_hand:
        return set_by_hand.rstrip("/")
    return f"https://dynamodb.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


class LambdaCredentials:
    """The credentials of the function's role, as Lambda provides them.

    Most functions have them in variables. With SnapStart they come from a local endpoint instead, and expire while the
    environment lives (Lambda developer guide, "Improving startup performance with Lambda SnapStart").
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Read them from these variables, when they are asked for."""
        self._environment = environment
        self._fetched: Credentials | None = None

    def __call__(self, now: float) -> Credentials:
        """Return credentials that are valid at ``now`` (Unix time in seconds). Raises :class:`FetchError`."""
        read = self._environment.get
        endpoint = read("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        if endpoint:
            if self._fetched is None or now > (self._fetched.expires_at or 0) - _REFRESH_BEFORE:
                self._fetched = _container_credentials(endpoint, read("AWS_CONTAINER_AUTHORIZATION_TOKEN") or "")
            return self._fetched
        key, secret = read("AWS_ACCESS_KEY_ID"), read("AWS_SECRET_ACCESS_KEY")
        if not key or not secret:
            raise FetchError("the environment has no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        return Credentials(key, secret, read("AWS_SESSION_TOKEN"))


def _container_credentials(endpoint: str, token: str) -> Credentials:
    """Ask the local endpoint that Lambda names. Raises :class:`FetchError`."""
    from datetime import datetime  # noqa: PLC0415 - only with SnapStart

    host = endpoint.partition("://")[2].partition("/")[0]
    try:
        with Session(_CREDENTIALS_TIMEOUT) as session:
            response = HttpsClient(allow_http=True).get(endpoint, session, {"Authorization": token})
        answer = json.loads(response.body)
        expires = datetime.fromisoformat(answer["Expiration"]).timestamp()
        return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["Token"], expires)
    except (FetchError, ValueError, KeyError, TypeError) as error:
        raise FetchError(f"no credentials from {printable(host)}: {type(error).__name__}") from None


def sign(  # noqa: PLR0913 - what a signature covers
    method: str,
    host: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    now: float,
) -> dict[str, str]:
    """Sign a request for the path ``/``, made at ``now`` (Unix time in seconds), and return the headers to send.

    Source: IAM user guide, "Create a signed AWS API request" (Signature Version 4). ``Host`` is signed as well.
    """
    date = strftime("%Y%m%dT%H%M%SZ", gmtime(now))
    sent = {**headers, "X-Amz-Date": date}
    if credentials.session_token is not None:
        sent["X-Amz-Security-Token"] = credentials.session_token
    signed = sorted({"host": host, **{name.lower(): " ".join(value.split()) for name, value in sent.items()}}.items())
    names = ";".join(name for name, _ in signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed)
    request = f"{method}\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    to_sign = f"{_ALGORITHM}\n{date}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    sent["Authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return sent


def _error(body: bytes) -> tuple[str, str]:
    """Read an error's type and message (DynamoDB developer guide, "Error handling")."""
    try:
        answer = json.loads(body)
        return str(answer["__type"]).rpartition("#")[2], str(answer.get("message") or answer.get("Message") or "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", "without an error that can be read"
