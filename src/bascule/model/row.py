"""Ledger rows: what reports, exports and reconciliation read.

An attempt's row is its intent joined with its settlement, plus the sum of its adjustments. A request's row is the
attempts that served it, summed. Times are milliseconds since the Unix epoch, money integer nano-USD, None unknown.
"""

from typing import Literal

from msgspec import Struct, structs

from bascule.model.budget import Attribution
from bascule.model.entry import HeldScope, Intent, Role, Settlement
from bascule.model.money import Rates
from bascule.model.usage import UsageSource

GATEWAY = "gateway"
"""The origin of the ledger's own rows."""

CacheKind = Literal["none", "exact", "semantic"]
Restates = Literal["calls", "usage"]


class AttemptRow(Struct, frozen=True, kw_only=True, gc=False):
    """One upstream exchange, billed or not, or one cache hit. `kind` is `intent` while it is open.

    Of kind `import`: what another program recorded. No line of ours stands behind it, so `chain` is empty.
    """

    kind: Literal["intent", "settle", "import"]
    origin: str = GATEWAY
    """Who recorded it: the gateway's ledger, or the source of an import (`claude-code`, `litellm`, …)."""
    attempt_id: str
    request_id: str
    session_id: str | None = None
    agent_id: str | None = None
    parent_id: str | None = None
    upstream_request_id: str | None = None
    idempotency_key: str | None = None
    attempt_no: int
    role: Role = "primary"
    key: str | None = None
    org: str | None = None
    team: str | None = None
    project: str | None = None
    user: str | None = None
    tags: dict[str, str] = {}
    pr: str | None = None
    branch: str | None = None
    task: str | None = None
    route: str | None = None
    model: str | None = None
    model_requested: str | None = None
    model_reported: str | None = None
    provider: str | None = None
    upstream_model: str | None = None
    dialect_in: str | None = None
    dialect_out: str | None = None
    service_tier: str | None = None
    stream: bool = False
    status: int | None = None
    error_class: str | None = None
    ts_start_ms: int
    ts_first_ms: int | None = None
    ts_end_ms: int | None = None
    window_id: str | None = None
    tokens_in: int | None = None
    tokens_cache_read: int | None = None
    tokens_cache_write_5m: int | None = None
    tokens_cache_write_1h: int | None = None
    tokens_out: int | None = None
    tokens_reasoning: int | None = None
    tokens_audio_in: int | None = None
    tokens_audio_out: int | None = None
    tokens_image_in: int | None = None
    tokens_image_out: int | None = None
    web_searches: int | None = None
    tool_fees_nanousd: int | None = None
    usage_source: UsageSource = "none"
    usage_flags: tuple[str, ...] = ()
    usage_raw: str | None = None
    cost_nanousd: int | None = None
    """With adjustments. None: unknown, or still open."""
    adjusted_nanousd: int | None = None
    """The sum of the adjustments that `cost_nanousd` contains; None where there are none."""
    charge_nanousd: int | None = None
    """As settled, without adjustments: what budgets were charged where that is not the cost."""
    provider_cost_nanousd: int | None = None
    price_version: str | None = None
    rates: Rates | None = None
    hold_nanousd: int | None = None
    held: tuple[HeldScope, ...] = ()
    baseline_nanousd: int | None = None
    saved_nanousd: int | None = None
    cache: CacheKind = "none"
    reason: str | None = None
    decision_id: str | None = None
    policy_version: str | None = None
    finish_reason: str | None = None
    recovered: bool = False
    client: str | None = None
    restates: Restates | None = None
    """Of imports alone: other rows stand for the same money, single `calls` or a provider's own report of `usage`.
    Such a row is left out wherever its origin is not asked for."""
    chain: str
    """The link of the row's last line: the settlement's, or the open intent's."""

    @property
    def charged_nanousd(self) -> int:
        """What budgets count: what they were charged at settlement (the cost, an unknown one as its hold, unless the
        settlement says otherwise) with the adjustments since; 0 while open (it is held, not spent) and for what
        others recorded."""
        if self.kind != "settle":
            return 0
        if self.charge_nanousd is not None:
            return self.charge_nanousd + (self.adjusted_nanousd or 0)
        if self.cost_nanousd is not None:
            return self.cost_nanousd
        return self.hold_nanousd or 0

    @property
    def attribution(self) -> Attribution:
        """Who it is charged to."""
        return Attribution(
            key=self.key,
            org=self.org,
            team=self.team,
            project=self.project,
            user=self.user,
            session_id=self.session_id,
            tags=self.tags,
        )


