"""An independent reading of the policies that the fuzzer sees: what they allow has to be what the rules allow."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

ROUTES = """
[[issuers]]
issuer = "https://issuer.example.com"
audience = ["https://api.example.com"]
jwks = '''JWKS'''

[[routes]]
method = "GET"
path = "/orders/{id}"
scopes = ["orders:read"]

[[routes]]
method = ["PUT", "DELETE"]
path = "/orders/{id}"
scopes = ["orders:write"]

[[routes]]
method = "GET"
path = "/orders/special"
scopes = ["admin"]

[[routes]]
method = "*"
path = "/files/{path+}"
"""
"""The rules; the token has the scope ``orders:read``, so each probe below can be judged by hand."""

PROBES: Mapping[str, bool] = {
    "GET/orders/1": True,
    "GET/orders/abc": True,
    "GET/orders/special": False,
    "PUT/orders/1": False,
    "DELETE/orders/1": False,
    "POST/orders/1": False,
    "GET/orders": False,
    "GET/orders/1/items": False,
    "GET/orders/special/items": False,
    "GET/": False,
    "GET/admin": False,
    "GET/admin/1": False,
    "GET/files": False,
    "GET/files/a": True,
    "PUT/files/a/b": True,
    "DELETE/files/a/b/c": True,
    "GET/filesystem/a": False,
    "GETS/orders/1": False,
    "$connect": False,
}
"""Method and path, and whether the rules allow it."""

LONGEST_WORDED = 200
"""Characters of an ARN that a policy surely has room for; beyond, it may allow less (a resource has 512 at most)."""

_SPECIAL = re.compile(r"\$\{([*?$])\}|([*?])", re.DOTALL)


def check_policy(event: Mapping[str, Any], decision: str, answer: Mapping[str, Any]) -> None:
    """Hold a policy to allow the request if it was allowed, and nothing that the rules refuse."""
    statements = answer["policyDocument"]["Statement"]
    arn = event["routeArn"] if event.get("version") == "2.0" else event["methodArn"]
    allowed_too_little = decision == "allow" and len(arn) <= LONGEST_WORDED and not allows(statements, arn)
    if allowed_too_little or (decision != "allow" and allows(statements, arn)):
        raise AssertionError(f"the policy does not say {decision} for {arn}")
    parts = arn.split("/", 2)
    for probe, allowed in PROBES.items():
        if not allowed and allows(statements, f"{parts[0]}/{parts[1]}/{probe}"):
            raise AssertionError(f"the policy allows {probe}")


def allows(statements: Sequence[Mapping[str, Any]], arn: str) -> bool:
    """Evaluate a policy as IAM does: what is denied is not allowed (IAM user guide, "Policy evaluation logic")."""
    effects = {
        statement["Effect"]
        for statement in statements
        if any(expression(resource).fullmatch(arn) for resource in statement["Resource"])
    }
    return effects == {"Allow"}


@lru_cache(1000)
def expression(resource: str) -> re.Pattern[str]:
    """Read a resource: ``*`` and ``?`` are patterns, ``${*}``, ``${?}`` and ``${$}`` are not, nor is anything else."""
    if "${" in _SPECIAL.sub("*", resource):
        raise AssertionError(f"a policy variable in {resource}")
    pieces: list[str] = []
    end = 0
    for found in _SPECIAL.finditer(resource):
        pieces.append(re.escape(resource[end : found.start()]))
        pieces.append(re.escape(found[1]) if found[1] else {"*": ".*", "?": "."}[found[2]])
        end = found.end()
    return re.compile("".join([*pieces, re.escape(resource[end:])]), re.DOTALL)
