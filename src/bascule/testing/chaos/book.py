"""What rows should have cost by a configuration: its prices, and arithmetic that is not the gateway's."""

from datetime import datetime

from bascule.decide.price import rates_for
from bascule.link import Snapshot
from bascule.model.catalog import Endpoint
from bascule.model.money import Rates
from bascule.testing.chaos.bills import PICO_PER_NANO, Buckets, Row, Tariff

INPUT = ("tokens_in", "tokens_cache_read", "tokens_cache_write_5m", "tokens_cache_write_1h")


class NoPrice(LookupError):
    """A row for an endpoint whose price the configuration does not know: nothing can be said about its cost."""


def tariff_of_snapshot(snapshot: Snapshot) -> Tariff:
    """By the row's model and endpoint, at the price in force when it was asked. Raises NoPrice."""

    def nanousd(row: Row, counts: Buckets) -> int:
        rates = rates_of(endpoint_of(snapshot, row), row["ts_start"], sum(counts[name] for name in INPUT))
        picousd = sum(count * rate for count, rate in zip(counts.values(), _filled(rates), strict=True))
        picousd += rates.request_fee or 0
        return (2 * picousd + PICO_PER_NANO) // (2 * PICO_PER_NANO)

    return nanousd


def endpoint_of(snapshot: Snapshot, row: Row) -> Endpoint:
    """The endpoint that a row was sent to. Raises NoPrice where the configuration has none like it."""
    name = row["model"]
    model = snapshot.model(name) or snapshot.catalog_model(name) or snapshot.direct(row["provider"], name)
    for endpoint in () if model is None else model.endpoints:
        if (endpoint.provider, endpoint.upstream_model) == (row["provider"], row["upstream_model"]):
            return endpoint
    raise NoPrice(f"{row['provider']}/{row['upstream_model']} is no endpoint of {row['model']} in this configuration")


def rates_of(endpoint: Endpoint, ts_start: str, input_tokens: int) -> Rates:
    """Raises NoPrice."""
    ts_ms = round(datetime.fromisoformat(ts_start).timestamp() * 1_000)
    found = None if endpoint.prices is None else rates_for(endpoint.prices, ts_ms, input_tokens=input_tokens)
    if found is None or found.input is None or found.output is None:
        raise NoPrice(f"{endpoint.id} has no price")
    return found


def _filled(rates: Rates) -> tuple[int, ...]:
    """In the order of `bills.BUCKETS`; a class without a price of its own costs as the next plainer one."""
    plain, output = rates.input or 0, rates.output or 0
    read = plain if rates.cache_read is None else rates.cache_read
    write = plain if rates.cache_write_5m is None else rates.cache_write_5m
    hour = write if rates.cache_write_1h is None else rates.cache_write_1h
    reasoning = output if rates.reasoning is None else rates.reasoning
    return plain, read, write, hour, output, reasoning
