"""Sizes of images from their headers; what is not certain has none."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.dialects.pixels import UNREAD, pixel_size

SIDES = st.integers(1, 16_383)


def png(width: int, height: int, extra: bytes = b"") -> bytes:
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 6, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0dIHDR" + header + b"CRC!" + extra


def jpeg(width: int, height: int, before: bytes = b"", marker: int = 0xC0) -> bytes:
    frame = b"\0\x11\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03" + bytes(9)
    return b"\xff\xd8" + before + bytes([0xFF, marker]) + frame


def segment(marker: int, size: int) -> bytes:
    return bytes([0xFF, marker]) + (size + 2).to_bytes(2, "big") + b"\xff\xc0" * (size // 2)


def gif(width: int, height: int, frame: tuple[int, int, int, int], blocks: bytes = b"", flags: int = 0) -> bytes:
    def little(*numbers: int) -> bytes:
        return b"".join([number.to_bytes(2, "little") for number in numbers])

    palette = bytes(3 << ((flags & 7) + 1)) if flags & 0x80 else b""
    return (
        b"GIF89a" + little(width, height) + bytes([flags, 0, 0]) + palette + blocks + b"\x2c" + little(*frame) + b"\0"
    )


def webp(kind: bytes, payload: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + payload + bytes(12)


def size_of(image: bytes) -> tuple[int | None, int | None]:
    return pixel_size(b64encode(image).decode())


@given(SIDES, SIDES, st.integers(0, 200))
def test_every_format_tells_its_size(width: int, height: int, more: int) -> None:
    rest = bytes(more)
    size = (width, height)
    assert size_of(png(width, height) + rest) == size
    assert size_of(jpeg(width, height) + rest) == size
    assert size_of(gif(width, height, (0, 0, width, height)) + rest) == size
    vp8 = b"\0\0\0\x9d\x01\x2a" + width.to_bytes(2, "little") + height.to_bytes(2, "little")
    assert size_of(webp(b"VP8 ", vp8) + rest) == size
    assert size_of(webp(b"VP8L", b"\x2f" + (width - 1 | height - 1 << 14).to_bytes(4, "little")) + rest) == size
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    assert size_of(webp(b"VP8X", bytes(4) + canvas) + rest) == size


def test_the_base64_may_begin_anywhere() -> None:
    url = "data:image/png;base64," + b64encode(png(640, 480)).decode()
    assert pixel_size(url, url.index(",") + 1) == (640, 480)


def test_a_jpegs_frame_may_stand_behind_large_records_that_look_like_frames() -> None:
    records = segment(0xE1, 60_000) + segment(0xE2, 60_000) + b"\xff" + segment(0xDB, 64)
    assert size_of(jpeg(3_000, 2_000, records, 0xC2)) == (3_000, 2_000)
    assert size_of(jpeg(3_000, 2_000, segment(0xE1, 65_000) * 4)) == UNREAD


def test_a_gif_is_as_large_as_its_screen_or_its_frame() -> None:
    control = b"\x21\xf9\x04\0\0\0\0\0"
    assert size_of(gif(10, 10, (5, 0, 100, 20), control, 0x91)) == (105, 20)


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"GIF89a",
        b"not an image at all, but long enough to be one",
        png(0, 5),
        png(5, 5)[:20],
        png(5, 5, b"\0\0\0\x08acTL" + bytes(12)),
        jpeg(5, 0),
        b"\xff\xd8\xff\xda" + bytes(40) + jpeg(5, 5),
        b"\xff\xd8\0\0" + bytes(40),
        gif(5, 5, (0, 0, 5, 5), b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"),
        webp(b"VP8X", b"\x02\0\0\0" + bytes(6)),
        webp(b"ALPH", bytes(10)),
        webp(b"VP8 ", bytes(10)),
    ],
)
def test_animated_broken_and_foreign_images_have_no_size(image: bytes) -> None:
    assert size_of(image) == UNREAD


@pytest.mark.parametrize("spoilt", ["\n", " ", "=", "-", "é", "\0"])
def test_base64_that_decoders_may_read_in_two_ways_has_no_size(spoilt: str) -> None:
    data = b64encode(jpeg(5, 5, segment(0xE1, 300))).decode()
    assert pixel_size(data) == (5, 5)
    assert pixel_size(data[:100] + spoilt + data[100:]) == UNREAD


@given(st.binary(max_size=80), st.sampled_from([png(9, 9), jpeg(9, 9), gif(9, 9, (0, 0, 9, 9)), webp(b"VP8X", b"")]))
def test_no_bytes_break_it(rest: bytes, start: bytes) -> None:
    for cut in range(0, len(start), 5):
        width, height = size_of(start[:cut] + rest)
        assert (width is None) == (height is None)
        assert width is None or (width > 0 and height is not None and height > 0)


def chunk(kind: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + kind + payload + b"CRC!"


@pytest.mark.parametrize("between", [b"", chunk(b"tEXt", b"t" * 100), chunk(b"iCCP", b"p" * 50_000)])
def test_a_second_header_of_a_png_makes_it_uncertain(between: bytes) -> None:
    data = chunk(b"IDAT", b"d" * 2_000)
    assert size_of(png(8, 9, between + data)) == (8, 9)
    second = png(4_000, 4_000)[8:]
    assert size_of(png(8, 9, between + second + data)) == UNREAD
    assert size_of(png(8, 9, data + second)) == (8, 9)
    assert size_of(png(8, 9, chunk(b"iCCP", b"p" * 300_000) + data)) == UNREAD
