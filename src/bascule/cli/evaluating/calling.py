"""Evaluation's calls through a gateway in this process: the engine, holds, prices and ledger that clients have.

Every call carries the run as a tag, and the run has a strict budget on that tag: that is how `--max-usd` holds, over
retries, judges and calls in flight, and also when a run is resumed, since the ledger knows what it has spent.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import orjson
from msgspec import structs

from bascule.cli.certifying import Collected
from bascule.compose import Gateway
from bascule.decide.protect import combined
from bascule.decide.resolve import resolve
from bascule.gateway.admission import OPEN_KEY
from bascule.gateway.exchange import Incoming
from bascule.gateway.surfaces import SURFACES, Surface
from bascule.link import Snapshot
from bascule.model.errors import Refusal
from bascule.model.headers import Headers
from bascule.model.policy import NO_DATA_POLICY, DataPolicy, KeyPolicy
from bascule.model.row import AttemptRow, RowFilter
from bascule.offline.evaluation.answer import Unreadable, text_of
from bascule.offline.evaluation.calls import JUDGE_TAG, TAG, Answered, Ask, Guard
from bascule.offline.evaluation.suite import digest_of
from bascule.ports import Header

T = TypeVar("T")
SESSION_PREFIX = "eval"
UNPRICED = "unpriceable"
MAX_ERROR_CHARS = 300
CAPS = ("max_tokens", "max_completion_tokens")
"""Names of the output cap among Chat Completions providers."""


class Payers:
    """Implements `ports.KeyStore`: who pays for the run, as they are and with the data policies of those whose recorded
    content is sent. Secrets are numbers of this table."""

    is_open = False
    outage: str | None = None

    def __init__(self, payer: KeyPolicy | None) -> None:
        self._payer = payer or OPEN_KEY
        self._policies: list[KeyPolicy] = [self._payer]

    def secret_of(self, guard: Guard | None) -> bytes:
        """Of the payer, who may loosen nothing that holds for the content."""
        payer = self._payer
        if guard is None:
            policy = payer
        else:
            policy = structs.replace(payer, data=guard.data, protect=combined(payer.protect, guard.protect))
        if policy not in self._policies:
            self._policies.append(policy)
        return b"%d" % self._policies.index(policy)

    @property
    def data(self) -> DataPolicy:
        """The payer's own."""
        return self._payer.data

    def lookup(self, secret: bytes) -> KeyPolicy | None:
        return self._policies[int(secret)]


