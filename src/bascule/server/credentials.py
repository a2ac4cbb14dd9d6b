"""Where a client may put its key."""

from urllib.parse import parse_qs

from bascule.model.headers import Headers

_HEADERS = (b"x-api-key", b"x-goog-api-key")


def presented_secret(headers: Headers, query_string: bytes) -> bytes | None:
    """The key as the client sent it: bearer, `x-api-key`, `x-goog-api-key` or `?key=`; None where there is none.

    Nor is there one where one of these headers was sent twice with different values: a proxy may have judged the other.
    """
    if headers.has_repeats and any(len(set(headers.all(name))) > 1 for name in (b"authorization", *_HEADERS)):
        return None
    authorization = headers.get(b"authorization")
    if authorization is not None and authorization[:7].lower() == b"bearer ":
        secret = authorization[7:].strip()
        if secret:
            return secret
    for name in _HEADERS:
        secret = (headers.get(name) or b"").strip()
        if secret:
            return secret
    if b"key=" in query_string:
        values = parse_qs(query_string.decode("latin-1")).get("key")
        if values:
            return values[0].encode()
    return None
