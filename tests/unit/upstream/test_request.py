"""The request's head: what may be said, and that nothing can smuggle a line into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.ports import TransportError, UpstreamCall
from bascule.upstream.request import MAX_KEPT_HEADS, HeadWriter, parse_origin

ORIGIN = parse_origin("https://api.example.com")


def call(**changes) -> UpstreamCall:
    fields = {"origin": "https://api.example.com", "method": "POST", "target": "/v1/x", "headers": (), "body": b"{}"}
    return UpstreamCall(**fields | changes)


def encoded(asked: UpstreamCall) -> bytes:
    return HeadWriter(ORIGIN).encode(asked)


def test_heads_that_are_kept_differ_in_length_alone():
    writer = HeadWriter(ORIGIN)
    for size in (0, 1, 1000):
        assert writer.encode(call(body=bytes(size))) == encoded(call(body=bytes(size)))
    for number in range(3 * MAX_KEPT_HEADS):
        asked = call(headers=((b"x", b"%d" % (number % 100)),), target=f"/{number % 7}")
        assert writer.encode(asked) == encoded(asked)
        assert len(writer._kept) <= MAX_KEPT_HEADS


def test_a_plain_head():
    head = encoded(call(headers=((b"Authorization", b"Bearer k"),)))
    assert head == (
        b"POST /v1/x HTTP/1.1\r\nhost: api.example.com\r\nAuthorization: Bearer k\r\n"
        b"accept-encoding: identity\r\ncontent-length: 2\r\n\r\n"
    )


def test_a_get_has_no_length_and_an_encoding_of_the_caller_stays():
    head = encoded(call(method="GET", body=b"", headers=((b"Accept-Encoding", b"gzip"),)))
    assert head == b"GET /v1/x HTTP/1.1\r\nhost: api.example.com\r\nAccept-Encoding: gzip\r\n\r\n"


def test_an_empty_post_says_its_length():
    assert b"\r\ncontent-length: 0\r\n" in encoded(call(body=b""))


def test_a_plain_proxy_gets_the_absolute_form_and_its_credentials():
    head = HeadWriter(parse_origin("http://h:81"), plain_proxy=True, proxy_authorization=b"Basic eA==").encode(call())
    assert head.startswith(b"POST http://h:81/v1/x HTTP/1.1\r\nhost: h:81\r\nproxy-authorization: Basic eA==\r\n")


@pytest.mark.parametrize(
    "changes",
    [
        {"target": "/v1/x\r\nx: y"},
        {"target": "/v1/x HTTP/1.1"},
        {"target": "/v1/\x00"},
        {"target": "/v1/\x7f"},
        {"target": "/v1/é"},
        {"target": "v1"},
        {"target": "//evil.example"[1:] + "\t"},
        {"method": "GET /"},
        {"method": ""},
        {"headers": ((b"x", b"a\r\ny: b"),)},
        {"headers": ((b"x", b"a\nb"),)},
        {"headers": ((b"x", b"a\rb"),)},
        {"headers": ((b"x", b"a\x00b"),)},
        {"headers": ((b"x: y\r\nz", b"a"),)},
        {"headers": ((b"", b"a"),)},
        {"headers": ((b"Host", b"evil.example"),)},
        {"headers": ((b"Content-Length", b"0"),)},
        {"headers": ((b"Transfer-Encoding", b"chunked"),)},
        {"headers": ((b"Connection", b"close"),)},
    ],
)
def test_what_could_change_the_framing_is_refused(changes):
    with pytest.raises(TransportError) as caught:
        encoded(call(**changes))
    assert (caught.value.error_class, caught.value.request_sent) == ("bad_request", False)


def test_a_refusal_names_the_header_but_never_its_value():
    with pytest.raises(TransportError) as caught:
        encoded(call(headers=((b"x-api-key", b"sk-secret\n"),)))
    assert "x-api-key" in str(caught.value)
    assert "secret" not in str(caught.value)


@given(st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8)), max_size=4), st.text(max_size=12))
def test_no_input_makes_more_lines_than_it_has_headers(headers, target):
    asked = call(target="/" + target, headers=tuple(headers))
    try:
        head = encoded(asked)
    except TransportError:
        return
    lines = head.split(b"\r\n")
    assert len(lines) == 2 + len(headers) + 2 + 2 - sum(name.lower() == b"accept-encoding" for name, _ in headers)
    assert not any(mark in line for line in lines for mark in (b"\r", b"\n", b"\0"))
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("origin", "authority", "address"),
    [
        ("https://api.openai.com", "api.openai.com", "api.openai.com:443"),
        ("https://api.openai.com:443", "api.openai.com", "api.openai.com:443"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:8080/", "[::1]:8080", "[::1]:8080"),
        ("https://bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example:443"),
    ],
)
def test_origins(origin, authority, address):
    parsed = parse_origin(origin)
    assert (parsed.authority, parsed.address) == (authority, address)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "api.openai.com",
        "ftp://x",
        "https://",
        "https://x/v1",
        "https://u:p@x",
        "http://x:99999",
        "http://a b",
        "http://x?y",
    ],
)
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(TransportError) as caught:
        parse_origin(origin)
    assert caught.value.error_class == "bad_request"
