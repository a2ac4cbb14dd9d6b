"""A whole gateway without sockets: the real engine over a data directory, a scripted upstream and a clock to set.

    world = World(CONFIG, [whole(completion("hi"))], tmp_path)
    answer = world.ask({"model": "small", "messages": [...]})
    assert world.row.cost_nanousd == 27_000

Everything between the edge and the transport is the real thing: composition, journal, SQLite, authority, keys. The
world runs on a loop of its own whose time is its clock's, so nothing waits.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from msgspec import structs

from bascule.compose import Gateway, data_dir_of, key_ring, open_store, snapshot_of
from bascule.config.load import Document, load_text
from bascule.gateway.exchange import Incoming
from bascule.gateway.surfaces import Surface
from bascule.model.budget import BudgetState
from bascule.model.entry import Decision, Intent, Settlement
from bascule.model.errors import LedgerUnavailable
from bascule.model.headers import Headers
from bascule.model.row import AttemptRow
from bascule.ports.commands import Commands
from bascule.ports.telemetry import Telemetry
from bascule.ports.verifiers import Verifiers
from bascule.storage.beside import AtOnce
from bascule.storage.journal.writer import JournalWriter
from bascule.testing.clock import NOON_MS, FakeClock, VirtualLoop
from bascule.testing.exchange import ListExchange, Note
from bascule.testing.transport import Reply, ScriptedTransport

Result = TypeVar("Result")


class WatchedJournal(JournalWriter):
    """The real journal; it tells of every line once that is written, and refuses kinds on demand."""

    def __init__(self, directory: Path, note: Note) -> None:
        super().__init__(directory, f"local-0-{secrets.token_hex(6)}")
        self._note = note
        self.refuses: set[str] = set()
        """Of `intent`, `settle`, `decision`: kinds of line for which the disk is full."""

    def intent(self, line: Intent) -> None:
        self._refuse("intent")
        super().intent(line)
        self._note("intent", line.attempt_no)

    def begin(self, decision: Decision, intent: Intent) -> None:
        self._refuse("decision")
        self._refuse("intent")
        super().begin(decision, intent)
        self._note("decision")
        self._note("intent", intent.attempt_no)

    def settle(self, line: Settlement) -> None:
        self._refuse("settle")
        super().settle(line)
        self._note("settle", int(line.attempt_id.rpartition(".")[2]))

    def decision(self, line: Decision) -> None:
        self._refuse("decision")
        super().decision(line)
        self._note("decision")

    def _refuse(self, kind: str) -> None:
        if kind in self.refuses:
            raise LedgerUnavailable("scripted: the disk is full")


class World:
    """A gateway, its upstream, its ledger and its time."""

    def __init__(
        self,
        config: str,
        replies: Sequence[Reply],
        directory: Path,
        *,
        environment: Mapping[str, str] | None = None,
        now_ms: int = NOON_MS,
        telemetry: Telemetry | None = None,
        commands: Commands | None = None,
        verifiers: Verifiers | None = None,
    ) -> None:
        """`config` is the text of a bascule.yaml, `directory` where its relative paths begin."""
        self.effects: list[tuple[Any, ...]] = []
        """What was done, in order: ("decision",) ("intent", attempt_no) ("call", host) ("settle", attempt_no) of the
        ledger and the upstream; ("respond"|"start", status) ("send"|"end", bytes) ("leave",) of the client."""
        self.clock = FakeClock(now_ms)
        self.loop = VirtualLoop(self.clock)
        self.upstream = ScriptedTransport(replies, note=self._note)
        self.directory = directory
        self.closed = False
        self._environment = dict(environment or {})
        document = _document(config, directory)
        self.store = open_store(data_dir_of(document), document.config)
        snapshot = snapshot_of(document, self._environment, stored_keys=False)
        self.keys = key_ring(self.store, snapshot)
        self.journal = WatchedJournal(self.store.journals, self._note)
        self.gateway = Gateway(
            snapshot,
            self.store,
            self.keys,
            self.clock,
            transport=self.upstream,
            journal=self.journal,
            beside=AtOnce(),
            telemetry=telemetry,
            commands=commands,
            verifiers=verifiers,
        )
        self.gateway.open()

    def _note(self, *what: object) -> None:
        self.effects.append(what)

    def exchange(
        self,
        body: Mapping[str, Any] | bytes,
        *,
        surface: Surface = "openai_chat",
        key: str | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        query: str = "",
        model: str | None = None,
        stream: bool | None = None,
        leave_after: int | None = None,
    ) -> ListExchange:
        """A client's request, not yet handled. A body that is no bytes is sent as JSON. `model` and `stream`: of the
        path, where the surface has them there."""
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        incoming = Incoming(
            surface=surface,
            headers=Headers([(name.lower().encode(), value.encode()) for name, value in pairs]),
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            query=query,
            secret=None if key is None else key.encode(),
            model=model,
            stream=stream,
        )
        return ListExchange(incoming, leave_after=leave_after, note=self._note)

    def ask(self, body: Mapping[str, Any] | bytes, **how: Any) -> ListExchange:
        """One request, handled to its end. `how` as for `exchange`."""
        exchange = self.exchange(body, **how)
        self.handle(exchange)
        return exchange

    def handle(self, *exchanges: ListExchange) -> None:
        """Requests, handled at once to the end of the last one."""

        async def all_of_them() -> None:
            await asyncio.gather(*[self.gateway.engine.handle(exchange) for exchange in exchanges])

        self.run(all_of_them())

    def run(self, work: Awaitable[Result]) -> Result:
        """Run until it is done, on the world's loop and time. AssertionError where the engine failed inside."""
        done = self.loop.run_until_complete(_awaited(work))
        assert not self.upstream.unexpected, f"calls without a scripted reply: {self.upstream.unexpected}"
        assert "internal" not in self.gateway.metrics.refusals, "the engine failed; its log says how"
        return done

    def cancel_at(self, exchange: ListExchange, step: int, *, after_s: float = 0.0) -> bool:
        """Handle a request, and cancel it `step` turns of the loop after `after_s`; True where it had ended before."""

        async def cancelled() -> bool:
            task = asyncio.ensure_future(self.gateway.engine.handle(exchange))
            if after_s:
                await asyncio.sleep(after_s)
            for _ in range(step):
                await asyncio.sleep(0)
            if task.done():
                return True
            task.cancel()
            await asyncio.wait([task])
            return False

        return self.run(cancelled())

    def reconfigure(self, config: str) -> None:
        """Take a new configuration, as a reload does."""
        snapshot = snapshot_of(_document(config, self.directory), self._environment, stored_keys=False)
        self.gateway.reconfigure(snapshot, self.store.governance.budgets())

    @property
    def rows(self) -> list[AttemptRow]:
        """The ledger's rows, open ones included, in order of their attempts."""
        return sorted(self.store.view.attempts(), key=lambda row: row.attempt_id)

    @property
    def row(self) -> AttemptRow:
        """The only row."""
        (row,) = self.rows
        return row

    def decision(self, answer: ListExchange) -> Decision:
        """The only decision record of an answered request."""
        request_id = answer.header("x-bascule-request-id")
        assert request_id is not None
        (decision,) = self.store.view.decisions(request_id)
        return decision

    def budget(self, scope: str) -> BudgetState:
        """What the budget on a concrete scope says now; the only one on it."""
        (state,) = [s for s in self.gateway.authority.states(self.clock.now_ms()) if s.scope == scope]
        return state

    def did(self, *words: str) -> list[tuple[Any, ...]]:
        """The effects of these kinds, in order."""
        return [effect for effect in self.effects if effect[0] in words]

    def assert_at_rest(self) -> None:
        """Nothing is in flight, so nothing may be open: holds, intents, connections, drains, tasks."""
        assert self.gateway.authority.open_holds == 0
        assert [row.attempt_id for row in self.rows if row.kind == "intent"] == []
        assert self.upstream.open_connections == 0
        assert self.gateway.drains.open == 0
        assert self.gateway.metrics.in_flight == 0
        assert asyncio.all_tasks(self.loop) == set()
        assert not [s for s in self.gateway.authority.states(self.clock.now_ms()) if s.held_nanousd]

    def close(self) -> None:
        """Stop as on SIGTERM; another world in the same directory then finds what this one left. Idempotent."""
        if not self.closed:
            self.closed = True
            self.gateway.close()
            self.loop.close()


def _document(text: str, directory: Path) -> Document:
    return structs.replace(_parsed(text), directory=directory)


@lru_cache(maxsize=256)
def _parsed(text: str) -> Document:
    """Reading YAML takes longer than most playbooks; a document never changes, so one reading serves all tests."""
    return load_text(text)


async def _awaited(work: Awaitable[Result]) -> Result:
    return await work
