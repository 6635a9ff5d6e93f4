"""For the revoker: write the first revocation list when the stack is deployed, as a custom resource.

CloudFormation user guide, "Custom resource request and response": the function answers with a PUT to a URL that it got.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIMEOUT = 10
_LONGEST_REASON = 1000


def first_list(event: Mapping[str, object], write: Callable[[], object], location: str) -> dict[str, object]:
    """Write the list unless the resource is deleted, and answer CloudFormation. Return the answer.

    ``write`` writes the list; ``location`` becomes the resource's attribute ``Location``.
    """
    answer = {
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        "PhysicalResourceId": location,
        "Status": "SUCCESS",
        "Data": {"Location": location},
    }
    if event["RequestType"] != "Delete":
        try:
            write()
        except Exception as error:  # noqa: BLE001 - CloudFormation waits for an answer, and shows this one
            answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:_LONGEST_REASON]}
    body = json.dumps(answer).encode()
    request = Request(str(event["ResponseURL"]), body, {"Content-Type": ""}, method="PUT")  # noqa: S310 - CloudFormation's
    with urlopen(request, timeout=_TIMEOUT):  # noqa: S310 - CloudFormation's
        return answer
