"""What an import of a provider's reports says when it is done."""

from typing import Any

import click

from bascule.cli.import_.summary import HOW_TO_PRICE, names_text, payload, tell_bad
from bascule.cli.output import usd_fit
from bascule.cli.period import iso, iso_day, iso_second
from bascule.model.money import usd_text
from bascule.offline.imports.account import (
    CACHE_UNKNOWN,
    PRICE_CHANGED,
    SERVICE_TIER_UNKNOWN,
    TIER_UNKNOWN,
    WINDOW_UNKNOWN,
    Account,
)
from bascule.offline.imports.account_overlap import Overlap
from bascule.offline.imports.account_run import Summary

DOUBTS = {
    TIER_UNKNOWN: "long prompts are dearer there, and the report does not tell them apart: priced as short ones",
    SERVICE_TIER_UNKNOWN: "batch, priority and the like cost otherwise, and the report is not split by that: priced "
    "as standard",
    WINDOW_UNKNOWN: "the price depends on the time of day: priced as at the beginning",
    PRICE_CHANGED: "the price changed in between: priced as at the beginning",
    CACHE_UNKNOWN: "the report does not say how much of the input was cached: priced as if none was",
}


def account_payload(account: Account, summary: Summary, *, dry_run: bool) -> dict[str, Any]:
    """Stable keys: what every import says, then what an account's reports have beside."""
    made = payload(account.usage, summary.tally, dry_run=dry_run, unknown_columns=None)
    costs = summary.costs
    return made | {
        "requests": summary.requests,
        "provider_cost_usd": usd_text(summary.provider_nanousd),
        "costs": {
            "source": account.costs,
            "rows": costs.rows,
            "first": iso(costs.first_ms),
            "last": iso(costs.last_ms),
            "billed_usd": usd_text(costs.nanousd) if costs.rows else None,
        },
        "ambiguous": summary.ambiguous,
        "ambiguous_usd": usd_text(summary.ambiguous_nanousd),
        "left_out": summary.left_out,
        "excluded_rows": summary.excluded,
        "superseded_rows": summary.superseded,
        "overlap": {
            "spans": summary.overlap_spans,
            "usd": usd_text(summary.overlap_nanousd),
            "calls": [_overlap(one) for one in summary.overlaps],
        },
    }


def _overlap(one: Overlap) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "origin": one.origin,
        "calls": one.calls,
        "first": iso(one.first_ms),
        "last": iso(one.last_ms),
        "usd": usd_text(one.calls_nanousd),
        "unpriced_calls": one.unpriced_calls,
    }


def tell_account(account: Account, summary: Summary, *, dry_run: bool, live: bool) -> None:
    """The summary for a person; what is wrong goes to standard error."""
    tally, costs = summary.tally, summary.costs
    where = _many(tally.lines, "page") if live else _many(tally.files, "file")
    span = f", {iso_second(tally.first_ms)} to {iso_second(tally.last_ms)}" if tally.first_ms is not None else ""
    requests = "" if summary.requests is None else f" of {_many(summary.requests, 'request')}"
    click.echo(f"{account.usage}: {_many(tally.rows, 'row')}{requests} in {where}{span}")
    if dry_run:
        click.echo("A dry run: nothing was written.")
    else:
        click.echo(f"{tally.new:,} new, {tally.replaced:,} replaced, {tally.same:,} as they were")
    if tally.rows:
        cost = usd_fit(tally.known_cost_nanousd)
        charged = summary.provider_nanousd
        said = "" if charged is None else f"; {usd_fit(charged)} by the provider's own count"
        click.echo(f"{tally.tokens:,} tokens, {'cost unknown' if cost is None else f'{cost} at list price'}{said}")
    if costs.rows:
        click.echo(
            f"{account.costs}: {usd_fit(costs.nanousd)} billed in {_many(costs.rows, 'row')}, "
            f"{_days(costs.first_ms, costs.last_ms)}. Reports leave them out, as they restate usage: "
            f"`bascule report --origin {account.costs}` has them."
        )
    for note in _notes(account, summary):
        click.echo(note)
    tell_bad(tally)


def _notes(account: Account, summary: Summary) -> list[str]:
    tally = summary.tally
    notes = [
        f"{summary.ambiguous[flag]:,} rows: {said}." for flag, said in DOUBTS.items() if summary.ambiguous.get(flag)
    ]
    if tally.unknown_prices:
        notes.append(
            f"No price is known for {names_text(tally.unknown_prices)}: in no cost. {HOW_TO_PRICE} Where no model is "
            "named, split the report by model."
        )
    if tally.unknown_counts:
        notes.append(
            f"A count or the price of a service tier is unknown, so in no cost: {names_text(tally.unknown_counts)}."
        )
    if summary.left_out:
        notes.append(f"No usage of tokens, so left out: {names_text(summary.left_out)}.")
    if summary.excluded:
        notes.append(f"Left out of reports by --without: {_many(summary.excluded, 'row')}.")
    if summary.superseded:
        notes.append(
            f"Not counted any more, as the same reports came in another form: {_many(summary.superseded, 'row')}."
        )
    if tally.copies:
        notes.append(f"In several files, counted once: {_many(tally.copies, 'row')}.")
    if tally.outside:
        notes.append(f"Outside the period: {_many(tally.outside, 'row')}.")
    notes += _overlap_notes(account, summary)
    return notes


def _overlap_notes(account: Account, summary: Summary) -> list[str]:
    if not summary.overlaps:
        return []
    notes = [
        f"Overlap: {_many(one.calls, 'call')} from {one.origin}, {usd_fit(one.calls_nanousd)} at list price, "
        f"{_days(one.first_ms, one.last_ms)}."
        for one in summary.overlaps
    ]
    notes.append(
        f"The account has {usd_fit(summary.overlap_nanousd)} in the same {_spans(summary.overlap_spans)}. Reports "
        f"count the calls there, and the account elsewhere; `bascule report --origin {account.usage}` has all of the "
        "account. Where the calls go by a key or project of their own, import again with --without naming it; those on "
        "a subscription belong under `contracts`."
    )
    return notes


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _spans(count: int) -> str:
    return "span" if count == 1 else f"{count:,} spans"


def _days(first_ms: int | None, last_ms: int | None) -> str:
    first, last = iso_day(first_ms), iso_day(last_ms)
    return f"on {first}" if first == last else f"{first} to {last}"
