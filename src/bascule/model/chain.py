"""The hash chain over ledger lines.

Every journal has its own chain. A line's link is `sha256(previous link + line body)` in hex, and the first link
hangs on the chain's own name, so that no line can be changed, dropped, reordered or moved to another chain
without every later link saying so.
"""

from hashlib import sha256

import msgspec
from msgspec import Struct

from bascule.model.entry import Adjustment, Decision, Intent, Line, Settlement

KIND_OF: dict[type, str] = {
    Intent: "intent",
    Settlement: "settle",
    Adjustment: "adjust",
    Decision: "decision",
}
"""The `kind` of a line, as its tag says it."""


class ChainHead(Struct, frozen=True):
    """The last line of a chain: its number, from 1, and its link (64 hex digits)."""

    seq: int
    chain: str


class ChainedLine(Struct, frozen=True, gc=False):
    """A line in its place. `body` are the very bytes that were hashed; `line` is what they say."""

    seq: int
    chain: str
    body: bytes
    line: Line


class StoredLine(Struct, frozen=True):
    """A line as it lies in a store or a file, not yet trusted: `kind` and `attempt_id` are the store's own words."""

    seq: int
    chain: str
    body: bytes
    kind: str
    attempt_id: str | None


class _Envelope(Struct, frozen=True):
    seq: int
    chain: str
    line: msgspec.Raw


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_line_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def chain_start(chain_id: str) -> str:
    """What the first line of the chain `chain_id` hangs on."""
    return sha256(b"bascule chain " + chain_id.encode()).hexdigest()


def next_chain(previous: str, body: bytes) -> str:
    """The link of a line whose predecessor's link is `previous`."""
    return sha256(previous.encode() + body).hexdigest()


def decode_body(body: bytes) -> Line:
    """The line that `body` says. Raises msgspec.DecodeError."""
    return _line_decoder.decode(body)


def decode_chained(text: bytes) -> ChainedLine:
    """One journal line, without its newline. Raises msgspec.DecodeError (or UnicodeDecodeError)."""
    envelope = _decode_envelope(text)
    body = bytes(envelope.line)
    return ChainedLine(envelope.seq, envelope.chain, body, _line_decoder.decode(body))


def encode_chained(seq: int, chain: bytes, body: bytes) -> bytes:
    """One journal line with its newline; `chain` in hex. `decode_chained` reads it back."""
    return b'{"seq":%d,"chain":"%b","line":%b}\n' % (seq, chain, body)


def seq_of(text: bytes) -> int:
    """The number of a journal line, without decoding the rest. Raises ValueError where it has none."""
    return int(text[7 : text.index(b",")])
