"""Times of logs as milliseconds: what every line has, so it must be quick."""

from datetime import UTC, datetime

MAX_CALL_MS = 10 * 60_000
"""A line that lies further back than this is not taken for the moment when a call began: nobody waits that long."""


EARLIEST_MS = 1_577_836_800_000
"""2020-01-01: before there was any model to be billed for."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01, where a reader is not told what time it is."""


class Implausible(ValueError):
    """What is said well and cannot be: a time, a count. The message says why, in words that hold nothing of it."""


def check_plausible(at_ms: int, latest_ms: int) -> int:
    """The moment of a call itself. Raises Implausible."""
    if at_ms < EARLIEST_MS:
        raise Implausible("a time before 2020")
    if at_ms > latest_ms:
        raise Implausible("a time in the future")
    return at_ms


def timestamp_ms(text: str) -> int:
    """ISO 8601 with a zone (UTC where it names none) as milliseconds since the epoch. Raises ValueError."""
    return instant_ms(datetime.fromisoformat(text))


def instant_ms(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


_MARKS = (b'"timestamp":"', b'"timestamp": "')


def timestamp_in(line: bytes) -> int | None:
    """The time of a line that is not decoded, or None. Inside strings quotes are escaped, so the mark is a key."""
    for mark in _MARKS:
        at = line.rfind(mark)
        if at >= 0:
            begin = at + len(mark)
            end = line.find(b'"', begin, begin + 40)
            if end > 0:
                try:
                    return timestamp_ms(line[begin:end].decode())
                except ValueError:
                    return None
    return None


def began_ms(before_ms: int | None, first_ms: int) -> int:
    """When a call began whose first line is of `first_ms`: with the line before it, if that is near enough."""
    if before_ms is None or not 0 <= first_ms - before_ms <= MAX_CALL_MS:
        return first_ms
    return before_ms
