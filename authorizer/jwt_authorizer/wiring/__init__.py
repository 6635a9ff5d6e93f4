"""Put the authorizer together from its settings: which part gets what.

What goes in: :class:`~jwt_authorizer.settings.Settings`, and as ``Dependencies`` all that the parts need of the world
outside (HTTP, metrics, the package's files). What comes out: an :class:`~jwt_authorizer.authorize.Authorizer`, for the
function, and for ``explain`` and ``doctor`` in the devkit. The revoker takes the issuers and their keys alone.

1. ``key_sources`` makes a key cache for each issuer (``authorizer.py``), and for issuers with ``{tenant}`` what makes
   one for each tenant (``tenants.py``).
2. ``build_authorizer`` makes the core of them: rules, policies, the token cache, what checks bound tokens, your hook.
3. ``standing.py`` adds what asks how a token stands with its issuer now: introspection and the revocation list.

What only some settings need is imported only for them, since importing is most of a cold start.
"""
