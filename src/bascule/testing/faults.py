"""Spoiling a sound response: from the response and the fault's name to the response that is played."""

import gzip
import zlib
from collections.abc import Callable
from functools import lru_cache

from msgspec.structs import replace

from bascule.testing.event_stream_faults import FAULTS as EVENT_STREAM_FAULTS
from bascule.testing.event_stream_faults import is_event_stream
from bascule.testing.script import Dialect, Fault, Script
from bascule.testing.steps import End, Response, Step

BOMB_BYTES = 50 * 1024 * 1024
BIG_LINE_BYTES = 10 * 1024 * 1024
HUGE_HEADER_BYTES = 1024 * 1024
FORGED = "forged"
"""In the value of each header that `header_injection` and `header_line_feed` add."""
INJECTED = (
    ("set-cookie", f"session={FORGED}"),
    ("x-bascule-request-id", FORGED),
    ("x-bascule-cost-usd", f"0.{FORGED}"),
    ("access-control-allow-origin", f"https://{FORGED}.example"),
)
_ODD_TEXT = "\\u0000\\ufeff\\u2028\\ud83d\\ude00\u2028\u0085\u202e\U0001f600e\u0301 ".encode()
_HALF_CHARACTER = b"\\ud800"
_BAD_UTF8 = b"\xff\xc0"
_HTML = b"<!doctype html><html><body><h1>502 Bad Gateway</h1><p>cloud edge</p></body></html>"

NEVER_BILLED: frozenset[Fault] = frozenset({"redirect", "html_200", "gzip_bomb"})
"""The model was not reached: no bill under any policy. After `error_first` it may have been: see `Script.bill`."""
_ENDS: dict[Fault, End] = {"reset_mid": "reset", "close_mid": "close", "hang_mid": "hang", "drip": "drip"}
_BEFORE: dict[Fault, End] = {"reset_before": "reset", "close_before": "close", "hang_before": "hang"}

Spoil = Callable[[Response, Script], Response]


def spoil(response: Response, script: Script, error_event: bytes, trap: str) -> Response:
    """The response as the script's fault makes it. `error_event` in the dialect's form; `trap`: where 307 leads."""
    fault = script.fault
    if fault is None:
        return response
    if fault in _BEFORE:
        return replace(response, head=False, steps=(Step(wait_s=script.ttft_s, end=_BEFORE[fault]),))
    if fault in _ENDS:
        return _cut_in_the_middle(response, script, _ENDS[fault])
    if fault == "redirect":
        headers = (*_without(response.headers, "content-type"), ("location", script.location or trap))
        return Response(status=307, headers=headers, steps=())
    if fault in {"error_first", "error_mid"}:
        return _with_error(response, script, error_event) if response.chunked else response
    if is_event_stream(response) and fault in EVENT_STREAM_FAULTS:
        return EVENT_STREAM_FAULTS[fault](response, script)
    if response.chunked:
        return _STREAM_FAULTS.get(fault, _ANY_FAULTS.get(fault, _unchanged))(response, script)
    return _WHOLE_FAULTS.get(fault, _ANY_FAULTS.get(fault, _unchanged))(response, script)


def _unchanged(response: Response, script: Script) -> Response:
    return response


# In the middle of the body.


def _split(response: Response, script: Script) -> tuple[list[Step], list[Step]]:
    """The steps up to `fault_after` content tokens, and the rest."""
    seen = 0
    for place, step in enumerate(response.steps):
        if step.kind == "content" and step.data:
            if seen >= script.fault_after:
                return list(response.steps[:place]), list(response.steps[place:])
            seen += 1
    return list(response.steps), []


def _cut_in_the_middle(response: Response, script: Script, end: End) -> Response:
    if response.chunked:
        before, _ = _split(response, script)
        before = [step for step in before if step.kind in {"content", "other"}]
        return replace(response, steps=(*before, Step(end=end)))
    return _half_body(response, Step(end=end), chunked=end == "drip")


