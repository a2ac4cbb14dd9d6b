"""Contracts in words, for tables and notes."""

from collections.abc import Sequence
from fractions import Fraction

from bascule.cli.amounts import dollars, percent
from bascule.cli.period import iso_day
from bascule.config.shape import Contract
from bascule.model.money import NANO_PER_USD


def money(nanousd: int | None) -> str | None:
    """`$1,234.50`; below a dollar the digits that count; None stays None."""
    return None if nanousd is None else dollars(Fraction(nanousd, NANO_PER_USD))


def contract_words(contract: Contract) -> str:
    """`anthropic: 40 seats at $100.00 for claude-code`."""
    said = []
    if contract.seats is not None:
        said.append(f"{counted(contract.seats, 'seat')} at {money(contract.seat_month_nanousd)}")
    if contract.provisioned_units is not None:
        said.append(f"{counted(contract.provisioned_units, 'unit')} at {money(contract.unit_hour_nanousd)} an hour")
    if contract.commitment_nanousd is not None:
        said.append(f"commitment of {money(contract.commitment_nanousd)}")
    if contract.credit_nanousd is not None:
        said.append(f"credit of {money(contract.credit_nanousd)}")
    if contract.discount is not None:
        said.append(f"{percent(Fraction(str(contract.discount)))} off")
    covers = f" for {named(contract.covers)}" if contract.covers else ""
    return f"{contract.provider}: {', '.join(said)}{covers}"


def counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def named(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def percent_of(part: Fraction | None) -> str | None:
    """In tenths of a per cent."""
    return None if part is None else percent(round(part, 3))


def last_day(until_ms: int | None) -> str | None:
    """The last day before a moment."""
    return iso_day(None if until_ms is None else until_ms - 1)
