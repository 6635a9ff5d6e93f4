"""How the revocation list ages: when it is read, what serves after a failure, and when nothing does."""

from __future__ import annotations

import pytest

from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer.issuers import FetchError
from jwt_authorizer.issuers.revocations import READ_FAILURES, READS, RevocationSource

EMPTY = b'{"issuers": {}}'
LIST = b'{"issuers": {"https://issuer.example": {"jti": {"token-1": 2000}}}}'


class Store:
    """A place with a document in it, or with an error."""

    def __init__(self, document: bytes | None) -> None:
        self.document = document
        self.reads = 0
        self.reported: list[str] = []

    def read(self) -> bytes:
        self.reads += 1
        if self.document is None:
            message = "s3://bucket/key: AccessDenied"
            raise FetchError(message)
        return self.document

    def source(self) -> RevocationSource:
        report = lambda metric, _: self.reported.append(metric)  # noqa: E731 - one line of a double
        return RevocationSource(self.read, ttl=60, max_stale=600, cooldown=30, report=report)


def test_the_list_is_read_when_its_ttl_is_over() -> None:
    store = Store(EMPTY)
    source = store.source()
    source.warm(1000)
    assert source.current(1059) == {}
    store.document = LIST
    assert source.current(1059.9) == {}
    assert "https://issuer.example" in source.current(1060)
    assert store.reads == 2
    assert store.reported == [READS, READS]


@pytest.mark.parametrize("broken", [None, b"", b"[]", b'{"issuers": {"a": 1}}'])
def test_a_failure_never_replaces_the_list_and_serves_it_for_a_while(broken: bytes | None) -> None:
    store = Store(LIST)
    source = store.source()
    source.warm(1000)
    store.document = broken
    for now in (1060, 1061, 1089):
        assert "https://issuer.example" in source.current(now)
    assert store.reads == 2, "the cooldown holds"
    assert "https://issuer.example" in source.current(1659)
    with pytest.raises(DecisionError) as raised:
        source.current(1660)
    assert raised.value.code is Reason.REVOCATION_UNAVAILABLE
    assert READ_FAILURES in store.reported
    store.document = EMPTY
    assert source.current(1700) == {}


def test_without_any_list_nothing_is_decided() -> None:
    store = Store(None)
    source = store.source()
    source.warm(1000)
    with pytest.raises(DecisionError) as raised:
        source.current(1001)
    assert raised.value.code is Reason.REVOCATION_UNAVAILABLE
    store.document = LIST
    with pytest.raises(DecisionError):
        source.current(1029)
    assert source.current(1030)


def test_a_clock_that_is_set_back_makes_the_list_no_younger() -> None:
    store = Store(LIST)
    source = store.source()
    source.warm(5000)
    assert source.current(1000)
    store.document = EMPTY
    assert source.current(1059)
    assert source.current(1060) == {}


def test_the_same_document_is_parsed_once() -> None:
    store = Store(LIST)
    source = store.source()
    first = source.current(1000)
    assert source.current(1060) is first
    assert store.reads == 2
