"""A few workers, one authority and the truth, driven step by step: the pure parts of the lease engine as they serve.

A step is whatever may happen between two others: a hold, a settlement, a report made, arriving, answered or lost, a
death, a recovery, the end of a window. `check` is what must hold after every one of them.
"""

from bascule.decide.lease import Account, Need, Report, Standing, close, exchange, standing
from bascule.decide.share import Share

NOW_MS = 10_000


class Broken(AssertionError):
    """A promise was broken; its text says which, and in which state."""


class Worker:
    """One worker's own side: what it knows, and what is on its way between it and the authority."""

    __slots__ = ("alive", "answer", "held", "message", "name", "open", "settled", "shares", "turn")

    def __init__(self, name: str, accounts: int) -> None:
        self.name = name
        self.alive = True
        self.turn = 0
        self.shares = [Share() for _ in range(accounts)]
        self.settled = [0] * accounts
        self.held = [0] * accounts
        self.open: list[tuple[int, int]] = []
        """Amount and window of every hold."""
        self.message: tuple[int, list[Report], list[Need]] | None = None
        self.answer: list[Standing] | None = None


class World:
    """`scopes` nested budgets of the same limit, in one window after the other: account = window * scopes + scope."""

    def __init__(self, workers: int, limit: int, scopes: int = 1) -> None:
        self.limit = limit
        self.scopes = scopes
        self.window = 0
        self.now_ms = NOW_MS
        self.accounts = [Account() for _ in range(scopes)]
        self.ledger = [0] * scopes
        """What chains that nobody writes any more have spent."""
        self.workers = [Worker(f"w{number}", scopes) for number in range(workers)]
        self.born = workers
        self.turns = {worker.name: 0 for worker in self.workers}
        """Who is enrolled, and the last turn of each."""

    # What a worker does by itself.

    def reserve(self, worker: Worker, amount: int) -> bool:
        first = self.window * self.scopes
        places = range(first, first + self.scopes)
        for at in places:
            if worker.settled[at] + worker.held[at] + amount > worker.shares[at].ceiling_nanousd:
                return False
        for at in places:
            worker.held[at] += amount
        worker.open.append((amount, self.window))
        return True

    def settle(self, worker: Worker, which: int, cost: int) -> None:
        """In the window of its hold, whatever the time is by now."""
        amount, window = worker.open.pop(which)
        for at in range(window * self.scopes, (window + 1) * self.scopes):
            worker.held[at] -= amount
            worker.settled[at] += cost

    def say(self, worker: Worker, needed: int = 0, *, returning: bool = False) -> None:
        """Make a report, which is then on its way."""
        now_ms = self.now_ms
        reports = []
        for share, settled, held in zip(worker.shares, worker.settled, worker.held, strict=True):
            share.is_returning = returning
            share.hold_nanousd = 1
            reports.append(share.report(self.limit, settled, held, now_ms, now_ms))
        first = self.window * self.scopes
        needs = [Need(amount_nanousd=needed, accounts=tuple(range(first, first + self.scopes)))] if needed else []
        worker.turn += 1
        worker.message = (worker.turn, reports, needs)

    # What the world does.

    def arrive(self, worker: Worker) -> None:
        """The report is taken by the authority, unless another has overtaken it or the worker is not enrolled."""
        assert worker.message is not None
        turn, reports, needs = worker.message
        worker.message = None
        if self.turns.get(worker.name, turn) >= turn:
            return
        self.turns[worker.name] = turn
        told = self.accounts[: len(reports)]
        exchange(worker.name, told, reports, needs, self.turns.keys(), self.now_ms)
        if worker.alive:
            worker.answer = [standing(worker.name, account, self.turns.keys()) for account in told]

    def take(self, worker: Worker) -> None:
        assert worker.answer is not None
        for share, heard in zip(worker.shares, worker.answer, strict=False):
            share.take(heard, self.now_ms + 10_000)
        worker.answer = None

    def lose(self, worker: Worker) -> None:
        """The report or its answer never arrives; the worker sees that and goes on."""
        worker.message = worker.answer = None

    def crash(self, worker: Worker) -> None:
        """Its report may still be under way."""
        worker.alive = False
        worker.answer = None

    def recover(self, number: int) -> None:
        """Its journal is read, open holds are settled in full, and another takes its place. What was still under way in
        its name is refused from now on, as no such worker is enrolled."""
        dead = self.workers[number]
        for at, account in enumerate(self.accounts):
            spent = dead.settled[at] + dead.held[at]
            self.ledger[at] += spent
            close(dead.name, account, spent)
        del self.turns[dead.name]
        fresh = Worker(f"w{self.born}", len(self.accounts))
        self.born += 1
        self.turns[fresh.name] = 0
        self.workers[number] = fresh

    def roll(self) -> None:
        """New accounts, from nothing; reports that are under way know nothing of them."""
        self.window += 1
        self.accounts += [Account() for _ in range(self.scopes)]
        self.ledger += [0] * self.scopes
        for worker in self.workers:
            worker.shares += [Share() for _ in range(self.scopes)]
            worker.settled += [0] * self.scopes
            worker.held += [0] * self.scopes

    # What must hold.

    def check(self) -> None:
        for at, account in enumerate(self.accounts):
            true = self.ledger[at]
            granted = account.closed_nanousd
            leases = account.leases
            for lease in leases.values():
                granted += lease.charge_nanousd
            for worker in self.workers:
                used = worker.settled[at] + worker.held[at]
                true += used
                ceiling = worker.shares[at].ceiling_nanousd
                if ceiling and worker.alive:
                    if used > ceiling:
                        raise Broken(f"{worker.name} holds more than its share: {self.told()}")
                    if ceiling > leases[worker.name].ceiling_nanousd:
                        raise Broken(f"{worker.name} believes in more than it was granted: {self.told()}")
            if true > self.limit:
                raise Broken(f"account {at} is overspent by {true - self.limit}: {self.told()}")
            if granted > self.limit:
                raise Broken(f"account {at} is granted {granted} of {self.limit}: {self.told()}")

    def quiesce(self) -> None:
        """Everything ends and everybody reports: every account then says the truth, and what is left can be had."""
        for number, worker in enumerate(self.workers):
            if not worker.alive:
                self.recover(number)
        for worker in self.workers:
            worker.message = worker.answer = None
            while worker.open:
                self.settle(worker, 0, worker.open[0][0])
            self._round(worker, 0, returning=True)
        for at, account in enumerate(self.accounts):
            true = self.ledger[at] + sum([worker.settled[at] for worker in self.workers])
            told = account.closed_nanousd + sum([lease.settled_nanousd for lease in account.leases.values()])
            if told != true:
                raise Broken(f"account {at} says {told} and {true} was spent: {self.told()}")
        here = range(self.window * self.scopes, (self.window + 1) * self.scopes)
        left = min([self.limit - self.ledger[at] - sum([w.settled[at] for w in self.workers]) for at in here])
        if left:
            asker = self.workers[0]
            self._round(asker, left)
            for other in self.workers[1:]:
                self._round(other, 0)  # it hears of the recall, and answers
                self._round(other, 0)
            self._round(asker, left)
            if not self.reserve(asker, left):
                raise Broken(f"{left} is left and cannot be had: {self.told()}")
        self.check()

    def _round(self, worker: Worker, needed: int, *, returning: bool = False) -> None:
        self.say(worker, needed, returning=returning)
        self.arrive(worker)
        self.take(worker)

    def told(self) -> str:
        workers = [
            f"{w.name}{'' if w.alive else ' (dead)'} settled {w.settled} held {w.held} "
            f"ceilings {[s.ceiling_nanousd for s in w.shares]}"
            for w in self.workers
        ]
        return f"limit {self.limit}, ledger {self.ledger}, {self.accounts}, {'; '.join(workers)}"
