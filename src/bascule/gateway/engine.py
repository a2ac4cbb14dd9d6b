"""One request, end to end: admit, plan, cache, serve, record."""

import asyncio
import logging
from collections.abc import Mapping

from msgspec import Struct

from bascule.decide.admit import is_limited
from bascule.decide.budget import hold_mode
from bascule.dialects.registry import dialect
from bascule.gateway.admission import Admitted, admit, authenticate
from bascule.gateway.bodies import Bodies
from bascule.gateway.books import LEDGER_DOWN
from bascule.gateway.caching import Caching
from bascule.gateway.calibrations import Calibrations
from bascule.gateway.counting import count_tokens_locally, likely_tokens
from bascule.gateway.decisions import Recorder
from bascule.gateway.effects import Effects
from bascule.gateway.evidence.comparing import Comparing
from bascule.gateway.exchange import Exchange
from bascule.gateway.holding import affordable
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.kept import KeptAnswers
from bascule.gateway.metrics import Metrics
from bascule.gateway.once import Once, Run
from bascule.gateway.planning import Planned, Planning
from bascule.gateway.protecting import Protecting
from bascule.gateway.respond import error_answer
from bascule.gateway.serving import Serving
from bascule.gateway.strategies.kit import Kit
from bascule.gateway.strategies.running import Running, begin
from bascule.gateway.strategies.strategies import Strategies
from bascule.gateway.surfaces import SURFACES
from bascule.gateway.tally import Tally
from bascule.link import Snapshot
from bascule.model.errors import Refusal, StoreError
from bascule.model.policy import KeyPolicy
from bascule.model.trace import read_traceparent
from bascule.ports import Clock, KeyStore, RateLimiter
from bascule.ports.telemetry import RequestEnded, Telemetry

log = logging.getLogger("bascule.engine")

INTERNAL = Refusal(kind="internal", message="the gateway failed; its log has the request id", code="internal_error")


NOT_COUNTED = frozenset({"budget_exhausted", "unpriceable", "forbidden", "unavailable", "unsupported"})
"""Refusals after which a request that nobody upstream has seen has not used the rate that it took."""


class World(Struct, frozen=True, kw_only=True):
    """What outlives a configuration: the ports and the state that requests share."""

    keys: KeyStore
    bodies: Bodies
    rates: RateLimiter
    calibrations: Calibrations
    recorder: Recorder
    caching: Caching
    kept: KeptAnswers | None
    """None where the configuration keeps no answers."""
    once: Once | None
    """None where repeated requests are not recognised."""
    clock: Clock
    identifiers: Identifiers
    metrics: Metrics
    telemetry: Telemetry | None = None
    """Who is told what has ended; None: nobody."""


class Settings(Struct, frozen=True, kw_only=True):
    """One configuration, ready to serve. A request keeps the one it began with."""

    snapshot: Snapshot
    planning: Planning
    effects: Effects
    observe: bool
    quality_levels: Mapping[str, float]
    strategies: Strategies
    comparing: Comparing | None = None
    """None where no route has challengers, or nothing is enforced."""
    protecting: Protecting | None = None
    """None where nothing is looked for."""


