"""What is asked of others: an issuer's keys above all, and for how long they are trusted.

1. ``sources.py`` turns ``JWT_JWKS`` into a function that fetches the key set: from a URL, from the package, S3 or
   Parameter Store (``documents.py``), or from the setting itself; without it, from the URL that the issuer's metadata
   names.
2. ``https.py`` sends a request and ``session.py`` reads the response, within one deadline and one limit of size.
   ``address.py`` parses URLs.
3. ``kept.py`` decides when to fetch, what to serve meanwhile, and when to give up: for keys, for a list of tenants and
   for the revocation list (``revocation_store.py`` writes it). ``cache.py`` adds what keys have of
   their own: the core asks it for those that may have signed a token (``candidates``), and whether a remembered token
   is still good (``version``).
4. ``prefetch.py`` connects to the issuer while the function's modules are still being imported.
5. ``several.py`` and ``tenants.py`` put several caches together: several key sets of one issuer, and an issuer for each
   tenant. They are imported where they are configured.

6. ``introspection.py`` asks about tokens that are not JWTs; ``client_auth.py`` says who asks.
7. ``calls.py`` traces each of these calls where somebody traces (``traces.py``). ``fetched.py`` has the error of all
   fetches.

For example, with ``JWT_ISSUER=https://id.example.com`` the first request of a new execution environment finds the keys
that start-up fetched: one connection, two requests. Ten minutes later a request waits for the next fetch. If that
fails, the keys serve for another hour, and a fetch is tried every 30 seconds.
"""
