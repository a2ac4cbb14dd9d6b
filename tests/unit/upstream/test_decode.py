"""Decoding with a bound."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.ports import TransportError
from bascule.upstream.decode import inflate, inflater_for


def pack(kind: str, data: bytes) -> bytes:
    if kind == "gzip":
        return gzip.compress(data)
    packer = zlib.compressobj(wbits=-15 if kind == "raw" else 15)
    return packer.compress(data) + packer.flush()


def decoder(encoding: bytes):
    made = inflater_for(encoding, "p")
    assert made is not None
    return made


@given(st.sampled_from(["gzip", "zlib", "raw"]), st.binary(max_size=3000), st.integers(1, 700))
def test_any_split_decodes_to_the_same(kind, data, size):
    packed = pack(kind, data)
    encoding = b"gzip" if kind == "gzip" else b"deflate"
    assert inflate(decoder(encoding), packed, 10_000, "p") == data
    inflater = decoder(encoding)
    out = b""
    for at in range(0, len(packed), size):
        out += inflater.step(packed[at : at + size])
        while inflater.has_pending:
            out += inflater.step()
    assert out == data
    assert inflater.at_end


def test_a_bomb_is_cut_at_the_limit_and_steps_are_bounded():
    bomb = gzip.compress(bytes(5_000_000))
    with pytest.raises(TransportError) as caught:
        inflate(decoder(b"gzip"), bomb, 1_000_000, "p")
    assert caught.value.error_class == "too_large"
    with pytest.raises(TransportError) as caught:  # a thousand times its size, where a hundred are believed
        inflate(decoder(b"gzip"), bomb, 5_000_000, "p")
    assert caught.value.error_class == "too_large"
    sound = b"".join(b'{"id": %d, "word": "%x"}' % (n, n * n * 7919) for n in range(150_000))
    assert inflate(decoder(b"gzip"), gzip.compress(sound), 10_000_000, "p") == sound
    inflater = decoder(b"gzip")
    total = len(inflater.step(bomb))
    while inflater.has_pending:
        step = inflater.step()
        assert len(step) <= 65_536
        total += len(step)
    assert total == 5_000_000


def test_several_members_are_one_body():
    assert inflate(decoder(b"gzip"), gzip.compress(b"ab") + gzip.compress(b"cd"), 100, "p") == b"abcd"


@pytest.mark.parametrize(
    ("body", "error_class"),
    [
        (gzip.compress(b"hello world" * 50)[:-9], "truncated"),
        (b"\x1f", "truncated"),
        (b"not gzip at all", "protocol"),
        (gzip.compress(b"a") + b"junk", "protocol"),
    ],
    ids=["cut short", "one byte", "another format", "more behind it"],  # bytes of gzip hold the time they were made at
)
def test_damage_has_its_class(body, error_class):
    with pytest.raises(TransportError) as caught:
        inflate(decoder(b"gzip"), body, 10_000, "p")
    assert caught.value.error_class == error_class


def test_an_empty_body_is_empty_whatever_it_calls_itself():
    assert inflate(decoder(b"gzip"), b"", 10, "p") == b""
    assert inflater_for(b"identity", "p") is None
    with pytest.raises(TransportError):
        inflater_for(b"br", "p")


def test_members_are_bounded():
    """Each costs a copy of all that is behind it."""
    assert inflate(decoder(b"gzip"), gzip.compress(b"") * 99 + gzip.compress(b"ab"), 100, "p") == b"ab"
    with pytest.raises(TransportError, match="more than 100 parts") as caught:
        inflate(decoder(b"gzip"), gzip.compress(b"") * 20_000, 100, "p")
    assert caught.value.error_class == "protocol"
