"""Requests with an Idempotency-Key: the first is served, those that repeat it get its answer, and none is sent twice.

The first takes the key in the store, a row that only one can have, before anything is decided; in this process those
that come meanwhile wait for it without asking the store. What becomes of the key says its `Course`: answered whole, the
answer is kept; nothing sent that may be billed, the key is free again; else it is used up, and a repetition is told
which attempt to look for.
"""

import asyncio
import logging
from typing import Literal, Protocol

from msgspec import Struct, structs

from bascule.config.idempotency import Idempotency
from bascule.decide import idempotency as decide
from bascule.gateway.admission import Admitted
from bascule.gateway.endings import NOBODY_WAITS
from bascule.gateway.exchange import Exchange, Incoming
from bascule.gateway.identifiers import attempt_id
from bascule.gateway.metrics import Metrics
from bascule.gateway.recorded import RecordedExchange
from bascule.gateway.replies import KeptReplies, replay
from bascule.model.content import Subject
from bascule.model.errors import Refusal, StoreError
from bascule.model.idempotency import KeptReply, KeyState, KeyUse, Outcome
from bascule.ports import Beside, Clock, IdempotencyStore, ReplyStore

log = logging.getLogger("bascule.idempotency")

POLL_S = 0.25
"""Between two looks at a request that another process serves."""
PURGE_EVERY_S = 1.0
Taken = Literal["claimed"] | KeyUse | KeptReply | Refusal
"""A key, as the store has it for a request: its own now, or what has become of the first one."""
PATIENCE = 10.0
"""What is written after the answer has gone may take this many times as long as what it waits for."""


class Course(Protocol):
    """What came of serving, as far as the key is concerned."""

    @property
    def complete(self) -> bool:
        """The client was given a whole answer."""
        ...

    @property
    def billable(self) -> bool:
        """Something was sent for which a provider may bill."""
        ...

    @property
    def attempts(self) -> int: ...


class Run:
    """A request that has its key, while it is served."""

    def __init__(self, use: KeyUse, request: Admitted, exchange: Exchange, most_bytes: int) -> None:
        self.use = use
        self.request = request
        self.waiting = 0
        self.outcome: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        """None: the key is free again, and whoever waits may try it."""
        self.exchange = RecordedExchange(exchange, most_bytes=most_bytes, others_wait=lambda: self.waiting > 0)
        self.course: Course | None = None
        """Set once it is served; None where it was answered without an attempt, or refused before."""

    def state(self, refusal: Refusal | None) -> KeyState | None:
        """None: nothing came of it that could be billed, so the key is free."""
        if self.course is None:
            return "done" if refusal is None and self.exchange.ended else None
        if self.course.complete:
            return "done"
        return "lost" if self.course.billable else None


class Ports(Struct, frozen=True, kw_only=True):
    """What it needs of the world."""

    store: IdempotencyStore
    replies: ReplyStore | None
    """None: no answer outlives the process."""
    beside: Beside
    clock: Clock
    metrics: Metrics
    owner: str


