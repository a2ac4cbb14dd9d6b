"""What two price lists say of the same models. Pure.

Standard prices are compared: of the lowest tier, outside daily windows, at one moment each. A price that only one side
has is no difference: flat lists leave out what they do not know. It is counted, where it is the other side's.
"""

from collections.abc import Collection
from typing import NamedTuple

from msgspec import Struct

from bascule.decide.price import period_at
from bascule.model.money import PricePeriod, PriceTimeline, Rates
from bascule.prices.book import BookEntry, PriceBook

RATE_NAMES = Rates.__struct_fields__


class Side(NamedTuple):
    """A price list at a moment. `dated`: it knows prices of other days than that of its writing."""

    name: str
    book: PriceBook
    at_ms: int
    dated: bool = True


class RateChange(Struct, frozen=True):
    """One rate that both sides have, in pico-USD."""

    rate: str
    before: int
    after: int

    @property
    def change(self) -> float | None:
        """As a share of the price before; None from nothing."""
        return None if self.before == 0 else self.after / self.before - 1

    @property
    def fold(self) -> float | None:
        """How many times apart, whichever is the larger; None where one of them is 0."""
        low, high = sorted((self.before, self.after))
        return high / low if low else None


class ModelDiff(Struct, frozen=True, kw_only=True):
    """A model that both sides price, differently."""

    provider: str
    model: str
    """As the second side calls it."""
    known_as: str
    """As the first one does."""
    changes: tuple[RateChange, ...]
    gained: tuple[str, ...] = ()
    """Rates that only the second side has."""
    tiers_differ: bool = False

    @property
    def widest(self) -> float:
        """The largest of the changes as a share, whichever way; infinite from or to nothing."""
        shares = [abs(one.change) if one.change is not None else float("inf") for one in self.changes]
        return max(shares, default=0.0)


class PricesDiff(Struct, frozen=True, kw_only=True):
    """All of it, largest change first."""

    same: int
    """Models of the first side."""
    changed: tuple[ModelDiff, ...]
    ambiguous: tuple[tuple[str, str], ...]
    """Names of the second side that mean one model of the first at different prices: (provider, name)."""
    only_before: tuple[tuple[str, str], ...]
    """Of providers that both sides have."""
    only_after: tuple[tuple[str, str], ...]
    providers_only_before: tuple[str, ...]
    providers_only_after: tuple[str, ...]


def prices_diff(
    before: Side, after: Side, *, providers: Collection[str] = (), models: Collection[str] = ()
) -> PricesDiff:
    """Every model of the providers that both have; `providers` and `models` restrict it (all where empty)."""
    ours, theirs = set(before.book.providers), set(after.book.providers)
    wanted = set(providers) or ours | theirs
    found: dict[tuple[str, str], dict[str, ModelDiff | None]] = {}
    new, gone = [], []
    for provider in sorted(ours & theirs & wanted):
        by_id = {entry.id: entry for entry in before.book.models_of(provider)}
        for entry in after.book.models_of(provider):
            known = by_id.get(entry.id) or before.book.entry(provider, entry.id)
            if models and entry.id not in models and (known is None or known.id not in models):
                continue
            new_period = _period(entry, after.at_ms)
            old_period = None if known is None else _period(known, before.at_ms)
            if new_period is None:
                continue
            if known is None or old_period is None:
                new.append((provider, entry.id))
            else:
                diff = _model_diff(provider, entry.id, known.id, old_period, new_period)
                found.setdefault((provider, known.id), {})[entry.id] = diff
        gone += [
            (provider, entry.id)
            for entry in by_id.values()
            if (provider, entry.id) not in found
            and (not models or entry.id in models)
            and _period(entry, before.at_ms) is not None
            and after.book.entry(provider, entry.id) is None
        ]
    changed, ambiguous, same = _settled(found)
    return PricesDiff(
        same=same,
        changed=tuple(sorted(changed, key=lambda one: (-one.widest, one.provider, one.model))),
        ambiguous=tuple(ambiguous),
        only_before=tuple(gone),
        only_after=tuple(new),
        providers_only_before=tuple(sorted((ours - theirs) & wanted)),
        providers_only_after=tuple(sorted((theirs - ours) & wanted)),
    )


def _settled(
    found: dict[tuple[str, str], dict[str, ModelDiff | None]],
) -> tuple[list[ModelDiff], list[tuple[str, str]], int]:
    """One answer for each model of the first side: of its own name on the second, else of all that mean it if they
    agree. Names that say otherwise are ambiguous: the first side cannot tell them apart."""
    changed, ambiguous, same = [], [], 0
    for (provider, known_id), by_name in found.items():
        first = next(iter(by_name.values()))
        answer = by_name.get(known_id, first)
        others = [name for name, diff in by_name.items() if _changes(diff) != _changes(answer)]
        ambiguous += [(provider, name) for name in others]
        if others and known_id not in by_name:
            ambiguous += [(provider, name) for name in by_name if name not in others]
        elif answer is None:
            same += 1
        else:
            changed.append(answer)
    return changed, ambiguous, same


def _changes(diff: ModelDiff | None) -> tuple[RateChange, ...]:
    return () if diff is None else diff.changes


def compare_periods(
    provider: str, model: str, before: PriceTimeline, before_ms: int, after: PriceTimeline, after_ms: int
) -> ModelDiff | None:
    """Two timelines of one model; None where they say the same, or one of them nothing, at its moment."""
    old, new = period_at(before, before_ms), period_at(after, after_ms)
    return None if old is None or new is None else _model_diff(provider, model, model, old, new)


def rate_changes(before: Rates, after: Rates) -> tuple[RateChange, ...]:
    """The rates that both have and that differ."""
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in RATE_NAMES]
    return tuple([RateChange(name, old, new) for name, old, new in pairs if None not in (old, new) and old != new])


def _model_diff(provider: str, model: str, known_as: str, old: PricePeriod, new: PricePeriod) -> ModelDiff | None:
    changes = rate_changes(old.rates, new.rates)
    tiers_differ = bool(old.tiers and new.tiers and old.tiers != new.tiers) and _tiers_conflict(old, new)
    if not changes and not tiers_differ:
        return None
    gained = [name for name in RATE_NAMES if getattr(old.rates, name) is None and getattr(new.rates, name) is not None]
    return ModelDiff(
        provider=provider,
        model=model,
        known_as=known_as,
        changes=changes,
        gained=tuple(gained),
        tiers_differ=tiers_differ,
    )


def _tiers_conflict(old: PricePeriod, new: PricePeriod) -> bool:
    """Whether the edges differ, or a rate that both have above one of them."""
    if [tier.above_input_tokens for tier in old.tiers] != [tier.above_input_tokens for tier in new.tiers]:
        return True
    return any(rate_changes(a.rates, b.rates) for a, b in zip(old.tiers, new.tiers, strict=True))


def _period(entry: BookEntry, at_ms: int) -> PricePeriod | None:
    return None if entry.timeline is None else period_at(entry.timeline, at_ms)
