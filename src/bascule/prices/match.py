"""Which model a name means: genai-prices' match clauses, as plain data.

Names are compared in lower case. A clause has exactly one of its fields set.
"""

import re
from datetime import date

from msgspec import Struct


class Clause(Struct, frozen=True, omit_defaults=True):
    """One condition on a lower-cased model name."""

    equals: str | None = None
    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    regex: str | None = None
    any_of: tuple["Clause", ...] = ()
    all_of: tuple["Clause", ...] = ()


def matches(clause: Clause, name: str) -> bool:
    """Whether `name`, in lower case, meets the clause."""
    if clause.equals is not None:
        return name == clause.equals
    if clause.starts_with is not None:
        return name.startswith(clause.starts_with)
    if clause.contains is not None:
        return clause.contains in name
    if clause.ends_with is not None:
        return name.endswith(clause.ends_with)
    if clause.regex is not None:
        return re.search(clause.regex, name) is not None
    if clause.any_of:
        return any(matches(part, name) for part in clause.any_of)
    return bool(clause.all_of) and all(matches(part, name) for part in clause.all_of)


_COMPACT_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


def with_dashed_dates(name: str) -> str:
    """`gpt-5.2-20251211` as `gpt-5.2-2025-12-11`: a second form to try where the first is unknown."""

    def dashed(found: re.Match[str]) -> str:
        year, month, day = (int(part) for part in found.groups())
        try:
            return f"-{date(year, month, day).isoformat()}"
        except ValueError:
            return found.group(0)  # the 30th of February: not a date, left alone

    return _COMPACT_DATE.sub(dashed, name)
