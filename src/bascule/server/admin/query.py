"""Query parameters, read strictly: a misspelt filter must not answer for the whole ledger."""

from collections.abc import Sequence

from starlette.requests import Request

from bascule.model.errors import MalformedRequest
from bascule.model.row import RowFilter
from bascule.offline.moment import moment_ms

FILTERS = ("since", "until", "key", "session", "model")


class Query:
    """The parameters of one request. Everything raises MalformedRequest with the parameter's name."""

    def __init__(self, request: Request, known: Sequence[str], *, now_ms: int, repeatable: Sequence[str] = ()) -> None:
        self._given = request.query_params
        self._now_ms = now_ms
        for name in self._given:
            if name not in known and name not in repeatable:
                raise MalformedRequest(f"{name!r} is not a parameter here; there are {', '.join(known)}", name)
            if name not in repeatable and len(self._given.getlist(name)) > 1:
                raise MalformedRequest(f"{name!r} was given more than once", name)

    def text(self, name: str) -> str | None:
        """None where it is absent or empty."""
        return self._given.get(name) or None

    def needed(self, name: str) -> str:
        found = self.text(name)
        if found is None:
            raise MalformedRequest(f"{name!r} is missing", name)
        return found

    def every(self, name: str) -> list[str]:
        """The values of a repeatable parameter, each once; commas separate too."""
        words = [word.strip() for value in self._given.getlist(name) for word in value.split(",")]
        return [word for word in dict.fromkeys(words) if word]

    def one_of(self, name: str, choices: Sequence[str], default: str) -> str:
        found = self.text(name) or default
        if found not in choices:
            raise MalformedRequest(f"{name} is one of {', '.join(choices)}", name)
        return found

    def count(self, name: str, default: int, most: int) -> int:
        found = self.text(name)
        if found is None:
            return default
        if not (found.isascii() and found.isdigit() and len(found) < 10 and 1 <= int(found) <= most):
            raise MalformedRequest(f"{name} is a whole number from 1 to {most}", name)
        return int(found)

    def rows(self) -> RowFilter:
        """`since until key session model`."""
        return RowFilter(
            since_ms=self._moment("since", end=False),
            until_ms=self._moment("until", end=True),
            key=self.text("key"),
            session_id=self.text("session"),
            model=self.text("model"),
        )

    def _moment(self, name: str, *, end: bool) -> int | None:
        found = self.text(name)
        if found is None:
            return None
        try:
            return moment_ms(found, self._now_ms, end=end)
        except ValueError:
            forms = "2026-11-21, 2026-11-21T05:00:00Z, 2026-11, 2026-W47, 7d, 24h"
            raise MalformedRequest(f"{name} is a time such as {forms}", name) from None
