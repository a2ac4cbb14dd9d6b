"""Speed from an endpoint that the user names, volume from the ledger."""

import asyncio
import os
import time
from fractions import Fraction

import click
from msgspec import Struct

from bascule.cli.data import open_existing, read_document
from bascule.cli.period import Period, now_ms
from bascule.cli.progress import track
from bascule.config.scalars import Unreadable
from bascule.config.scalars import secret as secret_reference
from bascule.config.sources import SecretMissing, Secrets
from bascule.config.urls import UrlError, check_base_url, split_base_url
from bascule.decide.window import DAY_MS
from bascule.model.errors import BasculeError
from bascule.model.row import RowFilter
from bascule.offline.measure import Load, Measured, measure
from bascule.offline.selfhost import Volume, monthly_volume


def measure_endpoint(
    url: str, *, model: str, api_key: str, requests: int, concurrency: int, max_tokens: int
) -> Measured:
    """Sends a bounded load to `url` (as OpenAI's SDK would have it, with its `/v1`). Raises BasculeError."""
    from bascule.upstream.client import HttpUpstream

    try:
        origin, path = split_base_url(check_base_url(url))
        secret = Secrets(os.environ).read(secret_reference(api_key))
    except UrlError as error:
        raise click.BadParameter(f"the URL {error}", param_hint="--measure") from None
    except (SecretMissing, Unreadable) as error:
        raise click.BadParameter(f"{error.what}. {error.remedy}", param_hint="--measure-key") from None
    headers = () if secret is None else ((b"authorization", b"Bearer " + secret.reveal()),)
    load = Load(
        origin=origin,
        target=f"{path}/chat/completions",
        model=model,
        headers=headers,
        requests=requests,
        concurrency=concurrency,
        max_tokens=max_tokens,
    )

    async def run() -> Measured:
        upstream = HttpUpstream()
        try:
            return await measure(upstream, load, time.monotonic_ns)
        finally:
            upstream.close()
            await asyncio.sleep(0)

    return asyncio.run(run())


class Counted(Struct, frozen=True, kw_only=True):
    volume: Volume
    days: Fraction
    attempts: int
    uncounted: int
    """Attempts whose usage nobody knows, in no sum."""


def ledger_volume(config_path: str | None, model: str, period: Period) -> Counted:
    """A month's tokens of a model, by what the ledger has of the period (default: the last 30 days).

    Raises BasculeError where it has none.
    """
    until_ms = period.until_ms or now_ms()
    since_ms = until_ms - 30 * DAY_MS if period.since_ms is None else period.since_ms
    store = open_existing(read_document(config_path))
    where = RowFilter(since_ms=since_ms, until_ms=until_ms, model=model)
    tokens_in = tokens_out = attempts = uncounted = 0
    for row in track(store.view.attempts(where), "reading the ledger"):
        counts_in = (row.tokens_in, row.tokens_cache_read, row.tokens_cache_write_5m, row.tokens_cache_write_1h)
        attempts += 1
        uncounted += row.tokens_in is None and row.tokens_out is None
        tokens_in += sum([count for count in counts_in if count is not None])
        tokens_out += (row.tokens_out or 0) + (row.tokens_reasoning or 0)
    if not tokens_in + tokens_out:
        raise BasculeError(f"the ledger has no tokens of {model!r} in that period; see `bascule report --by model`")
    days = Fraction(until_ms - since_ms, DAY_MS)
    volume = monthly_volume(tokens_in, tokens_out, days)
    return Counted(volume=volume, days=days, attempts=attempts, uncounted=uncounted)
