"""What is inside, in every notation in which it can be written."""

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.addresses import (
    as_network,
    fetched_from,
    is_inside_host,
    is_inside_url,
    is_public,
    may_reach,
    number_of,
)

LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "0x7F.0x0.0x1",
    "127.0.0.1.",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_every_notation_of_loopback_is_loopback(host: str) -> None:
    assert number_of(host) == ip_address("127.0.0.1")
    assert is_inside_host(host)


@given(st.integers(0, 2**32 - 1))
def test_whatever_notation_the_address_is_the_same(value: int) -> None:
    address = IPv4Address(value)
    a, b, c, d = address.packed
    written = [
        str(address), str(value), hex(value), f"0{value:o}", f"{a:#x}.{b}.0{c:o}.{d}", f"{a}.{value & 0xFFFFFF}",
        f"{a}.{b}.{value & 0xFFFF}", f"[::ffff:{address}]", f"[64:ff9b::{address}]",
    ]  # fmt: skip
    for host in written:
        found = number_of(host)
        assert found is not None, host
        assert is_public(found) == is_public(address), host
        assert is_inside_url(f"http://{host}/x") is not is_public(address), host


@pytest.mark.parametrize(
    "text",
    ["10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "0.0.0.0",
     "224.0.0.1", "255.255.255.255", "192.0.0.192", "198.18.0.1", "168.63.129.16", "203.0.113.9", "::", "::1",
     "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a9fe:a9fe",
     "64:ff9b:1::1", "2002:7f00:1::1", "2001:0:7f00:1::", "2001:db8::1", "fe80::1%eth0"],
)  # fmt: skip
def test_what_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"],
)
def test_what_is_public(text: str) -> None:
    assert is_public(ip_address(text))


def test_a_network_that_was_named_may_be_reached_and_no_other() -> None:
    allowed = (as_network("10.0.0.0/8"), as_network("fd00::/8"))
    for text in ("10.9.9.9", "::ffff:10.0.0.1", "fd12::1", "8.8.8.8"):
        assert may_reach(ip_address(text), allowed), text
    for text in ("127.0.0.1", "192.168.0.1", "fc00::1", "::ffff:127.0.0.1"):
        assert not may_reach(ip_address(text), allowed), text


@pytest.mark.parametrize(
    "url",
    [*[f"http://{host}:80/x" for host in LOOPBACK], "http://localhost/x", "HTTP://LOCALHOST./x", "http://a.localhost",
     "http://metadata.google.internal/computeMetadata/v1/", "http://printer/x", "http://db.lan", "http://[::1]/",
     "http://[::ffff:7f00:1]/", "http://[fe80::1%25eth0]/", "http://user@8.8.8.8/", "http://8.8.8.8@127.0.0.1/",
     "http://127.0.0.1\\@8.8.8.8/", "http:\\\\127.0.0.1/", "http://1.1.1.1 @127.0.0.1/", "http://%6c%6f%63alhost/x",
     "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://127.0.0.1%2f.example.com/", "http://999.1/", "http://0/",
     "file:///etc/passwd", "FILE:/etc/passwd", "gopher://127.0.0.1:6379/_x", "dict://127.0.0.1/", "jar:http://x!/",
     "http:///x", "//127.0.0.1/x", "/etc/passwd", "http://[::1", "http://exa\nmple.com/", "http://169.254.169.254/latest"],
)  # fmt: skip
def test_urls_that_look_inside(url: str) -> None:
    assert is_inside_url(url)


@pytest.mark.parametrize(
    "url",
    ["https://example.com/a.png", "http://8.8.8.8/x", "https://[2606:4700::1111]/x", "https://cdn.example.com:8443/a?b=c",
     "https://xn--bcher-kva.example/x", "https://bücher.example/x", "gs://bucket/a.png", "s3://bucket/a",
     "data:image/png;base64,AAAA", "https://example.com/@user/a%20b.png"],
)  # fmt: skip
def test_urls_that_do_not(url: str) -> None:
    assert not is_inside_url(url)


def test_one_address_inside_is_enough() -> None:
    assert fetched_from([]) == "nothing"
    assert fetched_from(["data:application/pdf;base64,AA"]) == "nothing"
    assert fetched_from(["https://example.com/a"]) == "outside"
    assert fetched_from(["https://example.com/a", "http://10.0.0.1/"]) == "inside"


@given(st.text(max_size=60))
def test_no_text_is_too_odd(text: str) -> None:
    is_inside_host(text)
    is_inside_url(text)
    is_inside_url(f"http://{text}/")
