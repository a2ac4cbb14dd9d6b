"""Everything that serves, built once and joined."""

import random
import secrets as randomness
import time
from typing import Protocol

from bascule.compose import parts
from bascule.compose.spending import budgets_of, spent_in
from bascule.compose.store import Store
from bascule.config.shape import QUALITY_LEVELS, Config
from bascule.decide.attempt import AttemptLimits
from bascule.decide.route import RouteTable
from bascule.gateway.alerting import Alerting
from bascule.gateway.bodies import Bodies
from bascule.gateway.books import Books
from bascule.gateway.cache_watch import CacheWatch
from bascule.gateway.caching import Caching
from bascule.gateway.calibrations import Calibrations
from bascule.gateway.decisions import Recorder
from bascule.gateway.dispatch import Dispatcher
from bascule.gateway.effects import Effects
from bascule.gateway.engine import Engine, Settings, World
from bascule.gateway.evidence.book import Book
from bascule.gateway.evidence.comparing import Comparing, Tasks
from bascule.gateway.evidence.earning import Earning
from bascule.gateway.evidence.sessions import IncumbentSessions
from bascule.gateway.holding import Holding
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.ledger_watch import LedgerWatch
from bascule.gateway.metrics import Metrics
from bascule.gateway.once import Once
from bascule.gateway.once import Ports as OncePorts
from bascule.gateway.operator_alerts import OperatorAlerts
from bascule.gateway.planning import Planning
from bascule.gateway.protecting import Protecting
from bascule.gateway.recognisers import recognisers
from bascule.gateway.recording import Recordings
from bascule.gateway.relay import Drains
from bascule.gateway.retry_budgets import RetryBudgets
from bascule.gateway.routing_state import RoutingState
from bascule.gateway.runaway import RunawayWatch
from bascule.gateway.runaway_guard import guard_of
from bascule.gateway.strategies.strategies import Strategies
from bascule.gateway.wellbeing import Wellbeing
from bascule.link import Snapshot
from bascule.link.evidence import evidence_policies
from bascule.model.policy import Budget
from bascule.ports import Beside, Clock, KeyStore, LeaseStore, Upstream
from bascule.ports.commands import Commands
from bascule.ports.telemetry import Telemetry
from bascule.ports.verifiers import Verifiers
from bascule.storage.beside import OneThread
from bascule.storage.content.open import open_content
from bascule.storage.drainer import Drainer
from bascule.storage.journal.segments import chain_id_of, lock_chain
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.keys import open_pepper
from bascule.storage.lending.borrowing import Borrowing
from bascule.storage.lending.lender import LendingLimits
from bascule.storage.lending.twin import judge_only
from bascule.storage.memory.authority import MemoryAuthority
from bascule.storage.memory.rate import RateLimiter
from bascule.storage.recover import Recovery, recover
from bascule.storage.replica import LOCAL, is_of
from bascule.upstream.client import HttpUpstream
from bascule.upstream.commands import LocalCommands
from bascule.upstream.guarded import GuardedConnector
from bascule.upstream.limits import UpstreamLimits
from bascule.upstream.outbox import Outbox
from bascule.upstream.verifiers import InstalledVerifiers

END_OF_TIME_MS = 1 << 62


