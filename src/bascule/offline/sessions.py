"""One session request by request. Pure: rows in, values out."""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from msgspec import Struct

from bascule.model.row import AttemptRow
from bascule.model.sums import Sums, answering, sums_of


class RequestLine(Struct, frozen=True, kw_only=True):
    """One request of a session, its attempts summed."""

    request_id: str
    agent_id: str | None
    sums: Sums
    models: tuple[str, ...]
    final: AttemptRow


def by_use(models: dict[str, int]) -> list[str]:
    """Models, the most used first."""
    return sorted(models, key=lambda name: (-models[name], name))


def request_lines(rows: Iterable[AttemptRow]) -> list[RequestLine]:
    """The requests behind some rows, oldest first."""
    ordered = sorted(rows, key=attrgetter("request_id", "attempt_no"))
    lines = [_line(list(found)) for _, found in groupby(ordered, key=attrgetter("request_id"))]
    return sorted(lines, key=lambda line: (line.sums.first_ms or 0, line.request_id))


def _line(attempts: list[AttemptRow]) -> RequestLine:
    return RequestLine(
        request_id=attempts[0].request_id,
        agent_id=attempts[0].agent_id,
        sums=sums_of(attempts),
        models=tuple(dict.fromkeys([row.model for row in attempts if row.model is not None])),
        final=answering(attempts),
    )