class GatewayCaller:
    """Implements `offline.evaluation.calls.Caller`."""

    def __init__(self, gateway: Gateway, snapshot: Snapshot, payers: Payers) -> None:
        self._gateway = gateway
        self._snapshot = snapshot
        self._payers = payers

    def snapshot_of(self, model: str) -> str | None:
        found = resolve(model, self._snapshot)
        if isinstance(found, Refusal) or found.model is None:
            return None
        return digest_of([[endpoint.provider, endpoint.upstream_model] for endpoint in found.model.endpoints])

    async def ask(self, ask: Ask) -> Answered:
        exchange = Collected(self._incoming(ask))
        began_s = time.monotonic()
        await self._gateway.engine.handle(exchange)
        self._gateway.outbox.flush()  # nobody's answer waits for this round's ledger lines here
        took_ms = round((time.monotonic() - began_s) * 1000)
        request_id = exchange.headers.get(b"x-bascule-request-id", b"").decode() or None
        rows = self._rows(request_id)
        return _answered(ask, exchange, request_id, rows, took_ms)

    async def closing(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives; connections are cut while their loop still runs."""
        try:
            return await work
        finally:
            self._gateway.upstream.close()
            await asyncio.sleep(0)

    def _incoming(self, ask: Ask) -> Incoming:
        tags = [(TAG, ask.run), *([(JUDGE_TAG, "true")] if ask.judges else [])]
        session = f"{SESSION_PREFIX}-{ask.run}"
        if self.snapshot_of(ask.model) is None:
            # A route may keep a session where it is, so each case is one of its own.
            session += f"-{digest_of([ask.case, ask.model])[:8]}"
        headers: list[Header] = [
            (b"x-bascule-session", session.encode()),
            *[(b"x-bascule-tag", f"{name}={value}".encode()) for name, value in tags],
            (b"x-bascule-cache", b"no"),
        ]
        if ask.task is not None:
            headers.append((b"x-bascule-task", ask.task.encode()))
        asked = () if ask.guard is None else (ask.guard.route_data, self._payers.data)
        headers += [(b"x-bascule-data", data_header(policy)) for policy in asked if policy != NO_DATA_POLICY]
        surface: Surface = ask.surface  # type: ignore[assignment]
        if surface == "anthropic_messages":
            headers.append((b"anthropic-version", b"2023-06-01"))
        in_path = surface == "gemini"
        body = ask.body if in_path else {**self._capped(ask), "model": ask.model}
        return Incoming(
            surface=surface,
            headers=Headers(headers),
            body=orjson.dumps(body),
            secret=self._payers.secret_of(ask.guard),
            model=ask.model if in_path else None,
            stream=False if in_path else None,
        )

    def _capped(self, ask: Ask) -> dict[str, Any]:
        """The body with its output cap under the name that the model's provider knows: between a client and a
        provider of one dialect nothing is renamed on the way. A route's candidates may differ, so there it stays as
        it is."""
        found = resolve(ask.model, self._snapshot)
        if ask.surface != "openai_chat" or isinstance(found, Refusal) or found.model is None:
            return ask.body
        linked = self._snapshot.providers.get(found.model.endpoints[0].provider)
        if linked is None:
            return ask.body
        wanted = linked.spec.max_tokens_field
        return {wanted if name in CAPS else name: value for name, value in ask.body.items()}

    def _rows(self, request_id: str | None) -> list[AttemptRow]:
        if request_id is None:
            return []
        return list(self._gateway.store.view.attempts(RowFilter(request_id=request_id)))


def _answered(ask: Ask, exchange: Collected, request_id: str | None, rows: list[AttemptRow], took_ms: int) -> Answered:
    status = exchange.status or 500
    last = rows[-1] if rows else None
    costs = [row.charged_nanousd for row in rows]
    found = Answered(
        status=status,
        request_id=request_id,
        provider=None if last is None else last.provider,
        model_reported=None if last is None else last.model_reported,
        cost_nanousd=None if any(row.cost_nanousd is None for row in rows) else sum(costs),
        latency_ms=_latency_ms(last, took_ms),
        tokens_in=None if last is None else last.tokens_in,
        tokens_cache_read=None if last is None else last.tokens_cache_read,
        tokens_out=None if last is None else _output(last),
    )
    if status != 200:
        message, code = error_of(exchange.body)
        return structs.replace(found, error=message, unpriced=status == 402 and code == UNPRICED)
    try:
        text, reason = text_of(SURFACES[exchange.incoming.surface].chat_dialect, exchange.body)
    except Unreadable as error:
        return structs.replace(found, status=502, error=str(error)[:MAX_ERROR_CHARS])
    return structs.replace(found, text=text, finish_reason=reason)


def data_header(policy: DataPolicy) -> bytes:
    """A data policy as `x-bascule-data` has it. A kind of number format that it may ask for is no matter of data."""
    parts = [
        *([f"retention={policy.retention}"] if policy.retention is not None else []),
        *(["training=no"] if policy.training is False else []),
        *(["zdr"] if policy.zdr else []),
        *[f"region={name}" for name in policy.regions],
        *[f"allow={name}" for name in policy.providers_allow],
        *[f"deny={name}" for name in policy.providers_deny],
    ]
    return ",".join(parts).encode()


def _latency_ms(row: AttemptRow | None, took_ms: int) -> int:
    """Of the attempt that answered, as the ledger has it: retries and our own work are no property of the model."""
    return took_ms if row is None or row.ts_end_ms is None else row.ts_end_ms - row.ts_start_ms


def _output(row: AttemptRow) -> int | None:
    return None if row.tokens_out is None else row.tokens_out + (row.tokens_reasoning or 0)


def error_of(body: bytes) -> tuple[str, str | None]:
    """(message, code) of an error in any dialect."""
    try:
        document: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body[:MAX_ERROR_CHARS].decode("utf-8", "replace"), None
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return str(document)[:MAX_ERROR_CHARS], None
    code = error.get("code")
    return str(error.get("message"))[:MAX_ERROR_CHARS], code if isinstance(code, str) else None
