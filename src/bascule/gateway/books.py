"""The ledger's side of an attempt: an intent before it leaves, a settlement when it has ended."""

from msgspec import Struct, structs

from bascule.decide.meter import PARTIAL, Ending, bill, is_bound, settle_usage
from bascule.decide.price import price
from bascule.dialects.base import ReplyFacts
from bascule.gateway.admission import Admitted
from bascule.gateway.calibrations import Calibrations
from bascule.gateway.identifiers import attempt_id
from bascule.gateway.intents import intent_of
from bascule.gateway.metrics import Metrics
from bascule.gateway.outage import Outage
from bascule.gateway.surfaces import provider_dialect
from bascule.model.budget import Hold
from bascule.model.catalog import Endpoint
from bascule.model.entry import OWN_WORK, Decision, Intent, Role, Settlement
from bascule.model.errors import LedgerUnavailable, Refusal
from bascule.model.money import PriceTimeline, Rates
from bascule.model.outcome import Fault
from bascule.model.plan import Candidate, Plan
from bascule.model.usage import NO_USAGE, Usage
from bascule.ports import Authority, Clock, Journal
from bascule.ports.telemetry import AttemptEnded, Telemetry

NOTHING_CONSUMED = Usage(
    tokens_in=0,
    tokens_cache_read=0,
    tokens_cache_write_5m=0,
    tokens_cache_write_1h=0,
    tokens_out=0,
    tokens_reasoning=0,
    source="counted",
)
MAX_WORD_CHARS = 256
"""Of a word that a provider says of its answer (its id, model, tier, reason to end): it becomes part of every line."""
LEDGER_DOWN = Refusal(
    kind="unavailable",
    message="the ledger cannot take another line (disk full or database down), so nothing new is sent; try again soon",
    retry_after_s=5.0,
)


class OpenAttempt(Struct, kw_only=True):
    """An attempt whose intent is in the journal and whose money is held."""

    attempt_id: str
    attempt_no: int
    candidate: Candidate
    hold: Hold
    hold_nanousd: int | None
    intent: Intent
    started_ms: int
    strict: bool = False
    """A strict budget applies: only a bill that the provider has told gives money back to it."""
    settled: bool = False
    started_s: float = 0.0
    """On the monotonic clock."""
    credential: int = 0
    probe: bool = False
    """It looks whether a breaker can be closed."""


class Ended(Struct, frozen=True, kw_only=True):
    """What came of an attempt, as far as money is concerned."""

    ending: Ending
    reply: ReplyFacts | None = None
    status: int | None = None
    fault: Fault | None = None
    first_ms: int | None = None
    upstream_request_id: str | None = None


class Cost(Struct, frozen=True, kw_only=True):
    usage: Usage
    cost_nanousd: int | None
    tool_fees_nanousd: int | None = None
    rates: Rates | None = None


