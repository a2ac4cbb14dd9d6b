"""Trials and money as tables and JSON."""

from typing import Any

import click

from bascule.cli.evidencing.reading import Book, current, state_of
from bascule.cli.output import print_table, usd_fit
from bascule.cli.period import iso
from bascule.decide.promotion.trial import SERVING, Costs, trial_id
from bascule.model.money import usd_text
from bascule.offline.evidence import RouteMoney
from bascule.ports import KeptTrial

SHORT = 8
"""Letters of a trial's id in a table."""
COLUMNS = (
    "trial", "route", "task", "incumbent", "challenger", "state", "sessions", "difference", "95 % interval",
    "e-value", "of", "alpha", "alarm", "evidence cost",
)  # fmt: skip


def show(book: Book, money: list[RouteMoney]) -> None:
    """What a manager reads: who serves, on which evidence, at which error rate, and what that saves."""
    if not book.trials:
        click.echo("Nothing has been compared yet: a route's first request opens a trial, and the next ones fill it.")
        return
    print_table(COLUMNS, [_cells(book, kept) for kept in book.trials], optional=("alarm", "of", "evidence cost"))
    serving = [kept for kept in book.trials if kept.trial.state in SERVING and kept.trial.pinned_by is None]
    if not serving:
        click.echo("\nNothing is promoted: the incumbents serve everything.")
    for one in money:
        click.echo(_said(one))


def _cells(book: Book, kept: KeptTrial) -> list[object]:
    key, seen = kept.trial.key, current(book, kept)
    watched = kept.trial.state in SERVING and seen.watched_sessions > 0
    difference = seen.watched_difference if watched else seen.difference
    low, high = (seen.watched_low, seen.watched_high) if watched else (seen.low, seen.high)
    interval = None if low is None or high is None else f"{low:+.3f} … {high:+.3f}"
    return [
        kept.trial_id[:SHORT],
        key.route,
        key.task,
        key.incumbent,
        key.challenger,
        state_of(book, kept),
        seen.watched_sessions if watched else seen.sessions,
        None if difference is None else f"{difference:+.3f}",
        interval,
        _short(seen.e_value),
        f"{seen.e_needed:.3g}",
        f"{seen.alpha:.3g}",
        f"{seen.alarm_level / seen.alarm_at:.1%}",
        usd_fit(_evidence(seen.costs)),
    ]


def _evidence(costs: Costs) -> int:
    return costs.shadow_nanousd + costs.judge_nanousd


def _short(e_value: float) -> str:
    return f"{e_value:.2f}" if e_value < 1_000 else f"{e_value:.1e}"


def _said(money: RouteMoney) -> str:
    cost = usd_fit(money.evidence_nanousd)
    place = f"{money.route}, {money.task}"
    if money.since_ms is None:
        return f"{place}: nobody was promoted, so nothing is saved; evidence has cost {cost}."
    parts = f"{money.routed.sessions} sessions routed, {money.held.sessions} held out since {iso(money.since_ms)}"
    unknown = f"; {money.unknown_costs} attempts of unknown cost are left out" if money.unknown_costs else ""
    found = money.saving
    if found is None:
        return f"{place}: {parts}: too few to say what is saved (30 of each tell); evidence has cost {cost}{unknown}."
    low, high = usd_fit(found.low_nanousd), usd_fit(found.high_nanousd)
    return (
        f"{place}: saved {usd_fit(found.nanousd)} ({low} to {high} at 95 %), evidence's {cost} paid; {parts}{unknown}."
    )


def trial_payload(book: Book, kept: KeptTrial) -> dict[str, Any]:
    trial, seen = kept.trial, current(book, kept)
    return {
        "trial": kept.trial_id,
        "route": trial.key.route,
        "task": trial.key.task,
        "incumbent": trial.key.incumbent,
        "challenger": trial.key.challenger,
        "incumbent_snapshot": trial.key.incumbent_snapshot,
        "challenger_snapshot": trial.key.challenger_snapshot,
        "prompt": trial.key.fingerprint,
        "state": trial.state,
        "shown_state": state_of(book, kept),
        "since": iso(trial.since_ms),
        "pinned_by": trial.pinned_by,
        "approved_by": trial.approved_by,
        "sessions": seen.sessions,
        "pairs": seen.pairs,
        "missing_pairs": seen.missing,
        "difference": seen.difference,
        "difference_low": seen.low,
        "difference_high": seen.high,
        "e_value": seen.e_value,
        "e_needed": seen.e_needed,
        "margin": seen.margin,
        "alpha": seen.alpha,
        "watched_sessions": seen.watched_sessions,
        "watched_difference": seen.watched_difference,
        "watched_low": seen.watched_low,
        "watched_high": seen.watched_high,
        "alarm_level": seen.alarm_level,
        "alarm_at": seen.alarm_at,
        "judge_labels": seen.judge_labels,
        "judge_error_high": seen.judge_error_high,
        "shadow_usd": usd_text(seen.costs.shadow_nanousd),
        "judge_usd": usd_text(seen.costs.judge_nanousd),
    }


def money_payload(money: RouteMoney) -> dict[str, Any]:
    found = money.saving
    return {
        "route": money.route,
        "task": money.task,
        "since": iso(money.since_ms),
        "routed_sessions": money.routed.sessions,
        "held_out_sessions": money.held.sessions,
        "evidence_usd": usd_text(money.evidence_nanousd),
        "saved_usd": None if found is None else usd_text(found.nanousd),
        "saved_low_usd": None if found is None else usd_text(found.low_nanousd),
        "saved_high_usd": None if found is None else usd_text(found.high_nanousd),
        "unknown_costs": money.unknown_costs,
    }


def named(kept: KeptTrial) -> str:
    key = kept.trial.key
    assert kept.trial_id == trial_id(key)
    return f"{key.challenger} against {key.incumbent} at {key.task} of {key.route} ({kept.trial_id[:SHORT]})"
