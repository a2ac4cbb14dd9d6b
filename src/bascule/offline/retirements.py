"""Which models end, when, and what their successors cost. Pure."""

from collections.abc import Callable, Iterable
from datetime import date

from msgspec import Struct

from bascule.model.money import Rates
from bascule.offline.catalog import Line
from bascule.offline.dimensions import blended_rate

Priced = Callable[[Line, str], Rates | None]
"""The rates of a model of this name at a line's provider; None where they are not known."""


class Retirement(Struct, frozen=True, kw_only=True):
    """A model with an announced end. Folds are the successor's price over its own; None is unknown."""

    model: str
    provider: str
    declared: bool
    """It stands in the configuration: somebody here asks for it."""
    retires: str | None
    """ISO date; None where only its deprecation is known."""
    days_left: int | None
    """Negative once it has gone."""
    successor: str | None
    rates: Rates | None
    successor_rates: Rates | None
    source: str | None

    @property
    def input_fold(self) -> float | None:
        return _fold(self, "input")

    @property
    def output_fold(self) -> float | None:
        return _fold(self, "output")

    @property
    def blended_fold(self) -> float | None:
        old, new = blended_rate(self.rates), blended_rate(self.successor_rates)
        return None if not old or new is None else new / old


def retirements(
    lines: Iterable[Line], priced: Priced, today: date, *, within_days: int | None, gone: bool = False
) -> tuple[Retirement, ...]:
    """Lines with an announced end within so many days (None: at any time), soonest first.

    What has ended already is left out unless `gone`, but for declared models: those are still asked for. Without a
    date, at the end and where `within_days` is None: deprecated models that are declared or have a successor.
    """
    found = []
    for line in lines:
        if line.retires is None and not (
            within_days is None and line.deprecated and (line.declared or line.successor is not None)
        ):
            continue
        days = None if line.retires is None else (date.fromisoformat(line.retires) - today).days
        if days is not None and (
            (within_days is not None and days > within_days) or (days < 0 and not gone and not line.declared)
        ):
            continue
        found.append(
            Retirement(
                model=line.model,
                provider=line.provider,
                declared=line.declared,
                retires=line.retires,
                days_left=days,
                successor=line.successor,
                rates=line.rates,
                successor_rates=None if line.successor is None else priced(line, line.successor),
                source=line.facts_source,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.retires is None, one.retires or "", one.provider, one.model)))


def _fold(one: Retirement, name: str) -> float | None:
    if one.rates is None or one.successor_rates is None:
        return None
    old, new = getattr(one.rates, name), getattr(one.successor_rates, name)
    return None if not old or new is None else float(new / old)
