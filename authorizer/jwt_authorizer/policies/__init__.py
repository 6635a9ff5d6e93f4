"""Policies that API Gateway may replay: what goes in, what comes out, how they are found, and why they are right.

**In:** the rules, a principal, a request, what the rules said about it, and what API Gateway's cache is keyed by: the
token (then the policy is for all routes), the route, or nothing (then it is for this request).
**Out:** a :class:`Policy`: resources to allow, to deny, and the routes that it leaves out, which get a 403 though the
rules allow them. It allows nothing that the rules deny. (Two exceptions: ADR 5 says how API Gateway compares paths,
and ``unlisted_routes = "absent"`` promises that other paths are not there.)

Three types are enough, and two words. A *place* is what a path can still become after some of its segments: nodes of
the templates' tree. An *ordinary request* of a route has a text that no rule names for each variable.

1. **Pattern** (``patterns.py``). A method and segments. ``ANY`` stands for one segment or more, which is what IAM's
   ``*`` between slashes matches: it matches slashes too. ``GET /orders/{id}`` becomes ``GET/orders/*``. That covers too
   much: ``/orders/me``, and everything longer.
2. **Grant** (``grants.py``). A pattern, and the denials that cover everything that it covers and the rules deny. To
   find them, follow the pattern and the tree of templates together. At each place, ANY can be any name that continues
   there or any other text, and it can go on for another segment. Where the rules deny everything that can follow,
   the way there with the rest of the pattern is a denial: ``GET/orders/me``, ``GET/orders/*/*``. "Any other text" has
   to be written ``*`` as well, so such a denial also covers the names: that is what grants can take from each other.
3. **Policy** (``policy.py``). Some grants, written down. If one has ANY, paths with an empty segment are denied
   (``*//*``), since API Gateway may read ``/a//b`` as ``/a/b``.

The steps (``making.py`` takes them; ``compiler.py`` asks for policies and keeps them by the rights of a principal):

- **Grants.** Make them for each route and method that the principal may use.
- **Choice** (``choice.py``). Two grants exclude each other if a denial of one covers an ordinary request of the other.
  Take first the grant that costs its rivals least. Each rule has the same weight, split over its ordinary requests.
- **Methods.** A rule for all methods is written with ``*`` for those that no rule names, if the denials for that take
  nothing away; else once for each of them.
- **Room.** Only above 8 KB, or 512 characters for a resource: replace segments of denials by ``*`` as long as that
  takes nothing from ordinary requests, so that many become one. With ``unlisted_routes = "absent"``, also try wider
  patterns (``GET/v1/*``, ``GET/*/lines``, ``*/v1/orders/*``), with denials found in the same way. Then take the grant
  that gives most for its bytes, again and again. (Before all this, if the API has no other
  routes and many, try a few wide patterns that allow all that this principal may.)
- **The request.** If the policy is not what the rules say about it: a refused one is denied by its text, or what
  allows it is left out. For one that is allowed, and ends with a slash, try patterns for such paths. Then force its
  route in if that keeps as much, else add its exact text, else allow its route or the request alone.

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
Deny    ``GET/orders/me``  the rules deny it
Deny    ``GET/orders/*/*`` no route is longer, so the rules deny everything longer
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
