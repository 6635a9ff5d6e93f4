"""Policies that API Gateway may replay: what goes in, what comes out, how they are found, and why they are right.

**In:** the rules, a principal, a request, what the rules said about it, and what API Gateway's cache is keyed by.
**Out:** a :class:`Policy`: resources to allow, to deny, and the routes that it leaves out. It says the decision about
the request, unless that is too long, and allows nothing that the rules refuse (of a path as API Gateway compares it:
ADR 5) but what ``unlisted_routes = "absent"`` says is not there. What it leaves out is a 403: it allows all it can.

Three types are enough. A *place* is a node of the templates' tree; an *ordinary request* has free text as variables.

1. **Pattern** (``patterns.py``). A method and segments. ``ANY`` stands for one segment or more, which is what IAM's
   ``*`` between slashes matches: it matches slashes too. ``GET /orders/{id}`` becomes ``GET/orders/*``. That covers too
   much: ``/orders/me``, and everything longer.
2. **Grant** (``grants.py``). A pattern, and the denials that cover everything that it covers and the rules refuse. To
   find them, follow the pattern and the tree of templates together. At each place, ANY can be any name that continues
   there or any other text, and it can go on for another segment. Where the rules refuse everything that can follow,
   the way there with the rest of the pattern is a denial: ``GET/orders/me``, ``GET/orders/*/*``.
3. **Policy** (``policy.py``). Some grants, written down. A path with an empty segment is always denied (``*//*``),
   since API Gateway may read ``/a//b`` as ``/a/b``.

The steps (``making.py`` takes them; ``compiler.py`` asks for policies and keeps them by the rights of a principal):

- **Grants.** Make them for each route and method that the principal may use.
- **Choice** (``choice.py``). Two grants exclude each other if a denial of one covers an ordinary request of the other.
  Take first the grant that costs its rivals least; each rule's ordinary requests count alike.
- **Methods.** What methods get that no rule names is written with ``*`` for the method, if the denials for that take
  nothing away; else for each of HTTP's methods.
- **Room.** Only above 8 KB: replace segments of denials by ``*`` as long as that takes nothing away, so that many
  become one. With ``unlisted_routes = "absent"``, also try wider patterns (``GET/v1/*``, ``GET/*/lines``,
  ``*/v1/orders/*``), with denials found in the same way. Then take the grant that gives most for its bytes, again and
  again.
- **The request.** If the rules refuse it, deny its text or leave out what allows it. If they allow it and it is left
  out, force its route in if that keeps as much, else add its exact text, else allow its route or the request alone.

**Why it is right.** In IAM an explicit Deny wins over every Allow. The walk is complete: the places are finitely
many, each step looks at every name and at any other text, and at a place without continuations every longer path gets
the same decision. So each grant is right by itself. Denials only narrow, so any set of grants is right, and so is a
policy with wider denials. Choosing and packing decide how much a policy allows, never whether it is right. The walk
counts its steps: a grant that needs too many is not made, so rules that overlap a lot cost time within a bound, and
allow less.

**Example.** ``GET /orders``, ``GET /orders/{id}`` and ``GET /orders/me``, of which a principal may not use the last:

======= ================== ==========================================================
Allow   ``GET/orders``     the first route
Allow   ``GET/orders/*``   the second
Deny    ``GET/orders/me``  the rules refuse it
Deny    ``GET/orders/*/*`` no route is longer, so the rules refuse everything longer
Deny    ``*//*``           ``/orders//me`` may be read as ``/orders/me``
======= ================== ==========================================================

``tests/properties/`` compares policies with a second reading of the rules. ADR 5 says why so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.policies.policy import DENY_EVERYTHING, Policy, Statement, Unrestricted

if TYPE_CHECKING:
    from jwt_authorizer.policies.compiler import PolicyCompiler
    from jwt_authorizer.rules import Rules

    Policies = Unrestricted | PolicyCompiler

__all__ = ["DENY_EVERYTHING", "Policy", "Statement", "policies_for"]


def policies_for(rules: Rules) -> Policies:
    """Return what makes policies of these rules."""
    if not rules.configured:
        return Unrestricted()
    from jwt_authorizer.policies.compiler import PolicyCompiler  # noqa: PLC0415 - only authorizers with rules need it

    return PolicyCompiler(rules)
