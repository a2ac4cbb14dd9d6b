"""Width and height of an image from the first bytes of its base64, without decoding the rest.

PNG (its only IHDR), JPEG (its first frame header), GIF (logical screen, first frame) and WebP (VP8, VP8L, VP8X). Only
what is certain is said: base64 with anything that decoders treat differently (blanks, padding in the middle), animated
images, sizes of zero and headers that do not come early all give (None, None).
"""

from binascii import Error, a2b_base64

Size = tuple[int | None, int | None]

UNREAD: Size = (None, None)

_FIRST_CHARS = 1_024
_MOST_CHARS = 256 * 1_024
"""Colour profiles and camera records may stand before a JPEG's frame header or a PNG's data; no more is looked at."""
_FRAME_HEADERS = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


def pixel_size(data: str, start: int = 0) -> Size:
    """(width, height) in pixels of the image whose base64 begins at `start`; (None, None) where it is not certain."""
    head = _decoded(data, start, _FIRST_CHARS)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        size = _png(head, len(data) - start <= _FIRST_CHARS)
        if size is None and len(data) - start > _FIRST_CHARS:
            size = _png(_decoded(data, start, _MOST_CHARS), len(data) - start <= _MOST_CHARS)
    elif head.startswith(b"\xff\xd8"):
        size = _jpeg(head)
        if size is None:
            size = _jpeg(_decoded(data, start, _MOST_CHARS))
    elif head.startswith((b"GIF87a", b"GIF89a")):
        size = _gif(head)
    elif head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        size = _webp(head)
    else:
        size = None
    return size if size is not None and size[0] > 0 and size[1] > 0 else UNREAD


def _decoded(data: str, start: int, chars: int) -> bytes:
    """The bytes of the first `chars` characters, a multiple of four; nothing where they are not strictly base64."""
    chunk = data[start : start + chars]
    try:
        return a2b_base64(chunk, strict_mode=True)
    except (Error, ValueError):
        return b""


def _png(head: bytes, whole: bool) -> tuple[int, int] | None:
    """Chunk by chunk to the image's data: of two headers before it, some decoders (Pillow) obey the second.

    `whole` says that `head` is all there is.
    """
    if head[8:16] != b"\0\0\0\x0dIHDR" or len(head) < 33:
        return None
    at = 33
    while at + 8 <= len(head):
        kind = head[at + 4 : at + 8]
        if kind == b"IDAT":
            break
        if kind == b"IHDR" or kind == b"acTL":  # a second header, or animated
            return None
        at += 12 + int.from_bytes(head[at : at + 4], "big")
    else:
        if not whole:
            return None
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _jpeg(head: bytes) -> tuple[int, int] | None:
    """Segment by segment to the first frame header. One with a height of 0 leaves it to a later segment."""
    at = 2
    while at + 9 <= len(head):
        if head[at] != 0xFF:
            return None
        marker = head[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        elif marker in _FRAME_HEADERS:
            return int.from_bytes(head[at + 7 : at + 9], "big"), int.from_bytes(head[at + 5 : at + 7], "big")
        elif marker in (0xD9, 0xDA, 0xDC) or marker < 0xC0:
            return None  # the image's data, or its end, without a frame header before it
        else:
            at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None


def _gif(head: bytes) -> tuple[int, int] | None:
    """The larger of logical screen and first frame. What says that it loops is taken for animated."""
    width, height = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    at = 13 + (3 << ((head[10] & 7) + 1) if len(head) > 10 and head[10] & 0x80 else 0)
    while at + 10 <= len(head):
        if head[at] == 0x2C:
            left, top, across, down = (int.from_bytes(head[at + n : at + n + 2], "little") for n in (1, 3, 5, 7))
            return max(width, left + across), max(height, top + down)
        if head[at] != 0x21 or head[at + 1] == 0xFF:
            return None
        at += 2
        while at < len(head) and head[at]:
            at += 1 + head[at]
        at += 1
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if len(head) < 30:
        return None
    if kind == b"VP8X":
        if head[20] & 0x02:  # animated
            return None
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return None