class IndexedAttempt(Struct, frozen=True, kw_only=True):
    """What a store keeps beside the lines of an attempt, to select, group and sum by."""

    attempt_id: str
    request_id: str
    ts_start_ms: int
    session_id: str | None
    key: str | None
    org: str | None
    team: str | None
    project: str | None
    user: str | None
    model: str | None
    hold_nanousd: int | None
    tags: dict[str, str]
    held: tuple[HeldScope, ...]
    settled: bool
    cost_nanousd: int | None
    charged_nanousd: int | None = None


class RequestRow(Struct, frozen=True, kw_only=True):
    """One client request: its attempts summed, its final status, the models it used."""

    request_id: str
    attempts: int
    """Upstream exchanges, or 0 for a cache hit."""
    attempt_ids: tuple[str, ...]
    models: tuple[str, ...]
    """Every model that was tried, in order, each once."""
    unknown_costs: int
    """Attempts whose cost is not known (no price, or still open); above 0 the cost is None."""
    final: AttemptRow
    """The attempt that answered the client: the last that succeeded, else the last."""
    ts_start_ms: int
    ts_end_ms: int | None
    tokens: dict[str, int | None]
    """Sums by bucket column; None where no attempt said."""
    tool_fees_nanousd: int | None
    cost_nanousd: int | None
    hold_nanousd: int | None
    baseline_nanousd: int | None
    saved_nanousd: int | None
    adjusted_nanousd: int | None
    usage_source: UsageSource
    """The weakest of the attempts': one estimate makes the sum an estimate."""


class RowFilter(Struct, frozen=True, kw_only=True):
    """Which rows: started in [since_ms, until_ms), of this key, session, model, request or origin, or the one of this
    attempt; None does not restrict, but that what only restates other rows needs its origin or itself to be named."""

    since_ms: int | None = None
    until_ms: int | None = None
    key: str | None = None
    session_id: str | None = None
    model: str | None = None
    attempt_id: str | None = None
    request_id: str | None = None
    origin: str | None = None

    def admits(self, row: AttemptRow) -> bool:
        return (
            (self.since_ms is None or row.ts_start_ms >= self.since_ms)
            and (self.until_ms is None or row.ts_start_ms < self.until_ms)
            and (self.key is None or row.key == self.key)
            and (self.session_id is None or row.session_id == self.session_id)
            and (self.model is None or row.model == self.model)
            and (self.attempt_id is None or row.attempt_id == self.attempt_id)
            and (self.request_id is None or row.request_id == self.request_id)
            and (self.origin is None or row.origin == self.origin)
            and (row.restates is None or self.names_imports)
        )

    @property
    def names_imports(self) -> bool:
        """Whether rows are asked for by name, those that restate others among them."""
        return self.origin is not None or self.attempt_id is not None


EVERY_ROW = RowFilter()


def open_row(intent: Intent, chain: str) -> AttemptRow:
    """The row of an attempt that is not settled. `chain` is the intent's link."""
    return AttemptRow(
        kind="intent",
        attempt_id=intent.attempt_id,
        request_id=intent.request_id,
        session_id=intent.session_id,
        agent_id=intent.agent_id,
        parent_id=intent.parent_id,
        idempotency_key=intent.idempotency_key,
        attempt_no=intent.attempt_no,
        role=intent.role,
        key=intent.key,
        org=intent.org,
        team=intent.team,
        project=intent.project,
        user=intent.user,
        tags=intent.tags,
        pr=intent.pr,
        branch=intent.branch,
        task=intent.task,
        route=intent.route,
        model=intent.model,
        model_requested=intent.model_requested,
        provider=intent.provider,
        upstream_model=intent.upstream_model,
        dialect_in=intent.dialect_in,
        dialect_out=intent.dialect_out,
        stream=intent.stream,
        ts_start_ms=intent.ts_start_ms,
        window_id=intent.window_id,
        price_version=intent.price_version,
        hold_nanousd=intent.hold_nanousd,
        held=intent.held,
        reason=intent.reason,
        decision_id=intent.decision_id,
        policy_version=intent.policy_version,
        client=intent.client,
        chain=chain,
    )


