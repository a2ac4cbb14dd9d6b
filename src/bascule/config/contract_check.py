"""Contracts that cannot be meant: what they say does not come to an amount of money, or says it twice."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from bascule.config.places import Path, Places
from bascule.config.shape import Contract
from bascule.model.money import NANO_PER_USD

_TERMS = (
    "discount", "credit_nanousd", "commitment_nanousd", "seats", "seat_month_nanousd", "provisioned_units",
    "unit_hour_nanousd",
)  # fmt: skip
_PAIRS = (
    ("seats", "seats", "seat_month_nanousd", "usd_per_seat_month"),
    ("provisioned_units", "provisioned_units", "unit_hour_nanousd", "usd_per_unit_hour"),
)
"""What means nothing without the other: field and key of both."""


_MILLIONTH = Decimal("0.000001")


class ContractMistake(Struct, frozen=True):
    path: Path
    what: str
    remedy: str


def contract_mistakes(contracts: Sequence[Contract], places: Places) -> Iterator[ContractMistake]:
    """Everything that is wrong with contracts by themselves, in their order."""
    for index, contract in enumerate(contracts):
        path: Path = ("contracts", index)
        if all(getattr(contract, name) is None for name in _TERMS):
            mend = "Add discount, credit_usd, commitment_usd, seats with usd_per_seat_month, or provisioned_units"
            yield ContractMistake(path, "the contract says nothing of what is paid", mend)
        yield from _halves(path, contract)
        yield from _days(path, contract)
        yield from _twice(path, contract, contracts[:index], places)
        yield from _seats_twice(path, contract, contracts[:index], places)


def _halves(path: Path, contract: Contract) -> Iterator[ContractMistake]:
    for one_field, one, other_field, other in _PAIRS:
        has_one, has_other = getattr(contract, one_field) is not None, getattr(contract, other_field) is not None
        if has_one and not has_other:
            yield ContractMistake((*path, one), f"`{one}` without `{other}`", f"Add {other}, which may be 0")
        if has_other and not has_one:
            yield ContractMistake((*path, other), f"`{other}` without `{one}`", f"Add {one}: how many are paid")


def _days(path: Path, contract: Contract) -> Iterator[ContractMistake]:
    first, last = contract.from_ms, contract.to_ms
    if contract.commitment_nanousd is not None and (first is None or last is None):
        mend = "Add `from` and `to`: it is drawn down between them, and what is left is paid on the last day"
        yield ContractMistake((*path, "commitment_usd"), "a commitment without its first and last day", mend)
    if contract.credit_nanousd is not None and first is None:
        mend = "Add `from`: use from that day on draws it down"
        yield ContractMistake((*path, "credit_usd"), "a credit without its first day", mend)
    if first is not None and last is not None and last < first:
        mend = "Exchange them, or mend the one that is mistyped; both days count"
        yield ContractMistake((*path, "to"), "`to` is before `from`", mend)


def _twice(path: Path, contract: Contract, before: Sequence[Contract], places: Places) -> Iterator[ContractMistake]:
    """A discount that another one keeps from ever applying, or says differently."""
    if contract.discount is None:
        return
    for index, other in enumerate(before):
        if other.discount is None or other.provider != contract.provider or not _meet(other, contract):
            continue
        where = places.where(("contracts", index))
        at: Path = (*path, "discount")
        if set(other.covers) == set(contract.covers):
            what = f"a second discount of `{contract.provider}` for the same at the same time; the first is at {where}"
            yield ContractMistake(at, what, "Keep one, give them days that do not overlap, or different `covers`")
            return
        if not other.covers:
            what = f"never applies: the discount at {where} covers all of `{contract.provider}` and comes first"
            yield ContractMistake(at, what, "Put the one with `covers` first")
            return


def _seats_twice(
    path: Path, contract: Contract, before: Sequence[Contract], places: Places
) -> Iterator[ContractMistake]:
    """Seats that nobody could sit on: nothing says who has which plan, so the first one's seats take everybody."""
    if contract.seats is None:
        return
    for index, other in enumerate(before):
        if other.seats is None or other.provider != contract.provider or not _meet(other, contract):
            continue
        if not other.covers or (contract.covers and set(contract.covers) <= set(other.covers)):
            where = places.where(("contracts", index))
            what = f"a second seat plan of `{contract.provider}` for the same at the same time; the first is at {where}"
            yield ContractMistake((*path, "seats"), what, _as_one(other, contract))
            return


def _as_one(one: Contract, other: Contract) -> str:
    """How two plans are written as one that costs the same."""
    mend = "Nothing says who has which plan: write one contract with the seats of both"
    seats = (one.seats or 0) + (other.seats or 0)
    fees = [(each.seats or 0) * each.seat_month_nanousd for each in (one, other) if each.seat_month_nanousd is not None]
    if not seats or len(fees) < 2:
        return mend
    mean = Decimal(sum(fees)) / seats / NANO_PER_USD
    return f"{mend}, seats: {seats}, usd_per_seat_month: {mean.quantize(_MILLIONTH).normalize():f}"


def _meet(one: Contract, other: Contract) -> bool:
    """Whether a day belongs to both."""
    return _not_after(one.from_ms, other.to_ms) and _not_after(other.from_ms, one.to_ms)


def _not_after(first: int | None, last: int | None) -> bool:
    return first is None or last is None or first <= last