class SystemClock:
    """Implements `ports.Clock`."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    monotonic_s = staticmethod(time.monotonic)


class Transport(Upstream, Protocol):
    """An upstream with connections of its own."""

    @property
    def open_connections(self) -> int: ...

    def close(self) -> None: ...


class Work(Beside, Protocol):
    """Work beside the event loop that is ended with the gateway."""

    def close(self) -> None: ...


class Gateway:
    """Everything that serves, from opening to closing."""

    def __init__(
        self,
        snapshot: Snapshot,
        store: Store,
        keys: KeyStore,
        clock: Clock | None = None,
        *,
        transport: Transport | None = None,
        journal: JournalWriter | None = None,
        beside: Work | None = None,
        worker: int = 0,
        leases: LeaseStore | None = None,
        telemetry: Telemetry | None = None,
        commands: Commands | None = None,
        verifiers: Verifiers | None = None,
    ) -> None:
        """`transport`, `journal`, `beside`, `commands` and `verifiers` stand in for the real ones in tests; `leases`
        where budgets are shared with other workers. Raises StoreError where the journal cannot be begun."""
        config = snapshot.config
        self.clock = clock or SystemClock()
        self.store = store
        self.keys = keys
        self.epoch = epoch = f"{self.clock.now_ms():x}{randomness.token_hex(2)}"
        self.journal = journal or JournalWriter(
            store.journals,
            chain_id_of(store.replica, worker, epoch),
            durability=config.durability,
            max_backlog_lines=config.server.limits.max_ledger_queue,
        )
        self.drainer = Drainer(self.journal, store.ledger, watermarks=store.stores.watermarks)
        self.authority = MemoryAuthority(
            budgets_of(snapshot, store.governance.budgets()),
            spent_in(store.ledger, self.journal),
            shared=leases is not None,
        )
        self.leases = leases
        self.borrowing = None if leases is None else self._borrowing(leases, config)
        self.metrics = Metrics()
        self.bodies = Bodies(snapshot.config.server.limits.max_body_values)
        self.alerting = Alerting(
            claims=store.governance,
            clock=self.clock,
            metrics=self.metrics,
            dice=random.random,
            connect=lambda timeout_s: GuardedConnector(timeout_s=timeout_s),
        )
        self.cache_watch = CacheWatch(self.metrics, tell=self.alerting.tell)
        self.runaway_watch = RunawayWatch(clock=self.clock, metrics=self.metrics, tell=self.alerting.tell)
        self.routing = RoutingState()
        self.calibrations = Calibrations()
        self.wellbeing = Wellbeing(*parts.leaving_alone(config))
        self.operator_alerts = OperatorAlerts(clock=self.clock, tell=self.alerting.tell)
        self.wellbeing.listeners += [self.metrics.breaker, self.operator_alerts.breaker]
        self.retry_budgets = RetryBudgets(parts.retry_budget(config.retry))
        self.drains = Drains(config.server.limits.max_drains)
        limits = config.server.limits
        self.outbox = Outbox(self.journal.write_group)
        self._in_groups = transport is None
        """A transport from outside does not wait for the end of a round, so lines must not either."""
        self.upstream: Transport = transport or HttpUpstream(
            UpstreamLimits(max_connections_per_origin=limits.max_connections_per_provider), outbox=self.outbox
        )
        self.cache = parts.cache(config)
        self.kept = parts.kept(config)
        self.beside = beside or OneThread("bascule-keys")
        self.evidence_beside = beside or OneThread("bascule-evidence")
        self.evidence = Book(store.stores.evidence, self.evidence_beside, self.clock)
        self.comparisons = Tasks()
        self.incumbent_sessions = IncumbentSessions()
        self.keys_used = parts.keys_used(config, store)
        self.content = open_content(
            config.privacy, snapshot.content_keys, store.data_dir, self.clock.now_ms, store.stores.replies
        )
        self.recordings = self._recordings(config)
        self.commands = commands or LocalCommands()
        self.verifiers = verifiers or InstalledVerifiers()
        self.once = self._once(config)
        self.books = Books(
            journal=self.journal,
            authority=self.authority,
            clock=self.clock,
            metrics=self.metrics,
            calibrations=self.calibrations,
            telemetry=telemetry,
        )
        self.ledger_watch = LedgerWatch(
            drainer=self.drainer, outage=self.books.outage, clock=self.clock, tell=self.alerting.tell
        )
        self.telemetry = telemetry
        self.engine = Engine(self._world(), self.settings(snapshot))
        self._tell_whom(snapshot)

    def _tell_whom(self, snapshot: Snapshot) -> None:
        config = snapshot.config
        self.alerting.configure(config.alerts, snapshot.webhooks)
        self.ledger_watch.backlog_share = config.alerts.ledger_backlog_share
        self.ledger_watch.max_lines = config.server.limits.max_ledger_queue

    def _borrowing(self, leases: LeaseStore, config: Config) -> Borrowing:
        return Borrowing(
            leases=leases,
            ledger=self.store.ledger,
            journal=self.journal,
            authority=self.authority,
            clock=self.clock,
            replica=self.store.replica,
            limits=LendingLimits(
                term_ms=round(config.leases.term_s * 1000),
                ahead_s=config.leases.ahead_s,
                wait_s=config.leases.wait_s,
                max_waiting=config.leases.max_waiting,
            ),
        )

    def _recordings(self, config: Config) -> Recordings | None:
        if self.content is None or config.privacy.record_content == "none":
            return None
        full = config.privacy.record_content == "full"
        return Recordings(self.content.recorder, full=full, digest=open_pepper(self.store.data_dir).digest)

    def _once(self, config: Config) -> Once | None:
        if self.keys_used is None:
            return None
        ports = OncePorts(
            store=self.keys_used,
            replies=self.content.store
            if self.content is not None and config.privacy.record_content == "full"
            else None,
            beside=self.beside,
            clock=self.clock,
            metrics=self.metrics,
            owner=self.journal.chain_id,
        )
        return Once(ports, config.idempotency)

    def _world(self) -> World:
        return World(
            keys=self.keys,
            bodies=self.bodies,
            rates=RateLimiter(),
            calibrations=self.calibrations,
            recorder=Recorder(self.journal, self.authority, self.books.outage),
            kept=self.kept,
            once=self.once,
            caching=Caching(self.cache, books=self.books, clock=self.clock, metrics=self.metrics),
            clock=self.clock,
            identifiers=Identifiers(),
            metrics=self.metrics,
            telemetry=self.telemetry,
        )

    def settings(self, snapshot: Snapshot) -> Settings:
        """A configuration, ready to serve."""
        config = snapshot.config
        self.metrics.configured = _named(snapshot)
        observe = config.mode == "observe"
        holding = Holding(
            authority=self.authority,
            calibrations=self.calibrations,
            clock=self.clock,
            enforce=not observe,
            lending=None if self.borrowing is None else self.borrowing.lender,
        )
        policies = {} if observe else evidence_policies(snapshot)
        self.evidence.policies = policies
        earning = Earning(snapshot, policies, self.evidence, self.incumbent_sessions) if policies else None
        planning = Planning(
            RouteTable(snapshot),
            mode=config.mode,
            calibrations=self.calibrations,
            holding=holding,
            wellbeing=self.wellbeing,
            earning=earning,
            state=self.routing,
        )
        effects = self._effects(snapshot, holding, planning)
        return Settings(
            snapshot=snapshot,
            protecting=Protecting(snapshot, recognisers(), self.metrics),
            planning=planning,
            effects=effects,
            observe=observe,
            quality_levels={**QUALITY_LEVELS, **config.quality_levels},
            strategies=Strategies(snapshot),
            comparing=None
            if earning is None
            else Comparing(
                snapshot,
                earning=earning,
                book=self.evidence,
                store=self.store.stores.evidence,
                effects=effects,
                planning=planning,
                tasks=self.comparisons,
                metrics=self.metrics,
            ),
        )

    def _effects(self, snapshot: Snapshot, holding: Holding, planning: Planning) -> Effects:
        config, baseline = snapshot.config, snapshot.baseline_model
        return Effects(
            upstream=self.upstream,
            books=self.books,
            clock=self.clock,
            dispatcher=Dispatcher(snapshot, drains=self.drains),
            holding=holding,
            wellbeing=self.wellbeing,
            retry_budgets=self.retry_budgets,
            dice=random.random,
            limits=AttemptLimits(
                max_attempts=config.retry.max_attempts,
                retry_after_cap_s=config.retry.retry_after_cap_s,
                deadline_s=config.retry.deadline_s,
            ),
            baseline=None if baseline is None else baseline.endpoints[0].prices,
            price_version=snapshot.price_version,
            splice_cost=config.server.usage_cost,
            cache_watch=self.cache_watch,
            routing=self.routing,
            charge_dear=planning.charge,
            collapse=parts.collapse(config.cache.prompt.alert),
            runaway=guard_of(snapshot, self.runaway_watch),
            kept=self.kept,
            recordings=self.recordings,
            commands=self.commands,
            verifiers=self.verifiers,
        )

    def open(self) -> Recovery:
        """Bring the ledger up to date, load what has been spent, start draining."""
        now_ms = self.clock.now_ms()
        store = self.store
        if self.leases is not None and store.replica != LOCAL:
            judge_only(self.leases, store.journals, store.replica)
        found = recover(store.journals, store.ledger, self.journal, self.drainer, now_ms, replica=store.replica)
        self._forget_dead_journals()
        if self.keys_used is not None:
            self.keys_used.abandon(self._is_dead)
        budgets = budgets_of(self.engine.snapshot, self.store.governance.budgets())
        if self.borrowing is None:
            spent = self.store.ledger.spent(budgets, now_ms)
            self.authority.preload({where: (s.settled_nanousd, s.held_nanousd) for where, s in spent.items()})
        else:
            self.borrowing.open(budgets, now_ms)
        self.drainer.start()
        if self.content is not None:
            self.content.recorder.start()
        if self._in_groups:
            self.journal.write_in_groups(self.outbox.due)
        return found

    def _forget_dead_journals(self) -> None:
        """Nobody need wait for what has just been recovered."""
        watermarks = self.store.stores.watermarks
        if watermarks is None:
            return
        for chain_id in filter(self._is_dead, watermarks.behind(END_OF_TIME_MS)):
            watermarks.ended(chain_id)

    def _is_dead(self, owner: str) -> bool:
        """Whether the process of this chain, of this host, has ended."""
        if owner == self.journal.chain_id or not is_of(self.store.replica, owner):
            return False
        lock = lock_chain(self.store.journals, owner)
        if lock is None:
            return False
        lock.release(remove=True)
        return True

    def reconfigure(self, snapshot: Snapshot, stored: tuple[Budget, ...]) -> None:
        """Take a new configuration and the store's budgets whole. Requests in flight keep theirs; what has been spent
        stays spent."""
        self.authority.configure(budgets_of(snapshot, stored))
        self.wellbeing.use(*parts.leaving_alone(snapshot.config))
        self.retry_budgets.policy = parts.retry_budget(snapshot.config.retry)
        self.bodies.max_values = snapshot.config.server.limits.max_body_values
        self.engine.use(self.settings(snapshot))
        self._tell_whom(snapshot)

    @property
    def store_error(self) -> str | None:
        """Why the ledger's store did not take the last lines; None while it does."""
        return self.drainer.last_error

    def relieve(self) -> None:
        """Memory is short: let go of what can be had again."""
        if self.cache is not None:
            self.cache.clear()

    def forget(self) -> None:
        """Drop the answers that are kept in memory, whosesoever."""
        self.relieve()
        if self.once is not None:
            self.once.kept.clear()
        if self.kept is not None:
            self.kept.clear()

    def close(self) -> bool:
        """Stop draining and close everything; True where the store has every line."""
        self.upstream.close()
        self.outbox.flush()
        self.journal.write_in_groups(None)
        complete = self.drainer.close()
        if self.borrowing is not None:
            self.borrowing.close(complete)
        self.beside.close()
        self.evidence_beside.close()
        if self.content is not None:
            self.content.close()
        if self.keys_used is not None:
            self.keys_used.close()
        self.store.database.close()
        return complete


def _named(snapshot: Snapshot) -> frozenset[str]:
    """The models of the configuration, and the endpoints that serve them."""
    models = snapshot.models.values()
    return frozenset([*snapshot.models, *[endpoint.id for model in models for endpoint in model.endpoints]])
