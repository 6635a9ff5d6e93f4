"""Where an issuer's keys come from, and for how long they are trusted.

``sources`` makes a function that fetches a key set, from ``https`` (with ``discovery``, ``address`` and
``response``) or ``documents`` (with ``aws``); ``cache`` decides when to call it.
"""

from jwt_authorizer.issuers.cache import CachedKeySource, warm_all
from jwt_authorizer.issuers.documents import document_reader, document_writer, secret_reader
from jwt_authorizer.issuers.fetched import Fetched, FetchError
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.several import SeveralKeySources
from jwt_authorizer.issuers.sources import key_fetcher, validate_discovery, validate_jwks_setting

__all__ = [
    "CachedKeySource",
    "FetchError",
    "Fetched",
    "HttpsClient",
    "SeveralKeySources",
    "document_reader",
    "document_writer",
    "key_fetcher",
    "secret_reader",
    "validate_discovery",
    "validate_jwks_setting",
    "warm_all",
]
