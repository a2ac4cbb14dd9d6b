"""Contracts and what is paid, as documents: money as decimal strings of dollars, unknown as null."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from bascule.config.shape import Contract
from bascule.model.money import usd_text
from bascule.offline.contract_state import ContractState, Pot
from bascule.offline.moment import iso_time
from bascule.offline.paid import Paid, PaidReport
from bascule.offline.plan_or_metered import Client, Compared, Line

PAID_KEYS = ("effective_usd", "marginal_usd", "on_plan_list_usd")


def paid_keys(paid: Paid | None) -> dict[str, Any]:
    """What a group of a report says beside its list price (`cost_usd`); without any cost nulls."""
    found = Paid() if paid is None else paid
    return {
        "effective_usd": usd_text(found.effective_nanousd),
        "marginal_usd": usd_text(found.marginal_nanousd),
        "on_plan_list_usd": usd_text(found.on_plan_nanousd),
    }


def paid_payload(made: PaidReport, contracts: Sequence[Contract]) -> dict[str, Any]:
    """`effective_usd` and `fixed_usd` come to `paid_usd`, without what was used on plans that no contract tells."""
    return {
        "fees_since": iso_time(made.since_ms),
        "fees_until": iso_time(made.until_ms),
        "list_usd": usd_text(made.total.list_nanousd),
        **paid_keys(made.total),
        "fixed_usd": usd_text(made.fixed_nanousd),
        "paid_usd": usd_text(made.paid_nanousd),
        "fixed": [
            {
                "contract": line.contract,
                "provider": contracts[line.contract].provider,
                "what": line.what,
                "usd": usd_text(line.nanousd),
            }
            for line in made.fixed
        ],
        "warnings": list(made.warnings),
    }


def state_payload(found: ContractState) -> dict[str, Any]:
    contract = found.contract
    return {
        "contract": found.place,
        "provider": contract.provider,
        "covers": list(contract.covers),
        "from": iso_time(contract.from_ms),
        "to": iso_time(contract.to_ms),
        "state": found.state,
        "discount": contract.discount,
        "seats": contract.seats,
        "usd_per_seat_month": usd_text(contract.seat_month_nanousd),
        "provisioned_units": contract.provisioned_units,
        "usd_per_unit_hour": usd_text(contract.unit_hour_nanousd),
        "cost_usd": usd_text(found.cost_nanousd),
        "list_usd": usd_text(found.list_nanousd),
        "saved_usd": usd_text(found.saved_nanousd),
        "unpriced_attempts": found.unpriced_attempts,
        "fee_usd": usd_text(found.fee_nanousd),
        "idle_usd": usd_text(found.idle_nanousd),
        "seat_use": number(found.seat_use),
        "list_over_fee": number(found.fee_use),
        "people": [{"from": iso_time(start), "people": people} for start, people in found.people_seats],
        "commitment": next((_pot(pot) for pot in found.pots if pot.kind == "commitment"), None),
        "credit": next((_pot(pot) for pot in found.pots if pot.kind == "credit"), None),
    }


def _pot(pot: Pot) -> dict[str, Any]:
    return {
        "usd": usd_text(pot.nanousd),
        "drawn_usd": usd_text(pot.drawn_nanousd),
        "left_usd": usd_text(pot.left_nanousd),
        "pace_usd": usd_text(pot.pace_nanousd),
        "pace_days": number(pot.pace_days),
        "runs_out": iso_time(pot.runs_out_ms),
        "unused_at_end_usd": usd_text(pot.unused_at_end_nanousd),
    }


def client_payload(found: Client) -> dict[str, Any]:
    """A plan against the meter: by person and month, by person, and in all."""
    return {
        "client": found.client,
        "usd_per_seat_month": usd_text(found.fee_nanousd),
        "months": [_line(line) for line in found.lines],
        "people": [{"user": user, **_compared(one)} for user, one in found.people.items()],
        "all_metered_usd": usd_text(found.all_metered_nanousd),
        "all_plan_usd": usd_text(found.all_plan_nanousd),
        "best_of_both_usd": usd_text(found.best_nanousd),
        "cheapest": found.cheapest,
    }


def _line(line: Line) -> dict[str, Any]:
    return {"user": line.user, "month": line.month, "part_of_month": number(line.part), **_compared(line.compared)}


def _compared(one: Compared) -> dict[str, Any]:
    return {
        "metered_usd": usd_text(one.metered_nanousd),
        "plan_usd": usd_text(one.plan_nanousd),
        "cheaper": one.cheaper,
        "sessions": one.sessions,
        "tokens": one.tokens,
        "unpriced_attempts": one.unpriced_attempts,
        "break_even": number(one.break_even),
        "break_even_sessions": number(one.break_even_sessions),
        "break_even_tokens": one.break_even_tokens,
    }


def number(value: Fraction | None) -> float | None:
    """A share or a multiple, to six places."""
    return None if value is None else round(float(value), 6)
