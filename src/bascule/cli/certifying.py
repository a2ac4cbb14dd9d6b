"""Certification: probes through a gateway of this command's own, so that transport, codecs, holds and ledger are real.

What the calls cost is in the ledger like everything else, under the tag `certify` and a session of its own.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from copy import copy
from typing import Any, TypeVar

import orjson
from msgspec import Struct, structs

from bascule.cli.explaining import OneKey
from bascule.compose import Gateway, Store, price_book, snapshot_of
from bascule.config.load import Document
from bascule.gateway.exchange import Incoming
from bascule.link import LinkedProvider, Snapshot
from bascule.model.catalog import Model
from bascule.model.errors import BasculeError
from bascule.model.headers import Headers
from bascule.model.money import usd_text
from bascule.model.row import AttemptRow, RowFilter
from bascule.offline.catalog import catalog_lines, sorted_lines
from bascule.offline.probes import UNKNOWN_MODEL, Dialect, Outcome, Probe, judge, probes
from bascule.ports import Header, TransportError, UpstreamCall
from bascule.prices.book import PriceBook

T = TypeVar("T")
MAX_LISTED_BYTES = 4 * 1024 * 1024


class Collected:
    """Implements `gateway.exchange.Exchange`: keeps the answer."""

    def __init__(self, incoming: Incoming) -> None:
        self.incoming = incoming
        self.status: int | None = None
        self.headers: dict[bytes, bytes] = {}
        self.body = b""

    @property
    def started(self) -> bool:
        return self.status is not None

    @property
    def gone(self) -> bool:
        return False

    def watch(self, on_gone: Callable[[], None]) -> None:
        """This client never leaves."""

    async def respond(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        await self.start(status, headers)
        self.body = body

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        self.status = status
        self.headers = dict(headers)

    async def send(self, data: bytes) -> None:
        self.body += data

    async def end(self, data: bytes) -> None:
        self.body += data


class Probed(Struct, frozen=True, kw_only=True):
    """One probe and what came of it."""

    probe: Probe
    passed: bool
    what: str
    cost_nanousd: int | None
    """What it cost, or its hold where the bill is not known; 0 where nothing was sent."""


class Certification(Struct, frozen=True, kw_only=True):
    linked: LinkedProvider
    model: str
    probed: tuple[Probed, ...]

    @property
    def passed(self) -> bool:
        return all(one.passed for one in self.probed)

    @property
    def cost_nanousd(self) -> int | None:
        """None where one of the costs is not known."""
        costs = [one.cost_nanousd for one in self.probed]
        return None if None in costs else sum(cost for cost in costs if cost is not None)


def strictly(document: Document) -> Document:
    """The configuration as certifying needs it: limits enforced, nothing tried twice, no answer from a cache."""
    config = document.config
    cache = structs.replace(config.cache, exact=structs.replace(config.cache.exact, enabled=False))
    changed = structs.replace(
        config, mode="enforce", cache=cache, retry=structs.replace(config.retry, max_attempts=1), routes={}, aliases={}
    )
    return structs.replace(document, config=changed)


def certify(
    document: Document,
    environment: dict[str, str],
    store: Store,
    provider: str,
    *,
    model: str | None,
    max_nanousd: int,
    now_ms: int,
) -> Certification:
    """Raises BasculeError where the provider is not configured or no model of it can be capped."""
    snapshot = snapshot_of(strictly(document), environment, stored_keys=True)
    linked = snapshot.providers.get(provider)
    if linked is None:
        known = ", ".join(snapshot.providers) or "none"
        raise BasculeError(f"no provider {provider!r} is configured (there are: {known}); set its key or add it")
    dialect = linked.spec.dialect
    if dialect not in ("openai_chat", "anthropic_messages", "gemini"):
        raise BasculeError(f"{provider!r} speaks {dialect}, which this release cannot certify")
    spoken: Dialect = "anthropic_messages" if dialect == "anthropic_messages" else "openai_chat"
    gateway = Gateway(snapshot, store, OneKey(None))
    gateway.open()
    try:
        work = _probe_all(gateway, snapshot, linked, price_book(document), spoken, model, max_nanousd, now_ms)
        chosen, probed = asyncio.run(_closing(gateway, work))
    finally:
        gateway.close()
    return Certification(linked=linked, model=chosen, probed=tuple(probed))


async def _probe_all(
    gateway: Gateway,
    snapshot: Snapshot,
    linked: LinkedProvider,
    book: PriceBook,
    dialect: Dialect,
    model: str | None,
    max_nanousd: int,
    now_ms: int,
) -> tuple[str, list[Probed]]:
    chosen = model or configured_model(snapshot, linked) or await cheapest_model(gateway, linked, book, now_ms)
    gateway.engine.use(gateway.settings(with_probed_models(snapshot, linked, _priced(snapshot, linked, chosen))))
    session = f"certify-{linked.name}-{now_ms}"
    left, done = max_nanousd, []
    for probe in probes(linked.spec, dialect, linked.name, chosen):
        one = await _probe(gateway, dialect, probe, session, left)
        done.append(one)
        left -= one.cost_nanousd or 0
    return chosen, done


async def _closing(gateway: Gateway, work: Coroutine[Any, Any, T]) -> T:
    """Connections are cut while their loop still runs."""
    try:
        return await work
    finally:
        gateway.upstream.close()
        await asyncio.sleep(0)


async def _probe(gateway: Gateway, dialect: Dialect, probe: Probe, session: str, left_nanousd: int) -> Probed:
    """The hold of the call may not be above what is left: the gateway refuses it before anything is sent."""
    headers: list[Header] = [
        (b"x-bascule-session", session.encode()),
        (b"x-bascule-tag", b"certify=true"),
        (b"x-bascule-max-cost-usd", (usd_text(max(0, left_nanousd)) or "0").encode()),
    ]
    if dialect == "anthropic_messages":
        headers.append((b"anthropic-version", b"2023-06-01"))
    incoming = Incoming(surface=dialect, headers=Headers(headers), body=orjson.dumps(probe.body))
    exchange = Collected(incoming)
    await gateway.engine.handle(exchange)
    gateway.outbox.flush()  # nobody's answer waits for this round's ledger lines here
    row = _row(gateway, session, exchange.headers.get(b"x-bascule-request-id", b"").decode())
    passed, what = judge(probe, dialect, Outcome(status=exchange.status, body=exchange.body, row=row))
    return Probed(probe=probe, passed=passed, what=what, cost_nanousd=0 if row is None else row.cost_nanousd)


def _row(gateway: Gateway, session: str, request_id: str) -> AttemptRow | None:
    rows = gateway.store.view.attempts(RowFilter(session_id=session))
    return next((row for row in rows if row.request_id == request_id), None)


def configured_model(snapshot: Snapshot, linked: LinkedProvider) -> str | None:
    """The first model of the configuration that this provider serves, by the provider's own name."""
    for model in snapshot.models.values():
        for endpoint in model.endpoints:
            if endpoint.provider == linked.name:
                return endpoint.upstream_model
    return None


