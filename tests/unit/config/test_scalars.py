"""Single values: what is read is exact, and what cannot be read never shows itself."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.config.scalars import READERS, Unreadable, base_url, clock, day, decimal, price, scope, secret, usd
from bascule.config.urls import is_loopback, split_base_url
from bascule.decide.budget import parse_scope

names = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20)
plain = names.filter(lambda name: "=" not in name and name != "*")


@given(st.decimals(min_value=0, max_value=10**8, places=9))
def test_dollars_are_exact(amount: Decimal) -> None:
    assert usd(f"{amount:f}") == int(amount * 10**9)


@given(st.integers(min_value=0, max_value=10**12))
def test_prices_are_exact(picousd: int) -> None:
    assert price(f"{Decimal(picousd).scaleb(-6):f}") == picousd


@given(st.text(max_size=30))
def test_decimal_reads_only_what_decimal_means(text: str) -> None:
    try:
        value = decimal(text)
    except Unreadable:
        return
    assert value == Decimal(text)
    assert value.is_finite()


@given(st.sampled_from(["org", "team", "project", "key", "user", "session"]), plain)
def test_scopes_round_trip(kind: str, name: str) -> None:
    text = f"{kind}:{name}"
    assert scope(text) == text
    assert parse_scope(text) == (kind, name)


@given(plain, names)
def test_tag_scopes_round_trip(tag: str, value: str) -> None:
    assert scope(f"tag:{tag}={value}") == f"tag:{tag}={value}"


@given(st.text(max_size=40))
def test_whatever_is_taken_as_a_scope_is_one_for_decisions_too(text: str) -> None:
    try:
        taken = scope(text)
    except Unreadable:
        return
    kind, name = parse_scope(taken)
    assert f"{kind}:{name}" == text
    assert text.isprintable()


@pytest.mark.parametrize(
    "text", ["", "key", "key:", "keys:a", "tag:a", "tag:=b", "tag:a=", "key: a", "key:a\n", "KEY:a"]
)
def test_not_scopes(text: str) -> None:
    with pytest.raises(Unreadable):
        scope(text)


@pytest.mark.parametrize("text", ["user:*", "session:*", "tag:feature=*", "key:*", "org:a:b"])
def test_scopes_for_each(text: str) -> None:
    assert scope(text) == text


@given(st.text(min_size=5, max_size=40))
def test_no_reader_repeats_what_it_cannot_read(text: str) -> None:
    marked = f"{text}-CANARY"
    for name, reader in READERS.items():
        if name in ("name", "scope", "api_version"):
            continue
        if name == "secret" and marked.startswith("file:"):
            continue
        with pytest.raises(Unreadable) as caught:
            reader(marked)
        assert "CANARY" not in caught.value.what + caught.value.remedy


def test_days_and_clocks() -> None:
    assert day("1970-01-02") == 86_400_000
    assert day("2026-01-01") == 1_767_225_600_000
    assert (clock("00:00"), clock("16:30"), clock("24:00")) == (0, 59_400, 86_400)
    for text in ("2026-1-1", "2026-13-01", "20260101", "tomorrow"):
        with pytest.raises(Unreadable):
            day(text)
    for text in ("24:01", "7:00", "12:60", "noon"):
        with pytest.raises(Unreadable):
            clock(text)


def test_secret_references() -> None:
    for text in ("none", "env:A", "env:_a9", "file:/run/secrets/x", "file:rel ative"):
        assert secret(text) == text
    for text in ("", "env:", "env:9A", "env:A-B", "file:", "None", "sk-x", "env: A", "file:a\nb"):
        with pytest.raises(Unreadable):
            secret(text)


def test_base_urls() -> None:
    assert base_url("https://x.example/v1/") == "https://x.example/v1"
    assert split_base_url("https://x.example:8443/a/v1") == ("https://x.example:8443", "/a/v1")
    assert split_base_url("http://[::1]:8000") == ("http://[::1]:8000", "")
    for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1", "a.localhost"):
        assert is_loopback(host)
    for host in ("0.0.0.0", "::", "10.0.0.1", "example.com", "localhost.example.com", "127.0.0.1.nip.io", ""):
        assert not is_loopback(host)