class Once:
    """The requests with keys that one process serves."""

    def __init__(self, ports: Ports, limits: Idempotency) -> None:
        self._ports = ports
        self._limits = limits
        self.kept = KeptReplies(limits.max_bytes)
        self._runs: dict[bytes, Run] = {}
        self._waiting = 0
        self._purged_s = ports.clock.monotonic_s()

    async def enter(self, exchange: Exchange, request: Admitted) -> Run | Refusal | None:
        """A run to serve on its exchange and then to `leave`; None where the client was given the first answer."""
        sent = exchange.incoming.headers.all(b"idempotency-key")
        problem = decide.key_problem(sent)
        if problem is not None:
            return problem
        use = self._use(exchange.incoming, request, sent[0])
        until_s = self._ports.clock.monotonic_s() + self._limits.wait_s
        while True:
            found = await self._look(use, request, exchange, until_s)
            if isinstance(found, Run | Refusal):
                return found
            if found is not None:
                self._ports.metrics.replays += 1
                await replay(exchange, found)
                return None

    async def _look(
        self, use: KeyUse, request: Admitted, exchange: Exchange, until_s: float
    ) -> Run | KeptReply | Refusal | None:
        """None: look again."""
        kept = self._kept(use)
        if kept is not None:
            return kept
        run = self._runs.get(use.name)
        if run is not None:
            return await self._outcome_of(run, use, until_s)
        taken = await self._take(use, request, exchange)
        return await self._elsewhere(until_s) if isinstance(taken, KeyUse) else taken

    async def leave(self, run: Run, refusal: Refusal | None) -> None:
        """Say what became of it: to those who wait at once, then to the store."""
        use, state = run.use, run.state(refusal)
        last = None if run.course is None else attempt_id(use.request_id, run.course.attempts)
        reply = run.exchange.reply(use.digest, use.until_ms) if state == "done" else None
        if reply is not None:
            self.kept.put(use.name, reply)
        told = reply or _told(use, state, last, refusal)
        if told is not None:
            run.outcome.set_result(told)
        try:
            await self._write(run, state, last, reply)
        finally:
            del self._runs[use.name]
            if told is None:
                run.outcome.set_result(None)  # only now is the key free for whoever waits

    async def _write(self, run: Run, state: KeyState | None, last: str | None, reply: KeptReply | None) -> None:
        """Where it fails the row stays open, which a repetition takes for used up: never for free."""
        store, use, payer = self._ports.store, run.use, run.request.attribution
        subject = Subject(user=payer.user, session_id=payer.session_id)

        def work() -> None:
            if state is None:
                store.release(use.name, use.request_id)
                return
            try:
                if reply is not None and self._ports.replies is not None:
                    # First: who finds the key used up, in another process, finds the answer too.
                    self._ports.replies.keep(use.name, reply, subject=subject, started_ms=use.started_ms)
            finally:
                store.end(use.name, use.request_id, state, last)

        try:
            await self._ports.beside.run(work, self._limits.store_wait_s * PATIENCE)
        except StoreError as error:
            log.error("what became of a key could not be written: %s", error, extra={"request_id": use.request_id})

    def _use(self, incoming: Incoming, request: Admitted, key: bytes) -> KeyUse:
        path = f"{incoming.model or ''} {incoming.stream} {request.array}"
        return KeyUse(
            name=decide.name_of(request.key.name, key),
            digest=decide.digest_of(incoming.surface, path, incoming.body, request.betas),
            tenant=request.key.name,
            request_id=request.request_id,
            owner=self._ports.owner,
            started_ms=request.started_ms,
            until_ms=request.started_ms + int(self._limits.ttl_s * 1000),
        )

    def _kept(self, use: KeyUse) -> Outcome | None:
        kept = self.kept.get(use.name, self._ports.clock.now_ms())
        if kept is None:
            return None
        return kept if kept.digest == use.digest else decide.MISMATCH

    async def _outcome_of(self, run: Run, use: KeyUse, until_s: float) -> Outcome | None:
        """Of a request that this process serves, or has just served. None: its key is free again."""
        if run.use.digest != use.digest:
            return decide.MISMATCH
        if not run.outcome.done():
            left_s = until_s - self._ports.clock.monotonic_s()
            if left_s <= 0 or self._waiting >= self._limits.max_waiting:
                return decide.IN_PROGRESS
            self._waiting += 1
            run.waiting += 1
            try:
                await asyncio.wait((run.outcome,), timeout=left_s)
            finally:
                self._waiting -= 1
                run.waiting -= 1
        return run.outcome.result() if run.outcome.done() else decide.IN_PROGRESS

    async def _take(self, use: KeyUse, request: Admitted, exchange: Exchange) -> Run | KeyUse | Refusal | KeptReply:
        """The key in the store, if nobody has it; who asks for it meanwhile waits here and not there."""
        run = self._runs[use.name] = Run(use, request, exchange, self._limits.max_answer_bytes)
        store = self._ports.store
        taken: Taken = decide.STORE_DOWN  # what those who wait are told, should this be cancelled
        try:
            taken = await self._ports.beside.run(
                lambda: self._claim(use),
                self._limits.store_wait_s,
                undo=lambda: store.release(use.name, use.request_id),
            )
        except StoreError as error:
            log.error("a key could not be looked up: %s", error, extra={"request_id": use.request_id})
        finally:
            if not isinstance(taken, str):
                del self._runs[use.name]
                run.outcome.set_result(taken if isinstance(taken, Refusal | KeptReply) else None)
        return run if isinstance(taken, str) else taken

    def _claim(self, use: KeyUse) -> Taken:
        """Beside the event loop."""
        store, now_s = self._ports.store, self._ports.clock.monotonic_s()
        if now_s - self._purged_s > PURGE_EVERY_S:
            self._purged_s = now_s
            store.purge(use.started_ms)
        found = store.claim(use)
        if isinstance(found, KeyUse):
            return self._judge(found, use)
        return decide.FULL if found == "full" else found

    def _judge(self, found: KeyUse, use: KeyUse) -> KeyUse | KeptReply | Refusal:
        """What a key that is taken means for this request. A `KeyUse`: it is being served elsewhere."""
        if found.digest != use.digest:
            return decide.MISMATCH
        if found.state == "lost":
            return decide.unreplayable(found, decide.BROKE_OFF)
        if found.state == "open":
            # Ours, and not among the runs: its end could not be written.
            return decide.unreplayable(found, decide.BROKE_OFF) if found.owner == use.owner else found
        replies = self._ports.replies
        reply = None if replies is None else replies.find(found.name, use.started_ms)
        return decide.unreplayable(found, decide.NOT_KEPT) if reply is None else reply

    async def _elsewhere(self, until_s: float) -> Refusal | None:
        """Another process serves it. None: look again."""
        left_s = until_s - self._ports.clock.monotonic_s()
        if left_s <= 0 or self._waiting >= self._limits.max_waiting:
            return decide.IN_PROGRESS
        self._waiting += 1
        try:
            await asyncio.sleep(min(POLL_S, left_s))
        finally:
            self._waiting -= 1
        return None


def _told(use: KeyUse, state: KeyState | None, last: str | None, refusal: Refusal | None) -> Refusal | None:
    """What those get who waited for a request without an answer that could be kept."""
    if state is None:
        return None if refusal is NOBODY_WAITS else refusal
    ended = structs.replace(use, attempt_id=last)
    return decide.unreplayable(ended, decide.NOT_KEPT if state == "done" else decide.BROKE_OFF)
