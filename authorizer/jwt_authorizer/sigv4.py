"""Sign requests to AWS (Signature Version 4) without its SDK, whose import alone takes half a second.

Source: IAM user guide, "Create a signed AWS API request". Only what JSON services need: the path is ``/``, and there is
no query.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from time import gmtime, strftime
from typing import TYPE_CHECKING

from jwt_authorizer.records import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key. ``expires_at`` is Unix time in seconds; ``None`` if the process does not outlive it."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires_at: float | None = None


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
    """Sign a request for the path ``/`` of ``host``, made at ``now`` (Unix time in seconds).

    Returns the headers to send: those given, ``X-Amz-Date``, ``X-Amz-Security-Token`` if there is one, and
    ``Authorization``. ``Host`` is signed and has to be sent as well.
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