def _half_body(response: Response, last: Step, *, chunked: bool = False) -> Response:
    """A whole answer's first half under the length of all of it, then `last`."""
    body = response.steps[-1]
    half = replace(body, data=body.data[: len(body.data) // 2], usage=None)
    steps = (*response.steps[:-1], half, last)
    return replace(response, steps=steps, chunked=chunked, content_length=None if chunked else len(body.data))


def _short_body(response: Response, script: Script) -> Response:
    if response.chunked:
        return replace(response, steps=(*response.steps, Step(end="close")))
    return _half_body(response, Step(end="close"))


def _left_open(response: Response, script: Script) -> Response:
    return replace(response, steps=(*response.steps, Step(end="hang")), chunked=True)


# The body's bytes.


def _each(response: Response, change: Callable[[bytes], bytes]) -> Response:
    steps = tuple(replace(step, data=change(step.data)) if step.data else step for step in response.steps)
    return replace(response, steps=steps)


def _whole_as(data: bytes) -> Spoil:
    def change(response: Response, script: Script) -> Response:
        last = response.steps[-1] if response.steps else Step()
        return replace(response, steps=(Step(data=data, wait_s=last.wait_s),), chunked=False)

    return change


def _truncated_json(response: Response, script: Script) -> Response:
    body = response.steps[-1]
    half = replace(body, data=body.data[: len(body.data) // 2], usage=None)
    return replace(response, steps=(*response.steps[:-1], half))


def _html(response: Response, script: Script) -> Response:
    changed = _whole_as(_HTML)(response, script)
    return replace(changed, headers=_typed(response, "text/html; charset=utf-8"))


def _wrong_type(response: Response, script: Script) -> Response:
    return replace(response, headers=_typed(response, "text/plain"))


def _in_content(data: bytes) -> Spoil:
    """These bytes inside the first string that holds content."""

    def change(response: Response, script: Script) -> Response:
        return _with_content(response, data)

    return change


def _with_content(response: Response, data: bytes) -> Response:
    for mark in (b'"delta":"', b'"content":"', b'"text":"', b'"partial_json":"', b'"arguments":"', b'"thinking":"'):
        for place, step in enumerate(response.steps):
            if mark in step.data and (step.kind == "content" or not response.chunked):
                bad = replace(step, data=step.data.replace(mark, mark + data, 1))
                return replace(response, steps=(*response.steps[:place], bad, *response.steps[place + 1 :]))
    return response


def _gzip(response: Response, script: Script) -> Response:
    packer = zlib.compressobj(wbits=31)
    steps = []
    for place, step in enumerate(response.steps):
        data = packer.compress(step.data) + packer.flush(zlib.Z_SYNC_FLUSH) if step.data else b""
        if place == len(response.steps) - 1:
            data += packer.flush()
        steps.append(replace(step, data=data))
    return replace(response, steps=tuple(steps), headers=(*response.headers, ("content-encoding", "gzip")))


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    return gzip.compress(b" " * BOMB_BYTES, 9)


def _gzip_bomb(response: Response, script: Script) -> Response:
    changed = _whole_as(_bomb())(response, script)
    return replace(changed, headers=(*response.headers, ("content-encoding", "gzip")))


def _big_line(response: Response, script: Script) -> Response:
    """A whole answer behind 10 MB of blanks; in a stream, 10 MB of content in one event."""
    if not response.chunked:
        body = response.steps[-1]
        big = replace(body, data=b" " * BIG_LINE_BYTES + body.data)
        return replace(response, steps=(*response.steps[:-1], big))
    for place, step in enumerate(response.steps):
        for mark in (b'"delta":"', b'"content":"', b'"text":"'):
            if step.kind == "content" and mark in step.data:
                big = replace(step, data=step.data.replace(mark, mark + b"x" * BIG_LINE_BYTES, 1))
                return replace(response, steps=(*response.steps[:place], big, *response.steps[place + 1 :]))
    return response


def _split_bytes(response: Response, script: Script) -> Response:
    return replace(response, packet_bytes=1)


def _with_headers(*headers: tuple[str, str]) -> Spoil:
    def change(response: Response, script: Script) -> Response:
        return replace(response, headers=(*response.headers, *headers))

    return change


# Events of a stream.


def _with_error(response: Response, script: Script, error_event: bytes) -> Response:
    if script.fault == "error_first":
        return replace(response, steps=(Step(data=error_event, wait_s=script.ttft_s),))
    before, _ = _split(response, script)
    return replace(response, steps=(*before, Step(data=error_event)))


def _clean_eof(response: Response, script: Script) -> Response:
    return replace(response, steps=tuple(step for step in response.steps if step.kind in {"content", "other"}))


def _truncated_event(response: Response, script: Script) -> Response:
    before, after = _split(response, script)
    cut = [replace(step, data=step.data[: len(step.data) // 2], usage=None) for step in after[:1]]
    return replace(response, steps=(*before, *cut))


def _bad_json_line(response: Response, script: Script) -> Response:
    before, after = _split(response, script)
    return replace(response, steps=(*before, Step(data=b'data: {"broken": \n\n'), *after))


def _no_done(response: Response, script: Script) -> Response:
    return replace(response, steps=tuple(step for step in response.steps if step.kind != "terminal"))


def _done_twice(response: Response, script: Script) -> Response:
    done = [step for step in response.steps if step.kind == "terminal"]
    return replace(response, steps=(*response.steps, *done))


def _after_done(response: Response, script: Script) -> Response:
    content = [replace(step, tokens=0) for step in response.steps if step.kind == "content" and step.data]
    return replace(response, steps=(*response.steps, *content[:1]))


def _crlf(response: Response, script: Script) -> Response:
    return _each(response, lambda data: data.replace(b"\n", b"\r\n"))


def _comments(response: Response, script: Script) -> Response:
    return _each(response, lambda data: b": keep-alive\n\n\n" + data + b":\n")


def _empty_stream(response: Response, script: Script) -> Response:
    return replace(response, steps=(Step(wait_s=script.ttft_s),))


_ANY_FAULTS: dict[Fault, Spoil] = {
    "short_body": _short_body,
    "left_open": _left_open,
    "null_body": _whole_as(b"null"),
    "html_200": _html,
    "wrong_content_type": _wrong_type,
    "invalid_utf8": _in_content(_BAD_UTF8),
    "odd_unicode": _in_content(_ODD_TEXT),
    "lone_surrogate": _in_content(_HALF_CHARACTER),
    "gzip": _gzip,
    "gzip_bomb": _gzip_bomb,
    "big_line": _big_line,
    "split_bytes": _split_bytes,
    "huge_headers": _with_headers(("x-huge", "h" * HUGE_HEADER_BYTES)),
    "header_injection": _with_headers(*INJECTED),
    "header_line_feed": _with_headers(("x-note", f"one\nset-cookie: session={FORGED}")),
}
_WHOLE_FAULTS: dict[Fault, Spoil] = {"truncated_json": _truncated_json, "empty_body": _whole_as(b"")}
_STREAM_FAULTS: dict[Fault, Spoil] = {
    "truncated_json": _truncated_event,
    "empty_body": _empty_stream,
    "clean_eof": _clean_eof,
    "truncated_event": _truncated_event,
    "bad_json_line": _bad_json_line,
    "done_twice": _done_twice,
    "no_done": _no_done,
    "after_done": _after_done,
    "crlf": _crlf,
    "comments": _comments,
    "empty_stream": _empty_stream,
}


def _without(headers: tuple[tuple[str, str], ...], name: str) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in headers if pair[0] != name)


def _typed(response: Response, content_type: str) -> tuple[tuple[str, str], ...]:
    return (("content-type", content_type), *_without(response.headers, "content-type"))


def drip_bytes(dialect: Dialect, chunked: bool) -> bytes:
    """What a `drip` writes again and again: a comment of a stream, else a blank."""
    return b": drip\n\n" if chunked and dialect != "bedrock" else b" "
