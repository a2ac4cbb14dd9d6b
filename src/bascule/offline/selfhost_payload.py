"""What own accelerators cost, worked out from a fleet and what it is compared with, and as a document."""

from fractions import Fraction
from typing import Any

from msgspec import Struct

from bascule.offline.measure import Measured
from bascule.offline.quantity import ENDS, Span, number_text, span_payload, usd_text_of
from bascule.offline.selfhost import (
    AtVolume,
    BreakEven,
    Cheaper,
    Fleet,
    at_volume,
    blended_usd_per_mtok,
    break_even,
    cheaper_when,
)


class Api(Struct, frozen=True, kw_only=True):
    """What the fleet is compared with, in USD per million tokens."""

    name: str
    price_input: Fraction
    price_output: Fraction
    output_share: Span | None = None
    """Of all tokens; None is unknown."""

    @property
    def usd_per_mtok(self) -> Span:
        return blended_usd_per_mtok(self.price_input, self.price_output, self.output_share)


class Years(Struct, frozen=True, kw_only=True):
    """How volume and API price change every year; None is unknown."""

    volume_growth: Span | None = None
    price_change: Span | None = None


class Verdict(Struct, frozen=True, kw_only=True):
    fleet: Fleet
    utilisation: Fraction | None
    """As stated; None: nobody has."""
    api: Api | None = None
    tokens: Fraction | None = None
    years: Years = Years()

    @property
    def break_evens(self) -> tuple[BreakEven | None, BreakEven | None] | None:
        """At the dearest the API may be, and at the cheapest."""
        if self.api is None:
            return None
        price = self.api.usd_per_mtok
        return break_even(self.fleet, price.high), break_even(self.fleet, price.low)

    @property
    def at_volume(self) -> AtVolume | None:
        if self.tokens is None:
            return None
        return at_volume(self.fleet, self.tokens, None if self.api is None else self.api.usd_per_mtok)

    @property
    def cheaper(self) -> tuple[Cheaper, Cheaper] | None:
        """If everything favours the fleet, and if nothing does; None where something is not known."""
        growth, change = self.years.volume_growth, self.years.price_change
        if self.api is None or self.tokens is None or growth is None or change is None:
            return None
        price = self.api.usd_per_mtok
        best, worst = [
            cheaper_when(self.fleet, self.tokens, price.at(end), growth.at(end), change.at(end))
            for end in reversed(ENDS)
        ]
        return best, worst

    @property
    def unknown(self) -> tuple[str, ...]:
        """What is missing for a date."""
        wanted = {
            "the API's price": self.api,
            "the volume": self.tokens,
            "the growth of the volume": self.years.volume_growth,
            "the change of the API's price": self.years.price_change,
        }
        return tuple([name for name, value in wanted.items() if value is None])


def month_of(year_month: tuple[int, int], months: int) -> str:
    """`2027-03`: so many months after a year and month."""
    count = year_month[0] * 12 + year_month[1] - 1 + months
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


def selfhost_payload(found: Verdict, today: tuple[int, int], measured: Measured | None) -> dict[str, Any]:
    fleet, volume = found.fleet, found.at_volume
    return {
        "usd_per_hour": number_text(fleet.usd_per_hour),
        "tokens_per_second": number_text(fleet.tokens_per_second),
        "speedup": number_text(fleet.speedup),
        "replicas": fleet.replicas,
        "redundancy": fleet.redundancy,
        "hours_per_month": number_text(fleet.hours_per_month),
        "utilisation": number_text(found.utilisation),
        "usd_per_mtok": number_text(fleet.usd_per_mtok(Fraction(1))),
        "usd_per_mtok_at_utilisation": None
        if found.utilisation is None
        else number_text(fleet.usd_per_mtok(found.utilisation)),
        "fixed_per_month_usd": usd_text_of(fleet.usd(fleet.replicas)),
        "capacity_tokens_per_month": number_text(fleet.node_tokens * fleet.replicas),
        "measured": None if measured is None else measured_payload(measured),
        "against": None if found.api is None else api_payload(found.api),
        "break_even": None if found.break_evens is None else _break_even_payload(found),
        "volume": None if volume is None else _volume_payload(volume),
        "by_date": _date_payload(found, today),
    }


def measured_payload(measured: Measured) -> dict[str, Any]:
    return {
        "requests": measured.requests,
        "seconds": number_text(measured.seconds),
        "tokens_in": measured.tokens_in,
        "tokens_out": measured.tokens_out,
        "tokens_per_second": number_text(measured.tokens_per_second),
        "output_tokens_per_second": number_text(measured.output_tokens_per_second),
        "output_share": number_text(measured.output_share),
    }


def api_payload(api: Api) -> dict[str, Any]:
    return {
        "model": api.name,
        "input_usd_per_mtok": number_text(api.price_input),
        "output_usd_per_mtok": number_text(api.price_output),
        **span_payload("output_share", api.output_share, ""),
        **span_payload("usd_per_mtok", api.usd_per_mtok, ""),
    }


def _break_even_payload(found: Verdict) -> dict[str, Any]:
    """`low`: at the dearest the API may be, `high`: at the cheapest; null: never, however large the volume."""
    assert found.break_evens is not None
    low, high = found.break_evens
    return {
        "tokens_per_month": number_text(low.tokens) if low is not None and low == high else None,
        "tokens_per_month_low": None if low is None else number_text(low.tokens),
        "tokens_per_month_high": None if high is None else number_text(high.tokens),
        "nodes_low": None if low is None else low.nodes,
        "nodes_high": None if high is None else high.nodes,
    }


def _volume_payload(volume: AtVolume) -> dict[str, Any]:
    return {
        "tokens_per_month": number_text(volume.tokens),
        "nodes": volume.nodes,
        "cost_usd": usd_text_of(volume.usd),
        "usd_per_mtok": number_text(volume.usd_per_mtok),
        "utilisation": number_text(volume.utilisation),
        **span_payload("api_cost", volume.api_usd),
    }


def _date_payload(found: Verdict, today: tuple[int, int]) -> dict[str, Any]:
    """Months as `2027-03`. `best`: everything favours the fleet; `worst`: nothing does. `unknown`: nobody has said."""

    def case(cheaper: Cheaper | None) -> dict[str, Any]:
        months = (None, None) if cheaper is None else (cheaper.since, cheaper.until)
        since, until = [None if months_on is None else month_of(today, months_on) for months_on in months]
        return {"since": since, "until": until}

    best, worst = found.cheaper or (None, None)
    return {
        **span_payload("volume_growth", found.years.volume_growth, ""),
        **span_payload("price_change", found.years.price_change, ""),
        "unknown": list(found.unknown),
        "best": case(best),
        "worst": case(worst),
    }
