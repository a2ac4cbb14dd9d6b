"""Where a key may stand in a request, and which of several counts."""

import pytest

from bascule.model.headers import Headers
from bascule.server.credentials import presented_secret


@pytest.mark.parametrize(
    ("headers", "query", "secret"),
    [
        ([(b"authorization", b"Bearer abc")], b"", b"abc"),
        ([(b"authorization", b"bearer  abc ")], b"", b"abc"),
        ([(b"x-api-key", b" abc ")], b"", b"abc"),
        ([(b"x-goog-api-key", b"abc")], b"", b"abc"),
        ([], b"alt=sse&key=a%2Bb%20c", b"a+b c"),
        ([(b"authorization", b"Bearer one"), (b"x-api-key", b"two")], b"key=three", b"one"),
        ([(b"x-api-key", b"two")], b"key=three", b"two"),
        ([(b"authorization", b"Bearer "), (b"x-api-key", b"two")], b"", b"two"),
        ([(b"x-api-key", b"  ")], b"key=three", b"three"),
        ([(b"authorization", b"Basic YTpi")], b"", None),
        ([(b"authorization", b"Bearer")], b"", None),
        ([(b"x-api-key", b"")], b"", None),
        ([], b"", None),
        ([], b"key=", None),
        ([], b"monkey=1", None),
        ([], b"k%65y=1&key", None),
    ],
)
def test_what_was_presented(headers: list[tuple[bytes, bytes]], query: bytes, secret: bytes | None) -> None:
    assert presented_secret(Headers(headers), query) == secret


@pytest.mark.parametrize("name", [b"authorization", b"x-api-key", b"x-goog-api-key"])
def test_two_of_a_header_are_none(name):
    other = [(b"x-api-key", b"third")] if name == b"authorization" else []
    twice = Headers([(name, b"Bearer one"), (name, b"Bearer two"), *other])
    assert presented_secret(twice, b"key=four") is None
    assert presented_secret(Headers([(name, b"Bearer one"), (name, b"Bearer one")]), b"") is not None
