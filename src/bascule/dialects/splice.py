"""Patching the bytes of a JSON object without touching the rest of them.

Top-level members are found by letting the JSON decoder cut their values and then walking the text key by key,
comparing all of it. Whatever the walk is not certain of (duplicate keys, escapes in keys) is written anew from the
decoder's view, last key wins, every value still as its own bytes.
"""

from collections.abc import Collection, Mapping

import msgspec
from msgspec import Raw

from bascule.model.money import NANO_PER_USD


class _Usage(msgspec.Struct, gc=False):
    usage: Raw = Raw(b"null")


_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_USAGE = msgspec.json.Decoder(_Usage)
_WHITESPACE = b" \t\r\n"
_USAGE_KEY = b'"usage":'
_BEFORE_KEYS = b",{" + _WHITESPACE
"""What stands before a key, and not before a quote within one."""
_STYLES = ((b'":', b","), (b'": ', b", "))
"""How nearly all clients write the top level. What joins to the very same bytes can be joined again with changes."""
_SPACED_FIRST = _STYLES[::-1]

Span = tuple[int, int, int]
"""Where a member stands: start of its key, start and end of its value."""


def members(raw: bytes) -> dict[str, Span] | None:
    """The top-level members of an object by key, or None where their places are not certain.

    Raises msgspec.DecodeError, UnicodeDecodeError or RecursionError where `raw` is not a JSON object.
    """
    return _walk(raw, _MEMBERS.decode(raw))


def patch(raw: bytes, put: Mapping[str, bytes], drop: Collection[str] = ()) -> bytes:
    """`raw`, a JSON object, with members set to the given JSON texts and others removed.

    Everything else keeps its bytes; new members are added at the end. Raises as `members` does.
    """
    decoded = _MEMBERS.decode(raw)
    # The first colon tells which style is the likelier one.
    spaced = raw.find(b'": ', 0, raw.find(b'":') + 3) >= 0
    for colon, comma in _SPACED_FIRST if spaced else _STYLES:
        pairs = {key: b'"' + key.encode() + colon + value for key, value in decoded.items()}
        if b"{" + comma.join(pairs.values()) + b"}" != raw:
            continue
        for key in drop:
            pairs.pop(key, None)
        for key, value in put.items():
            pairs[key] = b'"' + key.encode() + colon + value
        return b"{" + comma.join(pairs.values()) + b"}"
    spans = _walk(raw, decoded)
    if spans is None:
        return _rewrite(decoded, put, drop)
    edits = [(spans[key][1], spans[key][2], value) for key, value in put.items() if key in spans]
    gone = [key for key in drop if key in spans]
    if gone:
        edits += _removals(raw, spans, gone)
    new = b"".join([b'"' + key.encode() + b'":' + value + b"," for key, value in put.items() if key not in spans])
    if new:
        end = raw.rindex(b"}")
        kept = len(spans) > len(gone)
        edits.append((end, end, b"," + new[:-1] if kept else new[:-1]))
    edits.sort()
    pieces: list[bytes] = []
    at = 0
    for start, end, value in edits:
        pieces.append(raw[at:start])
        pieces.append(value)
        at = end
    pieces.append(raw[at:])
    return b"".join(pieces)


def splice_cost(raw: bytes, cost_nanousd: int) -> bytes:
    """An answer with `usage.cost` in US dollars; unchanged where its top level has no `usage` object."""
    usage = bytes(_USAGE.decode(raw).usage)
    if not usage.startswith(b"{"):
        return raw
    spliced = with_cost(usage, cost_nanousd)
    at = raw.rfind(_USAGE_KEY)
    if at > 0 and raw[at - 1] in _BEFORE_KEYS:
        start = at + len(_USAGE_KEY) + raw.startswith(b" ", at + len(_USAGE_KEY))
        if len(raw) == start + len(usage) + 1 and raw.startswith(usage, start):
            # Behind it one brace is closed, which is the outermost: this is the member that was decoded.
            return raw[:start] + spliced + b"}"
    at = raw.find(usage)
    if raw.find(usage, at + 1) < 0:
        # The decoder cut this text out of `raw`, and it stands there only once: this is where it was cut.
        return raw[:at] + spliced + raw[at + len(usage) :]
    return patch(raw, {"usage": spliced})


def with_cost(usage: bytes, cost_nanousd: int) -> bytes:
    """A usage object's JSON text with `cost` set to this amount."""
    if b'"cost"' in usage or usage[1:-1].strip(_WHITESPACE) == b"":
        return patch(usage, {"cost": usd_number(cost_nanousd)})
    return usage[:-1] + b',"cost":' + usd_number(cost_nanousd) + b"}"


def usd_number(nanousd: int) -> bytes:
    """Nano-USD as a JSON number of dollars, exact, without trailing zeros."""
    sign = "-" if nanousd < 0 else ""
    whole, fraction = divmod(abs(nanousd), NANO_PER_USD)
    if not fraction:
        return f"{sign}{whole}".encode()
    return f"{sign}{whole}.{fraction:09d}".rstrip("0").encode()


def _walk(raw: bytes, decoded: dict[str, Raw]) -> dict[str, Span] | None:
    spans: dict[str, Span] = {}
    at = raw.find(b"{") + 1
    for key, value in decoded.items():
        if spans:
            if raw[at] != 0x2C:
                at = _skip(raw, at)
                if raw[at] != 0x2C:
                    return None
            at += 1
        name = b'"' + key.encode() + b'"'
        if not raw.startswith(name, at):
            at = _skip(raw, at)
            if not raw.startswith(name, at):
                return None
        start = at
        at += len(name)
        if raw[at] != 0x3A:
            at = _skip(raw, at)
            if raw[at] != 0x3A:
                return None
        at += 1
        text = bytes(value)
        if not raw.startswith(text, at):
            at = _skip(raw, at)
            if not raw.startswith(text, at):
                return None
        spans[key] = (start, at, at + len(text))
        at += len(text)
    return spans if raw[at:].strip(_WHITESPACE) == b"}" else None


def _skip(raw: bytes, at: int) -> int:
    while raw[at] in _WHITESPACE:
        at += 1
    return at


def _removals(raw: bytes, spans: dict[str, Span], gone: list[str]) -> list[tuple[int, int, bytes]]:
    """Cuts that take members and exactly the commas that go with them."""
    order = list(spans.items())
    cuts: list[tuple[int, int, bytes]] = []
    kept_before = False
    for position, (key, (start, _, end)) in enumerate(order):
        if key not in gone:
            kept_before = True
            continue
        if kept_before:
            cuts.append((order[position - 1][1][2], end, b""))
        else:
            following = order[position + 1][1][0] if position + 1 < len(order) else end
            cuts.append((start, following, b""))
    return cuts


def _rewrite(decoded: dict[str, Raw], put: Mapping[str, bytes], drop: Collection[str]) -> bytes:
    merged = {key: value for key, value in decoded.items() if key not in drop}
    merged.update({key: Raw(value) for key, value in put.items()})
    return msgspec.json.encode(merged)