class Engine:
    """Serves exchanges. `use` swaps the configuration whole; requests in flight keep theirs."""

    def __init__(self, world: World, settings: Settings) -> None:
        self._world = world
        self._settings = settings
        self.metrics = world.metrics

    @property
    def is_open(self) -> bool:
        """No key is configured: anyone who reaches the port may use it."""
        return self._world.keys.is_open

    @property
    def snapshot(self) -> Snapshot:
        return self._settings.snapshot

    def new_request_id(self) -> str:
        """For a request that is refused before it gets here."""
        return self._world.identifiers.request(self._world.clock.now_ms())

    def identify(self, secret: bytes | None) -> KeyPolicy | Refusal:
        """Whose request it is, before it is read. `handle` asks again, for a key may end while a body arrives."""
        return authenticate(self._world.keys, secret, self._world.clock.now_ms())

    def use(self, settings: Settings) -> None:
        self._settings = settings

    async def handle(self, exchange: Exchange) -> None:
        """Answer one client. Never raises but for cancellation."""
        world = self._world
        surface = exchange.incoming.surface
        now_ms = world.clock.now_ms()
        request_id = world.identifiers.request(now_ms)
        world.metrics.in_flight += 1
        status = 200
        refusal: Refusal | None = None
        try:
            refusal = await self._serve(exchange, self._settings, request_id, now_ms)
            if refusal is not None:
                status = await self._refuse(exchange, refusal, request_id)
        except asyncio.CancelledError:
            status = 499
            raise
        except StoreError:
            log.exception("the store did not answer", extra={"request_id": request_id})
            refusal = LEDGER_DOWN
            status = await self._refuse(exchange, refusal, request_id)
        except Exception:
            log.exception("request failed", extra={"request_id": request_id})
            refusal = INTERNAL
            status = await self._refuse(exchange, refusal, request_id)
        finally:
            world.metrics.in_flight -= 1
            world.metrics.request(surface, status)
            if world.telemetry is not None:
                ended = RequestEnded(
                    request_id=request_id,
                    surface=surface,
                    parent=read_traceparent(exchange.incoming.headers.get(b"traceparent")),
                    started_ms=now_ms,
                    ended_ms=world.clock.now_ms(),
                    status=status,
                    refusal=None if refusal is None else refusal.kind,
                )
                world.telemetry.request(ended)

    async def _refuse(self, exchange: Exchange, refusal: Refusal, request_id: str) -> int:
        self._world.metrics.refusal(refusal.kind)
        status, headers, body = error_answer(exchange.incoming.surface, refusal, request_id)
        if not (exchange.gone or exchange.started):
            await exchange.respond(status, headers, body)
        return status

    async def _serve(self, exchange: Exchange, settings: Settings, request_id: str, now_ms: int) -> Refusal | None:
        """None where the client was answered."""
        world = self._world
        surface = exchange.incoming.surface
        request = admit(
            exchange.incoming,
            request_id=request_id,
            keys=world.keys,
            bodies=world.bodies,
            dialect=dialect(SURFACES[surface].dialect),
            kept=world.kept if SURFACES[surface].refers else None,
            quality_levels=settings.quality_levels,
            registry=settings.snapshot,
            enforce=not settings.observe,
            now_ms=now_ms,
            now_s=world.clock.monotonic_s(),
        )
        if isinstance(request, Refusal):
            return request
        if request.identity.idempotency_key is None or world.once is None or settings.observe:
            return await self._serve_admitted(exchange, settings, request)
        return await self._serve_once(world.once, exchange, settings, request)

    async def _serve_once(
        self, once: Once, exchange: Exchange, settings: Settings, request: Admitted
    ) -> Refusal | None:
        """Serve a request with an Idempotency-Key, unless it repeats one."""
        run = await once.enter(exchange, request)
        if not isinstance(run, Run):
            return run
        refusal = None
        try:
            refusal = await self._serve_admitted(run.exchange, settings, request, run)
        finally:
            await once.leave(run, refusal)
        return refusal

    async def _serve_admitted(
        self, exchange: Exchange, settings: Settings, request: Admitted, run: Run | None = None
    ) -> Refusal | None:
        """None where the client was answered. `run`: of a request with an Idempotency-Key."""
        world = self._world
        protecting = settings.protecting
        if protecting is not None and protecting.is_wanted(request) and not settings.observe:
            protected = await protecting.protect(request)
            if isinstance(protected, Refusal):
                world.recorder.refused(request, protected)
                return protected
            request = protected
        lending = settings.effects.holding.lending
        if lending is not None:
            await lending.ready(request.attribution)
        planned = settings.planning.plan(request)
        if isinstance(planned, Refusal):
            world.recorder.refused(request, planned)
            return planned
        guard = settings.effects.runaway
        if guard is not None:
            guarded = guard.guard(exchange, request, planned, settings.planning.plan)
            if isinstance(guarded, Refusal):
                world.recorder.refused(request, guarded, planned.plan)
                return guarded
            exchange, planned = guarded
        if request.work == "count_tokens":
            counted = count_tokens_locally(request, planned.plan, world.calibrations)
            if counted is not None:
                await exchange.respond(200, *counted)
                return None
        keeps = world.caching.wants(request)
        if keeps and not settings.observe:
            served = await world.caching.serve(
                exchange,
                request,
                planned.plan,
                recorder=world.recorder,
                splice_cost=settings.effects.splice_cost,
                price_version=settings.effects.price_version,
            )
            if served:
                return served if isinstance(served, Refusal) else None
        if not settings.observe and is_limited(request.key.rate):
            return await self._run_within_rates(exchange, settings, request, planned, keeps=keeps, run=run)
        serving = await self._prepare(exchange, settings, request, planned, keeps=keeps, run=run)
        return serving if isinstance(serving, Refusal) else await self._finish(serving, request)

    async def _run_within_rates(
        self,
        exchange: Exchange,
        settings: Settings,
        request: Admitted,
        planned: Planned,
        *,
        keeps: bool,
        run: Run | None,
    ) -> Refusal | None:
        """Serve if the key's rate limits let it in. A request that is refused afterwards has not counted."""
        world = self._world
        name, limit = request.key.name, request.key.rate
        tokens = likely_tokens(request, planned.plan, world.calibrations)
        limited = world.rates.take(name, limit, tokens, request.started_s)
        if limited is not None:
            world.recorder.refused(request, limited, planned.plan)
            return limited
        serving: Serving | Running | Refusal | None = None
        refusal: Refusal | None = None
        try:
            serving = await self._prepare(exchange, settings, request, planned, keeps=keeps, run=run)
            refusal = serving if isinstance(serving, Refusal) else await self._finish(serving, request)
        finally:
            now_s = world.clock.monotonic_s()
            sent = isinstance(serving, Serving | Running) and serving.tally.sent
            if refusal is not None and refusal.kind in NOT_COUNTED and not sent:
                world.rates.give_back(name, limit, tokens, now_s)
            else:
                used = serving.tally.tokens_likely(tokens) if isinstance(serving, Serving | Running) else None
                world.rates.finish(name, limit, tokens, used, now_s)
        return refusal

    async def _prepare(
        self,
        exchange: Exchange,
        settings: Settings,
        request: Admitted,
        planned: Planned,
        *,
        keeps: bool,
        run: Run | None,
    ) -> Serving | Running | Refusal:
        """Fit the plan to the money that is left, and write down what was decided. `keeps`: the answer may be kept."""
        world = self._world
        fx = settings.effects
        found = None if settings.observe or request.work != "chat" else settings.strategies.of(planned.plan)
        if found is not None:
            route, strategist = found
            kit = Kit(
                holding=fx.holding,
                planning=settings.planning,
                request=request,
                plan=planned.plan,
                route=route,
                commands=fx.commands,
                verifiers=fx.verifiers,
            )
            keep_bytes = world.caching.most_bytes if keeps else 0
            several = await begin(kit, strategist, exchange, fx, planned, world.recorder, keep_bytes=keep_bytes)
            if isinstance(several, Running) and run is not None:
                run.course = several
            if several is not None:
                return several
        budgets = fx.holding.budgets(request)
        fitted = fx.holding.fit(request, planned.plan.candidates, planned.plan, budgets)
        if isinstance(fitted, Refusal) and fx.holding.lending is not None:
            lending, candidates = fx.holding.lending, planned.plan.candidates
            budgets, fitted = await fx.holding.fit_anew(lending, request, candidates, planned.plan, fitted)
        if isinstance(fitted, Refusal):
            world.recorder.refused(request, fitted)
            return fitted
        plan = affordable(planned.plan, fitted)
        decision = world.recorder.planned(
            request,
            plan,
            budgets,
            health=planned.health,
            observed=planned.observed,
            price_version=fx.price_version,
        )
        serving = Serving(
            fx,
            exchange,
            request,
            plan,
            fitted,
            tally=Tally(decision),
            keep_bytes=world.caching.most_bytes if keeps else 0,
            strict=hold_mode(budgets) == "strict",
        )
        if settings.comparing is not None:
            settings.comparing.watch(serving, request, plan)
        if run is not None:
            run.course = serving
        return serving

    async def _finish(self, serving: Serving | Running, request: Admitted) -> Refusal | None:
        cancelled = True
        try:
            refusal = await serving.run()
            cancelled = False
        finally:
            if isinstance(serving, Serving) and serving.on_end is not None:
                serving.on_end(serving, cancelled)
            if serving.tally.unrecorded is not None:
                self._world.recorder.write(serving.tally.unrecorded)
        if refusal is not None:
            return None if serving.started else refusal
        caching, answered = self._world.caching, serving.answered
        if answered is not None and caching.wants(request) and len(answered.raw) <= caching.most_bytes:
            caching.keep(request, answered)
        return None
