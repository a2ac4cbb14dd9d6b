"""Every fault that the scripted upstream can play, by name: the one table behind scenarios, tests and docs/chaos.md."""

from typing import Literal

from msgspec import Struct

from bascule.testing.script import Script

Group = Literal["status", "transport", "body", "stream", "usage"]


class NamedFault(Struct, frozen=True, kw_only=True):
    """One way in which a provider fails."""

    name: str
    group: Group
    does: str
    """For a person."""
    script: Script
    heavy: bool = False
    """Megabytes for one answer: a run meets it a few times, not by the hundred."""
    waits: bool = False
    """Ends only by the gateway's own timeout."""


def _status(status: int, does: str, name: str = "", **more: object) -> NamedFault:
    script = Script(status=status, **more)  # type: ignore[arg-type]  # mypy cannot see a Struct's fields through **
    return NamedFault(name=name or f"status_{status}", group="status", does=does, script=script)


_STATUSES = (
    _status(400, "the request is malformed"),
    _status(401, "the provider's key is wrong"),
    _status(403, "not allowed"),
    _status(404, "no such model"),
    _status(408, "the provider waited too long for the request"),
    _status(413, "too large"),
    _status(422, "well-formed, and refused"),
    _status(429, "too many requests, and not a word about when to come again", "429_bare"),
    _status(429, "come again in a second", "429_seconds", retry_after="1"),
    _status(429, "come again in 200 milliseconds", "429_milliseconds", headers={"retry-after-ms": "200"}),
    _status(429, "come again at a date that is past", "429_date", retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    _status(429, "come again in three years", "429_huge", retry_after="94608000"),
    _status(429, "Retry-After is no time at all", "429_nonsense", retry_after="soon"),
    _status(429, "the quota is exhausted: coming again is in vain", "429_quota", error_code="insufficient_quota"),
    _status(500, "internal error"),
    _status(502, "the HTML page of an edge"),
    _status(503, "unavailable"),
    _status(504, "the provider's own upstream was too slow"),
    _status(529, "overloaded"),
)


def _faults(group: Group, heavy: str = "", waits: str = "", **does: str) -> tuple[NamedFault, ...]:
    return tuple(
        [
            NamedFault(
                name=name,
                group=group,
                does=words,
                script=Script(fault=name),  # type: ignore[arg-type]  # a test holds the names to `script.Fault`
                heavy=name in heavy.split(),
                waits=name in waits.split(),
            )
            for name, words in does.items()
        ]
    )


_TRANSPORT = _faults(
    "transport",
    waits="hang_before hang_mid drip left_open",
    reset_before="RST before a byte of the answer",
    reset_mid="RST in the middle of the body",
    close_before="FIN before a byte of the answer",
    close_mid="FIN in the middle of the body",
    hang_before="nothing, ever",
    hang_mid="some of the body, then nothing",
    drip="some of the body, then comments (blanks, where it is no stream) for ever",
    short_body="FIN before Content-Length, or the last chunk, is reached",
    left_open="all of the body, but never its end",
)
_BODY = _faults(
    "body",
    heavy="gzip_bomb big_line huge_headers",
    truncated_json="half a document under a length that fits",
    empty_body="200 and nothing",
    null_body="200 and `null`",
    html_200="200 and an HTML page",
    wrong_content_type="a sound body called text/plain",
    invalid_utf8="bytes that are no UTF-8 inside the text",
    odd_unicode="line separators, a NUL, a BOM, overrides and surrogate pairs inside the text",
    lone_surrogate="half a character inside the text",
    gzip="a sound body, compressed although nobody asked",
    gzip_bomb="50 MB of blanks, compressed",
    big_line="one line of 10 MB",
    split_bytes="every byte in a packet of its own",
    huge_headers="a head of 1 MB",
    header_injection="cookies, an origin's leave, and headers that are the gateway's own",
    header_line_feed="a header whose value holds a line feed and another header",
    redirect="307 to a trap that counts who follows",
)
_STREAM = _faults(
    "stream",
    clean_eof="a clean end without finish and terminal event",
    truncated_event="a clean end in the middle of an event",
    error_first="200, then an error event",
    error_mid="an error event between content",
    bad_json_line="an event that is not JSON between content",
    done_twice="the terminal event twice",
    no_done="a finish reason, but no terminal event",
    after_done="content after the terminal event",
    crlf="CRLF for line ends",
    comments="comment lines and blank events everywhere",
    empty_stream="200 and no event",
    bad_checksum="a damaged message in a binary stream (Bedrock)",
)


def _usages(**does: str) -> tuple[NamedFault, ...]:
    return tuple(
        [
            NamedFault(
                name=f"usage_{name}",
                group="usage",
                does=words,
                script=Script(usage_fault=name),  # type: ignore[arg-type]  # a test holds the names to `UsageFault`
            )
            for name, words in does.items()
        ]
    )


_USAGE = (
    *_usages(
        none="not reported",
        odd_chunk="in another event than is usual",
        after_done="after the terminal event",
        twice="reported twice, word for word",
        cumulative="on every event, each time all of it",
        zero="all counts are 0",
        negative="all counts are negative",
        strings="all counts are text",
        huge="all counts are above 10^15",
        null="null",
    ),
    NamedFault(
        name="same_id",
        group="usage",
        does="every answer has the id of every other",
        script=Script(response_id="same-for-all"),
    ),
)

FAULTS: dict[str, NamedFault] = {fault.name: fault for fault in (*_STATUSES, *_TRANSPORT, *_BODY, *_STREAM, *_USAGE)}
"""A refused connection is none of them: nobody listens then, see `ScriptedUpstream.stop_listening`."""


def fault_table() -> str:
    """FAULTS as a Markdown table."""
    lines = [f"| {fault.group} | `{fault.name}` | {fault.does} |\n" for fault in FAULTS.values()]
    return "| kind | fault | what the upstream does |\n|---|---|---|\n" + "".join(lines)