class Books:
    """Opens and settles attempts: authority, journal and counters together, in the order that is safe."""

    def __init__(
        self,
        *,
        journal: Journal,
        authority: Authority,
        clock: Clock,
        metrics: Metrics,
        calibrations: Calibrations,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._journal = journal
        self._authority = authority
        self._clock = clock
        self._metrics = metrics
        self._calibrations = calibrations
        self._telemetry = telemetry
        self.outage = Outage(clock.now_ms)

    def open(
        self,
        request: Admitted,
        plan: Plan,
        candidate: Candidate,
        *,
        attempt_no: int,
        role: Role,
        hold_nanousd: int | None,
        dialect_in: str,
        decision: str | None,
        price_version: str,
        unrecorded: Decision | None = None,
        strict: bool = False,
        hold: Hold | None = None,
    ) -> OpenAttempt | Refusal:
        """Hold the money in every budget, then write the intent; nothing may be sent where either refuses.

        `hold` was taken already, under this attempt's identifier, where several workers share budgets. `unrecorded`
        is a decision that goes before the intent, in the same write.
        """
        now_ms = self._clock.now_ms()
        identifier = attempt_id(request.request_id, attempt_no)
        if hold is None:
            taken = self._authority.reserve(request.attribution, identifier, hold_nanousd, now_ms)
            if isinstance(taken, Refusal):
                return taken
            hold = taken
        endpoint = candidate.endpoint
        intent = intent_of(
            request,
            plan,
            candidate,
            identifier=identifier,
            attempt_no=attempt_no,
            role=role,
            now_ms=now_ms,
            hold=hold,
            hold_nanousd=hold_nanousd,
            dialect_in=dialect_in,
            dialect_out=provider_dialect(request.surface, endpoint) or endpoint.dialect,
            decision_id=decision,
            price_version=price_version,
        )
        try:
            if unrecorded is None or not self._begin(unrecorded, intent):
                self._journal.intent(intent)
        except LedgerUnavailable as error:
            self._authority.settle(hold, 0)
            self.outage.refused("intent not written", error, request.request_id)
            return LEDGER_DOWN
        return OpenAttempt(
            attempt_id=identifier,
            attempt_no=attempt_no,
            candidate=candidate,
            hold=hold,
            hold_nanousd=hold_nanousd,
            intent=intent,
            started_ms=now_ms,
            strict=strict,
        )

    def release(self, hold: Hold) -> None:
        """The attempt that it was taken for is not made."""
        self._authority.settle(hold, 0)

    def split(self, hold: Hold, identifier: str, amount_nanousd: int) -> tuple[Hold, Hold]:
        """The part of a hold that an attempt takes, and the rest."""
        return self._authority.split(hold, identifier, amount_nanousd)

    def _begin(self, decision: Decision, intent: Intent) -> bool:
        """False where the two could not be written together: what was decided is then worth a log line, no more."""
        try:
            self._journal.begin(decision, intent)
        except LedgerUnavailable as error:
            self.outage.refused("decision not recorded", error, intent.request_id)
            return False
        return True

    def settle(self, request: Admitted, attempt: OpenAttempt, ended: Ended, *, baseline: PriceTimeline | None) -> Cost:
        """Price what was consumed, write it down, release the rest of the hold."""
        endpoint = attempt.candidate.endpoint
        attempt.settled = True
        now_ms = self._clock.now_ms()
        cost = self._cost(request, attempt, ended)
        baseline_nanousd = saved_nanousd = None
        if baseline is not None:
            baseline_nanousd, saved_nanousd = _against_baseline(cost, ended, baseline, attempt.started_ms)
        charged_nanousd = _charged(attempt, cost, 0 if ended.reply is None else ended.reply.output_bytes)
        settlement = Settlement(
            attempt_id=attempt.attempt_id,
            ts_first_ms=ended.first_ms,
            ts_end_ms=now_ms,
            status=ended.status,
            error_class=None if ended.fault is None else ended.fault.error_class,
            upstream_request_id=_word(ended.upstream_request_id),
            model_reported=None if ended.reply is None else _word(ended.reply.model),
            service_tier=_word(cost.usage.service_tier),
            usage=_in_words(cost.usage),
            tool_fees_nanousd=cost.tool_fees_nanousd,
            cost_nanousd=cost.cost_nanousd,
            charged_nanousd=None if charged_nanousd == cost.cost_nanousd else charged_nanousd,
            rates=cost.rates,
            baseline_nanousd=baseline_nanousd,
            saved_nanousd=saved_nanousd,
            finish_reason=None if ended.reply is None else _word(ended.reply.finish_reason),
        )
        try:
            self._journal.settle(settlement)
        except LedgerUnavailable as error:
            # The intent stands, so recovery will settle it at its hold; budgets must say the same until then.
            self.outage.refused("settlement not written", error, request.request_id)
            self._authority.settle(attempt.hold, None)
        else:
            self._authority.settle(attempt.hold, charged_nanousd)
        self._count(endpoint, attempt, ended, cost, now_ms)
        if self._telemetry is not None:
            self._telemetry.attempt(
                AttemptEnded(
                    intent=attempt.intent,
                    settlement=settlement,
                    parent=request.identity.trace,
                    work=request.work,
                    max_tokens=request.facts.max_tokens,
                    temperature=request.facts.temperature,
                )
            )
        return cost

    def _cost(self, request: Admitted, attempt: OpenAttempt, ended: Ended) -> Cost:
        endpoint = attempt.candidate.endpoint
        reply = ended.reply
        reported = NO_USAGE if reply is None else reply.usage
        if request.work == "count_tokens":
            return Cost(usage=NO_USAGE, cost_nanousd=0)
        usage = settle_usage(
            reported,
            output_bytes=0 if reply is None else reply.output_bytes,
            facts=request.facts,
            ending=ended.ending,
            calibration=self._calibrations.of(endpoint.id),
        )
        match bill(usage):
            case "nothing":
                return Cost(usage=usage, cost_nanousd=0)
            case "hold":
                return Cost(usage=usage, cost_nanousd=attempt.hold_nanousd)
        teaches = ended.ending == "completed" and reported.source == "reported"
        if reply is not None and teaches and attempt.intent.role not in OWN_WORK:
            self._calibrations.learn(endpoint.id, request.facts, reported, reply.output_bytes)
        if endpoint.free and not (usage.web_searches and endpoint.fees == "unknown"):
            return Cost(usage=usage, cost_nanousd=0)
        prices = endpoint.prices
        priced = None if prices is None else price(usage, prices, attempt.started_ms)
        if prices is None or priced is None:
            return Cost(usage=usage, cost_nanousd=None)
        if _is_above_bound(priced.cost_nanousd, attempt):
            told = price(_told(usage, reported), prices, attempt.started_ms)
            if usage.source == "estimated" and (told is None or not _is_above_bound(told.cost_nanousd, attempt)):
                # Only our guess is above what can be billed for what was sent, so it is worth no more than that.
                return Cost(usage=_flagged(usage, "unknown_bill"), cost_nanousd=attempt.hold_nanousd)
            # The invoice will say so: it is believed, and budgets count it; the flag is for whoever disputes it.
            usage = _flagged(usage, "above_bound")
        return Cost(
            usage=usage,
            cost_nanousd=priced.cost_nanousd,
            tool_fees_nanousd=priced.tool_fees_nanousd,
            rates=priced.rates,
        )

    def hit(
        self,
        request: Admitted,
        plan: Plan,
        candidate: Candidate,
        usage: Usage,
        *,
        price_version: str,
        decision: Decision,
    ) -> Refusal | None:
        """A row for an answer from the cache: no provider, nothing consumed, the stored usage's price saved.

        Refused where it cannot be written down: no answer is without its row.
        """
        now_ms = self._clock.now_ms()
        identifier = attempt_id(request.request_id, 0)
        prices = candidate.endpoint.prices
        priced = None if prices is None else price(usage, prices, now_ms)
        intent = structs.replace(
            intent_of(
                request,
                plan,
                candidate,
                identifier=identifier,
                attempt_no=0,
                role="cache",
                now_ms=now_ms,
                hold=Hold(attempt_id=identifier, amount_nanousd=0, held=()),
                hold_nanousd=0,
                dialect_in=request.surface,
                dialect_out=provider_dialect(request.surface, candidate.endpoint) or candidate.endpoint.dialect,
                decision_id=decision.decision_id,
                price_version=price_version,
            ),
            provider=None,
            upstream_model=None,
            reason="cache",
        )
        settlement = Settlement(
            attempt_id=identifier,
            ts_end_ms=now_ms,
            status=200,
            usage=NOTHING_CONSUMED,
            cost_nanousd=0,
            saved_nanousd=None if priced is None else priced.cost_nanousd,
            cache="exact",
        )
        try:
            self._journal.decision(decision)
        except LedgerUnavailable as error:
            self.outage.refused("decision not recorded", error, request.request_id)
        try:
            self._journal.intent(intent)  # written now: there is no upstream request that could be held back
        except LedgerUnavailable as error:
            self.outage.refused("hit not written", error, request.request_id)
            return LEDGER_DOWN
        try:
            self._journal.settle(settlement)
        except LedgerUnavailable as error:
            # As with any attempt: the row is there, and recovery will settle it at its hold, which is nothing.
            self.outage.refused("settlement of a hit not written", error, request.request_id)
        return None

    def _count(self, endpoint: Endpoint, attempt: OpenAttempt, ended: Ended, cost: Cost, now_ms: int) -> None:
        counters = self._metrics.model(attempt.candidate.model, endpoint.provider)
        outcome = "ok" if ended.fault is None else ended.fault.error_class
        counters.attempts[outcome] = counters.attempts.get(outcome, 0) + 1
        usage = cost.usage
        if usage.tokens_in:
            counters.count("input", usage.tokens_in)
        if usage.tokens_cache_read:
            counters.count("cache_read", usage.tokens_cache_read)
        written = (usage.tokens_cache_write_5m or 0) + (usage.tokens_cache_write_1h or 0)
        if written:
            counters.count("cache_write", written)
        if usage.tokens_out:
            counters.count("output", usage.tokens_out)
        if usage.tokens_reasoning:
            counters.count("reasoning", usage.tokens_reasoning)
        if cost.cost_nanousd is None:
            counters.unpriced += 1
        else:
            counters.cost_nanousd += cost.cost_nanousd
        counters.duration.observe((now_ms - attempt.started_ms) / 1000)
        if ended.first_ms is not None:
            counters.first_byte.observe((ended.first_ms - attempt.started_ms) / 1000)


def _word(said: str | None) -> str | None:
    """No longer than a word is."""
    return said if said is None or len(said) <= MAX_WORD_CHARS else said[:MAX_WORD_CHARS] + "…"


def _in_words(usage: Usage) -> Usage:
    tier, geo = _word(usage.service_tier), _word(usage.inference_geo)
    if tier is usage.service_tier and geo is usage.inference_geo:
        return usage
    return structs.replace(usage, service_tier=tier, inference_geo=geo)


def _is_above_bound(cost_nanousd: int, attempt: OpenAttempt) -> bool:
    """Whether this is more than a provider can have worked, who keeps to the output cap that it was sent."""
    return attempt.strict and attempt.hold_nanousd is not None and cost_nanousd > attempt.hold_nanousd


def _told(usage: Usage, reported: Usage) -> Usage:
    """What of an estimate is the provider's own word."""
    if PARTIAL not in usage.flags:
        return NO_USAGE
    return structs.replace(reported, tokens_in=reported.tokens_in or 0, tokens_out=reported.tokens_out or 0)


def _flagged(usage: Usage, flag: str) -> Usage:
    return structs.replace(usage, flags=(*usage.flags, flag))


def _charged(attempt: OpenAttempt, cost: Cost, output_bytes: int) -> int | None:
    """What budgets count; None (an unknown cost) is the hold.

    An estimate is no bound, nor is a zero for an answer that was seen, so under a strict budget the hold stays spent.
    The settlement says so, for the counters that are made from rows later.
    """
    hold, known = attempt.hold_nanousd, cost.cost_nanousd
    if known is None or hold is None or not attempt.strict or is_bound(cost.usage, output_bytes):
        return known
    return max(hold, known)


def _against_baseline(cost: Cost, ended: Ended, baseline: PriceTimeline, ts_ms: int) -> tuple[int | None, int | None]:
    """The same buckets at the baseline model's price, once per request; a failed attempt only costs."""
    if ended.ending != "completed":
        return None, None if cost.cost_nanousd is None else -cost.cost_nanousd
    priced = price(cost.usage, baseline, ts_ms)
    if priced is None or cost.cost_nanousd is None:
        return None, None
    return priced.cost_nanousd, priced.cost_nanousd - cost.cost_nanousd
