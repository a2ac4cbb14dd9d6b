"""Files of rows, whatever program wrote them: one JSON document, JSON Lines, or CSV, as numbered objects."""

import csv
from collections.abc import Iterator
from typing import Any

import msgspec

from bascule.offline.imports.claude_code import wrong
from bascule.offline.imports.lines import BadLine, Lines, why_not_json

MAX_DOCUMENT_BYTES = 256 << 20
"""A JSON document is read whole; a longer file must be JSON Lines."""

Numbered = tuple[int, dict[str, Any] | BadLine]
"""A line's number, counted from 1, and what it holds. A document that is no line of its own begins in line 1."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_decode_any = msgspec.json.Decoder().decode


def objects(name: str, blocks: Iterator[Lines], *, is_csv: bool) -> Iterator[Numbered]:
    """Objects of a file: rows of CSV, lines of JSON Lines, or the one document, an array's items each for itself."""
    return csv_rows(name, blocks) if is_csv else json_objects(name, blocks)


def json_objects(name: str, blocks: Iterator[Lines]) -> Iterator[Numbered]:
    """JSON Lines where every line is an object, else the whole file as one document."""
    held: list[bytes] = []
    size = 0
    for block in blocks:
        if block.too_long:
            yield block.too_long[0], BadLine(name, block.too_long[0], "longer than is read")
            return
        held += block.lines
        size += sum(map(len, block.lines))
        if size > MAX_DOCUMENT_BYTES:
            yield 0, BadLine(name, 0, "too large to be read as one document; write it as JSON Lines")
            return
    lines = [(number, line) for number, line in enumerate(held, start=1) if line.strip()]
    if len(lines) > 1 and all(why_not_json(line, last=False) is None for _, line in lines[:2]):
        for number, line in lines:
            yield number, _line(name, number, line)
        return
    try:
        found = _decode_any(b"\n".join(held))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if lines:
            yield 0, BadLine(name, 0, f"neither JSON nor JSON Lines: {wrong(error)}")
        return
    for item in found if isinstance(found, list) else [found]:
        yield 1, item if isinstance(item, dict) else BadLine(name, 1, "not an object")


def _line(name: str, number: int, line: bytes) -> dict[str, Any] | BadLine:
    why = why_not_json(line, last=False)
    if why is not None:
        return BadLine(name, number, why)
    try:
        return _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return BadLine(name, number, wrong(error))


def json_lines(name: str, blocks: Iterator[Lines]) -> Iterator[Numbered]:
    """Each line for itself, a block at a time."""
    for block in blocks:
        for too_long in block.too_long:
            yield too_long, BadLine(name, too_long, "longer than is read")
        for number, line in enumerate(block.lines, start=block.first):
            if not line.strip():
                continue
            why = why_not_json(line, last=block.cut)
            if why is not None:
                yield number, BadLine(name, number, why)
                continue
            try:
                yield number, _decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                yield number, BadLine(name, number, wrong(error))


def csv_rows(name: str, blocks: Iterator[Lines]) -> Iterator[Numbered]:
    """RFC 4180 with a header. A cell may hold line ends; a row's number is that of its last line."""
    reader = csv.reader(_texts(blocks), strict=True)
    header: list[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, BadLine(name, reader.line_num, f"broken CSV: {error}")
            continue
        number = reader.line_num
        if not cells:
            continue
        if header is None:
            header = [cell.strip().removeprefix("\ufeff") for cell in cells]
        elif any("\udc80" <= char <= "\udcff" for cell in cells if not cell.isascii() for char in cell):
            yield number, BadLine(name, number, "not UTF-8")
        elif len(cells) != len(header):
            yield number, BadLine(name, number, f"{len(cells)} cells under {len(header)} columns")
        else:
            yield number, dict(zip(header, cells, strict=True))


def _texts(blocks: Iterator[Lines]) -> Iterator[str]:
    for block in blocks:
        for line in block.lines:
            yield line.decode("utf-8", "surrogateescape").removesuffix("\r") + "\n"
