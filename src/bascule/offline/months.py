"""Calendar months in UTC."""

from datetime import UTC, datetime


def month_before(since_ms: int, until_ms: int) -> tuple[int, int] | None:
    """The month before the one that [since_ms, until_ms) is; None where that is not exactly one month."""
    start = datetime.fromtimestamp(since_ms / 1000, UTC)
    if _ms(start.year, start.month) != since_ms or _ms(start.year, start.month + 1) != until_ms:
        return None
    return _ms(start.year, start.month - 1), since_ms


def _ms(year: int, month: int) -> int:
    """The first moment of a month; month 0 is the last December, 13 the next January."""
    moment = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)
    return round(moment.timestamp() * 1000)