def row_of(intent: Intent, settlement: Settlement | None, chain: str, delta_nanousd: int | None) -> AttemptRow:
    """The row of an attempt. `chain` is the link of its last line, `delta_nanousd` the sum of its adjustments."""
    row = open_row(intent, chain)
    if settlement is not None:
        row = settled_row(row, settlement, chain)
    return row if delta_nanousd is None else adjusted_row(row, delta_nanousd)


def indexed(intent: Intent, settlement: Settlement | None) -> IndexedAttempt:
    """What a store must keep of these two lines."""
    return IndexedAttempt(
        attempt_id=intent.attempt_id,
        request_id=intent.request_id,
        ts_start_ms=intent.ts_start_ms,
        session_id=intent.session_id,
        key=intent.key,
        org=intent.org,
        team=intent.team,
        project=intent.project,
        user=intent.user,
        model=intent.model,
        hold_nanousd=intent.hold_nanousd,
        tags=intent.tags,
        held=intent.held,
        settled=settlement is not None,
        cost_nanousd=None if settlement is None else settlement.cost_nanousd,
        charged_nanousd=None if settlement is None else settlement.charged_nanousd,
    )


def settled_row(row: AttemptRow, settlement: Settlement, chain: str) -> AttemptRow:
    """An open attempt's row, settled; its adjustments stay. `chain` is the settlement's link."""
    usage = settlement.usage
    settled = structs.replace(
        row,
        kind="settle",
        chain=chain,
        adjusted_nanousd=None,
        ts_first_ms=settlement.ts_first_ms,
        ts_end_ms=settlement.ts_end_ms,
        status=settlement.status,
        error_class=settlement.error_class,
        upstream_request_id=settlement.upstream_request_id,
        model_reported=settlement.model_reported,
        service_tier=service_tier_of(settlement),
        tokens_in=usage.tokens_in,
        tokens_cache_read=usage.tokens_cache_read,
        tokens_cache_write_5m=usage.tokens_cache_write_5m,
        tokens_cache_write_1h=usage.tokens_cache_write_1h,
        tokens_out=usage.tokens_out,
        tokens_reasoning=usage.tokens_reasoning,
        tokens_audio_in=usage.tokens_audio_in,
        tokens_audio_out=usage.tokens_audio_out,
        tokens_image_in=usage.tokens_image_in,
        tokens_image_out=usage.tokens_image_out,
        web_searches=usage.web_searches,
        tool_fees_nanousd=settlement.tool_fees_nanousd,
        usage_source=usage.source,
        usage_flags=usage.flags,
        usage_raw=usage.raw,
        cost_nanousd=settlement.cost_nanousd,
        charge_nanousd=settlement.charged_nanousd,
        provider_cost_nanousd=usage.provider_cost_nanousd,
        rates=settlement.rates,
        baseline_nanousd=settlement.baseline_nanousd,
        saved_nanousd=settlement.saved_nanousd,
        cache=settlement.cache,
        finish_reason=settlement.finish_reason,
        recovered=settlement.recovered,
    )
    return settled if row.adjusted_nanousd is None else adjusted_row(settled, row.adjusted_nanousd)


def service_tier_of(settlement: Settlement) -> str | None:
    """The tier that the attempt was served at, from whichever said so."""
    return settlement.service_tier if settlement.service_tier is not None else settlement.usage.service_tier


def adjusted_row(row: AttemptRow, delta_nanousd: int) -> AttemptRow:
    """The row with a further adjustment. An unknown cost becomes the adjustment; a saving shrinks as cost grows.

    While the attempt is open its cost stays unknown, whatever has been said about it.
    """
    return structs.replace(
        row,
        cost_nanousd=None if row.kind == "intent" else (row.cost_nanousd or 0) + delta_nanousd,
        adjusted_nanousd=(row.adjusted_nanousd or 0) + delta_nanousd,
        saved_nanousd=None if row.saved_nanousd is None else row.saved_nanousd - delta_nanousd,
    )
