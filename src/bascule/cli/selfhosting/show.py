"""The cost of own accelerators as a few tables and sentences."""

from fractions import Fraction

import click

from bascule.cli.amounts import count, dollars, dollars_span, percent, percent_span
from bascule.cli.output import print_table
from bascule.cli.selfhosting.sources import Counted
from bascule.offline.measure import Measured
from bascule.offline.quantity import rounded
from bascule.offline.selfhost import AtVolume, BreakEven, Cheaper
from bascule.offline.selfhost_payload import Api, Verdict, month_of

SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"))


def show(
    found: Verdict, today: tuple[int, int], measured: Measured | None, counted: Counted | None, quantised: str | None
) -> None:
    if measured is not None:
        click.echo(
            f"Measured: {measured.requests} requests in {rounded(measured.seconds, 2)} s, "
            f"{count(measured.tokens_per_second)} tokens per second of input and output, "
            f"{count(measured.output_tokens_per_second)} of them output."
        )
    if counted is not None:
        unknown = f", {counted.uncounted} of them without known usage and in no sum" if counted.uncounted else ""
        click.echo(f"Volume from the ledger: {counted.attempts:,} attempts in {count(counted.days)} days{unknown}.")
    _per_mtok(found, quantised)
    if found.api is not None:
        _against(found, found.api)
    if found.at_volume is not None:
        _at_volume(found, found.at_volume)
    if found.cheaper is not None:
        click.echo(_by_date(found.cheaper, today))
    elif found.years.volume_growth is not None or found.years.price_change is not None:
        click.echo(f"No month can be told without {' and '.join(found.unknown)}.")


def _per_mtok(found: Verdict, quantised: str | None) -> None:
    fleet = found.fleet
    rows = [("full load", "100 %", _price(fleet.usd_per_mtok(Fraction(1))), tokens(_capacity(found, Fraction(1))))]
    if found.utilisation is not None and found.utilisation != 1:
        rows.append(
            (
                "as planned",
                percent(found.utilisation) or "",
                _price(fleet.usd_per_mtok(found.utilisation)),
                tokens(_capacity(found, found.utilisation)),
            )
        )
    print_table(("own hours", "utilisation", "USD per million tokens", "tokens a month"), rows)
    standing = f" and {fleet.redundancy} standing by" if fleet.redundancy else ""
    faster = f" x {count(fleet.speedup)}" if fleet.speedup != 1 else ""
    faster += f" ({quantised})" if quantised else ""
    nodes = f"{fleet.replicas} node{'s' if fleet.replicas > 1 else ''}{standing}"
    click.echo(
        f"{nodes} at {dollars(fleet.usd_per_hour)} an hour, {count(fleet.tokens_per_second)} tokens per second "
        f"each{faster}: {dollars(fleet.usd(fleet.replicas))} a month of {count(fleet.hours_per_month)} hours, used or "
        "not."
    )
    if found.utilisation is None:
        click.echo("Nothing runs at full load: give --utilisation for what is planned.")


def _capacity(found: Verdict, utilisation: Fraction) -> Fraction:
    fleet = found.fleet
    return fleet.node_tokens / fleet.utilisation * utilisation * fleet.replicas


def _against(found: Verdict, api: Api) -> None:
    share = "any share of output" if api.output_share is None else f"{percent_span(api.output_share)} output"
    click.echo(f"\n{api.name}: {dollars_span(api.usd_per_mtok)} per million tokens at {share}.")
    assert found.break_evens is not None
    low, high = found.break_evens
    if low is None:
        click.echo("Own hours never break even: not even full nodes at the planned utilisation reach that price.")
    elif high == low:
        click.echo(f"Own hours break even from {_volume(low)}.")
    elif high is None:
        click.echo(f"Own hours break even from {_volume(low)} at its dearest, and never at its cheapest.")
    else:
        click.echo(f"Own hours break even from {_volume(low)} at its dearest, from {_volume(high)} at its cheapest.")


def _volume(at: BreakEven) -> str:
    return f"{tokens(at.tokens)} tokens a month ({at.nodes} node{'s' if at.nodes > 1 else ''})"


def _at_volume(found: Verdict, volume: AtVolume) -> None:
    standing = f" + {found.fleet.redundancy}" if found.fleet.redundancy else ""
    click.echo(
        f"\nAt {tokens(volume.tokens)} tokens a month: {volume.nodes}{standing} node{'s' if volume.nodes > 1 else ''}, "
        f"{percent(volume.utilisation)} used, {dollars(volume.usd)} a month, {_price(volume.usd_per_mtok)} per million"
        + (f"; the API {dollars_span(volume.api_usd)}." if volume.api_usd is not None else ".")
    )


def _by_date(cheaper: tuple[Cheaper, Cheaper], today: tuple[int, int]) -> str:
    best, worst = cheaper
    said = f"With the stated changes a year, own hours {_months(best, today)}"
    return f"{said}." if best == worst else f"{said} at best; at worst they {_months(worst, today)}."


def _months(cheaper: Cheaper, today: tuple[int, int]) -> str:
    if cheaper.since is None:
        return "cost more for the next ten years"
    since = "now" if cheaper.since == 0 else month_of(today, cheaper.since)
    return f"pay from {since} on" + ("" if cheaper.until is None else f", until {month_of(today, cheaper.until)}")


def _price(usd_per_mtok: Fraction) -> str:
    """To a tenth of a cent, as such prices are published."""
    return f"${rounded(usd_per_mtok, 3):,}"


def tokens(number: Fraction) -> str:
    """`3.68 billion`."""
    for scale, word in SCALES:
        if number >= scale:
            return f"{rounded(number / scale, 2)} {word}"
    return count(number) or ""
