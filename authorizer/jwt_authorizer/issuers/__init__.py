"""Fetch what issuers publish (keys, metadata, introspection) and other documents, and cache it.

1. ``sources.py`` turns ``JWT_JWKS`` into a function that fetches the key set: from a URL, from the package, S3 or
   Parameter Store (``documents.py``), or from the setting itself; without it, from the URL that the issuer's metadata
   names.
2. ``https.py`` sends a request and ``session.py`` reads the response, within one deadline and one limit of size.
   ``address.py`` parses URLs.
3. ``cached_value.py`` decides when to fetch, what to serve meanwhile, and when to give up: for keys, for a list of
   tenants and for the revocation list (``revocation_store.py`` writes it). ``cache.py`` is the cache of a key set: it
   returns the keys that may have signed a token (``candidates``), and the version of the key set, by which a remembered
   token is still valid or not.
4. ``prefetch.py`` connects to the issuer while the function's modules are still being imported.
5. ``several.py`` is for an issuer with several key sets, ``tenants.py`` for an issuer with ``{tenant}``. They are
   imported only if they are configured.
6. ``introspection.py`` asks the issuer about opaque tokens; ``client_auth.py`` authenticates this API there.
7. ``calls.py`` records a trace of each of these calls if tracing is on (``traces.py``). ``fetched.py`` has the error of
   all fetches.

For example, with ``JWT_ISSUER=https://id.example.com`` the first request of a new execution environment finds the keys
that start-up fetched: one connection, two requests. Ten minutes later a request waits for the next fetch. If that
fails, the keys serve for another hour, and a fetch is tried every 30 seconds.
"""