async def cheapest_model(gateway: Gateway, linked: LinkedProvider, book: PriceBook, now_ms: int) -> str:
    """The cheapest chat model that the price book has and the provider lists. Raises BasculeError."""
    lines = [
        line
        for line in sorted_lines(catalog_lines([linked], book, now_ms), "price")
        if line.rates is not None and line.rates.input and line.rates.output and not line.deprecated
        and line.retires is None and line.context_window is not None
    ]  # fmt: skip
    listed = await _listed(gateway, linked)
    found = [line.upstream_model for line in lines if not listed or line.upstream_model in listed]
    if not found:
        raise BasculeError(f"no model of {linked.name!r} with a known price was found; name one with --model")
    return found[0]


async def _listed(gateway: Gateway, linked: LinkedProvider) -> frozenset[str]:
    """What the provider says that it serves; empty where it does not say."""
    if "models" not in linked.spec.paths:
        return frozenset()
    call = UpstreamCall(
        origin=linked.origin,
        method="GET",
        target=linked.target("models", ""),
        headers=tuple(linked.request_headers([])),
        body=b"",
        max_body_bytes=MAX_LISTED_BYTES,
    )
    try:
        reply = await gateway.upstream.send(call)
        try:
            raw = await reply.read()
        finally:
            reply.close()
        document = orjson.loads(raw)
    except (TransportError, orjson.JSONDecodeError):
        return frozenset()
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        return frozenset()
    return frozenset([str(item["id"]) for item in data if isinstance(item, dict) and "id" in item])


def with_probed_models(snapshot: Snapshot, linked: LinkedProvider, proved: Model) -> Snapshot:
    """The model that is proved, by the provider's own name, and the one that nobody has, at the same price: a provider
    that answers for it all the same bills something, and where a budget applies nothing is sent that has no price.
    """
    (endpoint,) = proved.endpoints
    name = f"{linked.name}/{UNKNOWN_MODEL}"
    asked = Model(name=name, endpoints=(structs.replace(endpoint, id=name, upstream_model=UNKNOWN_MODEL),))
    changed = copy(snapshot)
    changed.models = {**snapshot.models, proved.name: proved, name: asked}
    return changed


def _priced(snapshot: Snapshot, linked: LinkedProvider, model: str) -> Model:
    """The model under the name that the probes ask for, at its one endpoint: with what the configuration says of it,
    else with what the price book and the provider's entry say. Raises BasculeError where its price is not known.
    """
    name = f"{linked.name}/{model}"
    direct = snapshot.direct(linked.name, model)
    for found in [*snapshot.models.values(), *([] if direct is None else [direct])]:
        for endpoint in found.endpoints:
            told = endpoint.free or endpoint.prices is not None
            if told and (endpoint.provider, endpoint.upstream_model) == (linked.name, model):
                return structs.replace(found, name=name, endpoints=(structs.replace(endpoint, id=name),))
    raise BasculeError(
        f"the price of {model!r} at {linked.name!r} is not known, so --max-usd cannot be kept; name another with "
        "--model, or state `price` for the model or the provider (0 and 0 for a server of your own)"
    )
