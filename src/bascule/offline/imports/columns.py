"""Columns of ledger rows in other programs' files: what each is called, and how its values are read."""

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, TypeVar, get_args

import msgspec
from msgspec import Struct

from bascule.model.entry import Role
from bascule.model.money import NANO_PER_USD, Rates
from bascule.model.row import CacheKind, Restates
from bascule.model.usage import UsageSource
from bascule.offline.imports.times import timestamp_ms
from bascule.offline.sums import TOKENS

T = TypeVar("T")

MAX_COUNT = 10**15
MAX_TEXT_CHARS = 4_096
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_GROUPED = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
"""With commas between groups of three digits alone: elsewhere "1,5" is one and a half."""


class Column(Struct, frozen=True):
    field: str
    """Of `AttemptRow`."""
    read: Callable[[Any], Any]
    """Raises ValueError, saying what was expected. Is never asked about what is absent."""


def given(found: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T | None:
    """The value of a column, None where it is absent or empty. Raises ValueError with the column's name."""
    value = found.get(name)
    if value is None or value == "":
        return None
    try:
        return read(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def text(value: Any) -> str:
    if isinstance(value, str):
        if len(value) > MAX_TEXT_CHARS:
            raise ValueError(f"longer than {MAX_TEXT_CHARS} characters")
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError("expected text")


def _decimal(written: str) -> Decimal | None:
    """A number in ASCII digits, or None: `Decimal` itself takes `1_5` and the digits of every script."""
    if _NUMBER.fullmatch(written) is None and _GROUPED.fullmatch(written) is None:
        return None
    try:
        return Decimal(written.replace(",", ""))
    except InvalidOperation:
        return None  # an exponent that no number has


def count(value: Any) -> int:
    if isinstance(value, str):
        value = _decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("expected a whole number")
    if not 0 <= value <= MAX_COUNT:
        raise ValueError("expected a whole number that is not negative")
    if value != value // 1:
        raise ValueError("expected a whole number")
    return int(value)


def amount(value: Any) -> int:
    """Nano-USD, which may be negative."""
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdecimal():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("expected a whole number of nano-dollars")


def dollars(value: Any) -> int:
    """Decimal dollars as nano-USD, rounded half up beyond nine places; below 0 where a bill is corrected."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("expected an amount of dollars")
    usd = _decimal(str(value).strip().removeprefix("$"))
    if usd is None or abs(usd) > MAX_COUNT:
        raise ValueError("expected an amount of dollars")
    return int((usd * NANO_PER_USD).to_integral_value(ROUND_HALF_UP))


_SCALES = ((10**11, 1000), (10**14, 1), (10**17, Decimal("0.001")), (10**20, Decimal("0.000001")))
"""Below which size an epoch time is in seconds, milli-, micro- and nanoseconds, and what makes it milliseconds."""


def moment(value: Any) -> int:
    """ISO 8601 (UTC where it names no zone), or an epoch time in seconds or a fraction of them, told by its size."""
    if isinstance(value, str):
        try:
            return timestamp_ms(value.strip())
        except ValueError:
            value = _decimal(value.strip())
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        size = Decimal(str(value))
        for below, factor in _SCALES:
            if 0 < size < below:
                return int((size * factor).to_integral_value(ROUND_HALF_UP))
    raise ValueError("expected a time, ISO 8601 or since the epoch")


def flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    found = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(str(value).lower())
    if found is None:
        raise ValueError("expected true or false")
    return found


def one_of(names: tuple[str, ...]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in names:
            raise ValueError(f"expected one of {', '.join(names)}")
        return str(value)

    return read


def document(value: Any) -> Any:
    """An object or list, in CSV as JSON text."""
    if isinstance(value, str):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            raise ValueError("expected JSON") from None
    return value


def tags(value: Any) -> dict[str, str]:
    found = document(value)
    if not isinstance(found, dict):
        raise ValueError("expected an object of tags")
    return {str(name): text(item) for name, item in found.items() if item is not None}


def rates(value: Any) -> Rates:
    try:
        return msgspec.convert(document(value), Rates)
    except msgspec.ValidationError as error:
        raise ValueError(f"expected rates: {error}") from None


def flags(value: Any) -> tuple[str, ...]:
    found = document(value)
    if not isinstance(found, list):
        raise ValueError("expected a list")
    return tuple([text(item) for item in found])


def _columns() -> dict[str, Column]:
    names = (
        "attempt_id", "request_id", "session_id", "agent_id", "parent_id", "upstream_request_id", "idempotency_key",
        "key", "org", "team", "project", "user", "pr", "branch", "task", "route", "model", "model_requested",
        "model_reported", "provider", "upstream_model", "dialect_in", "dialect_out", "service_tier", "error_class",
        "window_id", "usage_raw", "price_version", "reason", "decision_id", "policy_version", "finish_reason", "client",
    )  # fmt: skip
    made = {name: Column(name, text) for name in names}
    made |= {name: Column(name, count) for name in (*TOKENS, "web_searches", "attempt_no", "status")}
    made |= {f"ts_{end}": Column(f"ts_{end}_ms", moment) for end in ("start", "first", "end")}
    made |= {f"ts_{end}_ms": Column(f"ts_{end}_ms", moment) for end in ("start", "first", "end")}
    for name in ("cost", "tool_fees", "provider_cost", "adjusted", "hold", "baseline", "saved"):
        made[f"{name}_usd"] = Column(f"{name}_nanousd", dollars)
        made[f"{name}_nanousd"] = Column(f"{name}_nanousd", amount)
    made |= {name: Column(name, flag) for name in ("stream", "recovered")}
    made["role"] = Column("role", one_of(get_args(Role)))
    made["cache"] = Column("cache", one_of(get_args(CacheKind)))
    made["usage_source"] = Column("usage_source", one_of(get_args(UsageSource)))
    made["restates"] = Column("restates", one_of(get_args(Restates)))
    made["usage_flags"] = Column("usage_flags", flags)
    made["tags"] = Column("tags", tags)
    made["rates"] = Column("rates", rates)
    return made


COLUMNS = _columns()
IGNORED = frozenset({"kind", "chain", "origin", "charged_nanousd", "held"})
"""Columns of our own exports that an imported row has otherwise or not: it stands in no chain and charges no budget."""
COSTS = ("cost_usd", "cost_nanousd")
