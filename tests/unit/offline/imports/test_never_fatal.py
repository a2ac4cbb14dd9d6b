"""Whatever lies in a log, reading it raises nothing: what cannot be used is a bad line of that file."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.offline.imports.conftest import FIXTURES

from bascule.offline.imports.booking import Attribution, Booking
from bascule.offline.imports.claude_code import ORIGIN, ClaudeReader
from bascule.offline.imports.codex import CodexReader
from bascule.offline.imports.lines import BadLine, split_blocks
from bascule.offline.imports.observed import Observed
from bascule.offline.imports.rows import RowReader
from bascule.offline.imports.sellers import Sellers
from bascule.prices.book import PriceBook

SELLERS = Sellers(PriceBook())
BOOKING = Booking(ORIGIN, SELLERS, Attribution())
CLAUDE = b"".join([path.read_bytes() for path in sorted((FIXTURES / "claude").rglob("*.jsonl"))])
CODEX = b"".join([path.read_bytes() for path in sorted((FIXTURES / "codex").rglob("*.jsonl"))])
ROWS = b"""\
{"ts_start":"2026-11-21","model":"gpt-5","tokens_in":10,"tokens_out":2,"tags":{"a":"b"},"usage_flags":["x"],"tag.k":"v"}
{"ts_start":1795262400,"cost_usd":"0.25","rates":{"input":1},"stream":true,"status":200,"origin":"codex","id":"r"}
"""
TABLE = b'ts_start,model,tokens_in,tags,tag.k\n2026-11-21,gpt-5,10,"{""a"":""b""}","x\ny"\n1795262400,,,,\n'
VALUES = (
    b"null",
    b"[]",
    b"{}",
    b"-1",
    b"1e400",
    b'"\\ud800"',
    b"99999999999999999999",
    b"true",
    b'""',
    b'"x"',
    b"\xff",
)
READERS: dict[str, tuple[bytes, str, Callable[[], Any]]] = {
    "claude": (CLAUDE, "s.jsonl", ClaudeReader),
    "codex": (CODEX, "rollout-s.jsonl", CodexReader),
    "jsonl": (ROWS, "s.jsonl", lambda: RowReader(SELLERS, Attribution())),
    "csv": (TABLE, "s.csv", lambda: RowReader(SELLERS, Attribution())),
}


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file in which values have become others, bytes have been lost, or both."""
    raw = whole
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        colon = raw.find(b":", at)
        if colon >= 0 and draw(st.booleans()):
            end = min(
                [place for place in (raw.find(mark, colon) for mark in (b",", b"}")) if place >= 0], default=colon
            )
            raw = raw[: colon + 1] + draw(st.sampled_from(VALUES)) + raw[end:]
        else:
            raw = raw[:at] + draw(st.binary(max_size=4)) + raw[at + draw(st.integers(0, 60)) :]
    return raw


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_reading_never_raises(kind: str, data: st.DataObject) -> None:
    whole, name, reader = READERS[kind]
    raw = data.draw(damaged(whole))
    blocks = split_blocks(io.BytesIO(raw), None, block_bytes=4_096, max_line_bytes=1_000_000)
    lines = raw.count(b"\n") + 1
    for item in reader().read(Path(name), blocks):
        if isinstance(item, BadLine):
            assert 1 <= item.line <= lines + 1
        elif isinstance(item, Observed):
            row = BOOKING.row(item)
            assert row.cost_nanousd is None or row.cost_nanousd >= 0
