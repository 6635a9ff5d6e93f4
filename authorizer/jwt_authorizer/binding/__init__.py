"""Bound tokens: check that the sender of a token has the key or the certificate that the token is bound to.

Anybody who gets hold of a bearer token can use it. A bound token names a key of its client in the claim ``cnf``
(RFC 7800), and is good only together with a proof that the sender has this key. Two ways are checked here: **DPoP**
(RFC 9449, ``cnf.jkt``), where the client signs a small JWT for each request, and **mutual TLS** (RFC 8705,
``cnf["x5t#S256"]``), where API Gateway has seen the client's certificate.

What goes in: the token as it was sent, its verified claims, and the request. What comes out: ``None`` if the token is
not bound or its certificate matches; if a DPoP proof is good, a function that records it as used; or an error.

1. Read ``cnf``. Anything but exactly one of the two members is rejected, and so is a kind that is not configured.
2. An event that shows neither headers nor a certificate (REST ``TOKEN``) cannot be decided.
3. Mutual TLS: compare the SHA-256 of the certificate in the event with the token's (``mtls.py``).
4. DPoP: parse the proof and compare it with the token and the request (``dpop.py``, ``target_uri.py``).
5. After all other checks of the request, rights included, a replay store records the proof as used. The same proof a
   second time is a replay. ``replay.py`` remembers proofs in one execution environment.

An example: the token has ``"cnf": {"jkt": "0ZcO…"}``, and ``GET https://api.example.com/orders/17`` comes with
``Authorization: DPoP <token>`` and ``DPoP: <proof>``. The proof's ``jwk`` has the thumbprint ``0ZcO…``, its ``htm``
is ``GET``, its ``htu`` is that URL, its ``ath`` is the token's SHA-256, it was made some seconds ago, and its ``jti``
is new.
"""
