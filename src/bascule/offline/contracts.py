"""What is really paid: list prices turned into effective and marginal ones by discounts, seats, commitments, credits
and provisioned throughput.

- *List* is the book price, what the ledger says.
- *Effective* is what the use costs after contracts. With the fixed lines (idle seats, unused commitments, capacity
  that nobody used) it sums to what is paid, exactly.
- *Marginal* is what one more of the same would cost: nothing inside a seat plan, within provisioned capacity, or while
  a commitment or a credit lasts.

Rules. The first contract of a provider that covers a use applies, fixed plans (seats, then capacity) before metered
terms. A seat costs its fee whatever its user does: the fee is split over that user's use by list cost. Commitments and
credits are drawn down in time order by the discounted use that they cover, of several the first first; what a
commitment pays for is paid, what a credit pays for is free.
What a log says was used on some plan, and no contract names the plan, has an unknown effective cost, not a metered one.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from msgspec import Struct

from bascule.config.shape import Contract
from bascule.decide.window import DAY_MS, HOUR_MS, span, window_id
from bascule.model.cost_cell import Cover
from bascule.offline.apportion import apportion, round_to_sum

UNUSED_COMMITMENT = "unused commitment"


class Use(Struct, frozen=True, kw_only=True):
    """What some attempts of one piece of time cost at list price, and what decides which contract covers them: client
    and model, or `covered` where that has been decided already."""

    provider: str | None
    client: str | None = None
    model: str | None = None
    user: str | None = None
    on_plan: bool = False
    """The source says that this was used on a subscription, not metered."""
    covered: frozenset[int] | None = None
    """Places of the contracts that cover it."""
    list_nanousd: int
    """Of the attempts whose price is known."""
    unpriced_attempts: int = 0


class Cost(Struct, frozen=True):
    list_nanousd: int
    effective_nanousd: int | None
    """None: used on a plan whose fee nobody has told."""
    marginal_nanousd: int
    fee_nanousd: int = 0
    """Of the effective cost: a share of the fee of seats or capacity, which the use did not raise."""


class Fixed(Struct, frozen=True):
    """Paid, and for nothing that was used."""

    contract: int
    """Its place in the configuration."""
    what: str
    """`idle seats`, `idle capacity` or `unused commitment`."""
    start_ms: int
    nanousd: int


class Term(Struct, frozen=True, kw_only=True):
    """What one contract did in one piece of time. Money in nano-USD."""

    contract: int
    start_ms: int
    end_ms: int
    covered_nanousd: int = 0
    """Book price of the use that its seats or capacity covered."""
    metered_nanousd: int = 0
    """Book price of the metered use that it discounted or paid for."""
    unpriced_attempts: int = 0
    """Of either use: in neither book price."""
    fee_nanousd: int = 0
    """Of seats or capacity, used or not."""
    off_nanousd: int = 0
    """What a discount took off."""
    committed_nanousd: int = 0
    """Drawn from a commitment."""
    credited_nanousd: int = 0
    """Drawn from a credit."""
    people: int = 0
    """Who used seats; calls without a user are one person's."""


class Piece(Struct, frozen=True):
    """A stretch of time within one month in which the same contracts are in force."""

    start_ms: int
    end_ms: int
    uses: tuple[Use, ...] = ()


class Applied(Struct, frozen=True):
    costs: tuple[tuple[Cost, ...], ...]
    """For each piece, one for each use."""
    fixed: tuple[Fixed, ...]
    warnings: tuple[str, ...]
    terms: tuple[Term, ...] = ()
    """For each piece one for each contract in force."""


def boundaries(contracts: Iterable[Contract], since_ms: int, until_ms: int) -> list[tuple[int, int]]:
    """The pieces of time of a period: cut where a month or a contract begins or ends."""
    cuts = {since_ms, until_ms, *_months(since_ms, until_ms)}
    for contract in contracts:
        cuts |= {edge for edge in (contract.from_ms, end_of(contract)) if edge is not None}
    inside = sorted(cut for cut in cuts if since_ms <= cut <= until_ms)
    return list(pairwise(inside))


def earliest(contracts: Iterable[Contract], since_ms: int) -> int:
    """From when on use must be known for a period that starts at `since_ms`: where drawn-down sums begin."""
    drawn = [c for c in contracts if c.commitment_nanousd is not None or c.credit_nanousd is not None]
    return min([since_ms, *[c.from_ms for c in drawn if c.from_ms is not None]])


def apply(contracts: Sequence[Contract], pieces: Iterable[Piece], places: Sequence[int] = ()) -> Applied:
    """Costs of every use. `pieces` in time order, cut by `boundaries`, from `earliest` on.

    `places`: where each contract stands in the configuration, if these are not all.
    """
    terms = _Terms(contracts, places or range(len(contracts)))
    costs = tuple([terms.piece(piece) for piece in pieces])
    return Applied(costs, tuple(terms.fixed), tuple(dict.fromkeys(terms.warnings)), tuple(terms.terms))


def end_of(contract: Contract) -> int | None:
    """The moment after the last day on which the contract holds."""
    return None if contract.to_ms is None else contract.to_ms + DAY_MS


class _Doing:
    """What a contract does in the piece at hand."""

    def __init__(self) -> None:
        self.covered: set[int] = set()
        self.metered: set[int] = set()
        self.sums = {"fee_nanousd": 0, "off_nanousd": 0, "committed_nanousd": 0, "credited_nanousd": 0, "people": 0}

    def add(self, name: str, amount: int, *, covered: Iterable[int] = (), metered: Iterable[int] = ()) -> None:
        self.sums[name] += amount
        self.covered.update(covered)
        self.metered.update(metered)


class _Terms:
    """Contracts, and how much of their commitments and credits is left as time goes on."""

    def __init__(self, contracts: Sequence[Contract], places: Sequence[int]) -> None:
        self.contracts = contracts
        self.places = places
        self.covers = [cover_of(contract) for contract in contracts]
        self.commitment = {i: c.commitment_nanousd for i, c in enumerate(contracts) if c.commitment_nanousd is not None}
        self.credit = {i: c.credit_nanousd for i, c in enumerate(contracts) if c.credit_nanousd is not None}
        self.fixed: list[Fixed] = []
        self.warnings: list[str] = []
        self.terms: list[Term] = []
        self.doing: dict[int, _Doing] = {}

    def piece(self, piece: Piece) -> tuple[Cost, ...]:
        costs: list[Cost | None] = [None] * len(piece.uses)
        in_force = [i for i, contract in enumerate(self.contracts) if _holds(contract, piece)]
        self.doing = {i: _Doing() for i in in_force}
        for index in in_force:
            contract = self.contracts[index]
            if contract.seats is not None and contract.seat_month_nanousd is not None:
                self._seats(index, contract, piece, costs)
        for place, use in enumerate(piece.uses):
            if costs[place] is None and use.on_plan:
                costs[place] = Cost(use.list_nanousd, None, 0)
        for index in in_force:
            contract = self.contracts[index]
            if contract.provisioned_units is not None and contract.unit_hour_nanousd is not None:
                self._capacity(index, contract, piece, costs)
        for provider in dict.fromkeys([use.provider for use in piece.uses]):
            self._metered(in_force, provider, piece, costs)
        for index in in_force:
            self._unused(index, piece)
            self._note(index, piece)
        return tuple([cost for cost in costs if cost is not None])

    def _seats(self, index: int, contract: Contract, piece: Piece, costs: list[Cost | None]) -> None:
        by_user: dict[str | None, list[int]] = {}
        for place in self._covered(index, piece, costs):
            by_user.setdefault(piece.uses[place].user, []).append(place)
        seats, people = contract.seats or 0, len(by_user)
        fee = round(Fraction(seats * (contract.seat_month_nanousd or 0)) * _of_month(piece))
        paid_for = max(seats, people)
        shares = apportion(fee, [1] * paid_for) if paid_for else []
        if people > seats:
            since = window_id("day", piece.start_ms)
            self._warn(index, f"{people} people used {_counted(seats, 'seat')}, from {since} on")
        if None in by_user:
            self._warn(index, "calls without a user count as one person's; import logs with --user")
        self.doing[index].add("people", people)
        for share, places in zip(shares, by_user.values(), strict=False):
            self._share(index, share, places, piece, costs)
        self._idle(index, "idle seats", piece, sum(shares[people:]))

    def _capacity(self, index: int, contract: Contract, piece: Piece, costs: list[Cost | None]) -> None:
        hours = Fraction(piece.end_ms - piece.start_ms, HOUR_MS)
        fee = round((contract.provisioned_units or 0) * (contract.unit_hour_nanousd or 0) * hours)
        places = self._covered(index, piece, costs)
        if places:
            self._share(index, fee, places, piece, costs)
        else:
            self._idle(index, "idle capacity", piece, fee)

    def _covers(self, index: int, use: Use) -> bool:
        if use.covered is not None:
            return self.places[index] in use.covered
        return self.covers[index].admits(use.provider, use.client, use.model)

    def _covered(self, index: int, piece: Piece, costs: Sequence[Cost | None]) -> list[int]:
        return [n for n, use in enumerate(piece.uses) if costs[n] is None and self._covers(index, use)]

    def _share(self, index: int, fee: int, places: Sequence[int], piece: Piece, costs: list[Cost | None]) -> None:
        """Split a fixed fee by list cost, evenly where there is none."""
        weights = [max(piece.uses[place].list_nanousd, 0) for place in places]
        parts = apportion(fee, weights if any(weights) else [1] * len(places))
        self.doing[index].add("fee_nanousd", fee, covered=places)
        for place, part in zip(places, parts, strict=True):
            costs[place] = Cost(piece.uses[place].list_nanousd, part, 0, part)

    def _metered(self, in_force: Sequence[int], provider: str | None, piece: Piece, costs: list[Cost | None]) -> None:
        places = [n for n, use in enumerate(piece.uses) if costs[n] is None and use.provider == provider]
        if not places:
            return
        terms = [i for i in in_force if self.contracts[i].provider == provider]
        prices = self._discounted(terms, places, piece)
        self._draw("committed_nanousd", self.commitment, terms, places, prices, piece)
        credited = self._draw("credited_nanousd", self.credit, terms, places, prices, piece)
        for place, price, credit in zip(places, prices, credited, strict=True):
            use = piece.uses[place]
            costs[place] = Cost(use.list_nanousd, price - credit, 0 if self._prepaid(terms, use) else price)

    def _discounted(self, terms: Sequence[int], places: Sequence[int], piece: Piece) -> list[int]:
        exact = []
        applied: dict[int, list[int]] = {}
        for n, place in enumerate(places):
            use = piece.uses[place]
            found = [i for i in terms if self.contracts[i].discount is not None and self._covers(i, use)]
            discount = self.contracts[found[0]].discount if found else None
            exact.append(use.list_nanousd * (1 - Fraction(str(discount or 0))))  # 0.12 as it was written
            if found:
                applied.setdefault(found[0], []).append(n)
        prices = round_to_sum(exact, round(sum(exact)))
        for index, numbers in applied.items():
            off = sum([piece.uses[places[n]].list_nanousd - prices[n] for n in numbers])
            self.doing[index].add("off_nanousd", off, metered=[places[n] for n in numbers])
        return prices

    def _draw(
        self,
        name: str,
        pots: dict[int, int],
        terms: Sequence[int],
        places: Sequence[int],
        prices: Sequence[int],
        piece: Piece,
    ) -> list[int]:
        """Draw these prices from the pots in force, the first first; how much of each was drawn."""
        drawn = [0] * len(places)
        for index in terms:
            if not pots.get(index):
                continue
            wanted = [
                max(price - taken, 0) if self._covers(index, piece.uses[place]) else 0
                for place, price, taken in zip(places, prices, drawn, strict=True)
            ]
            taken = min(pots[index], sum(wanted))
            parts = apportion(taken, wanted)
            drawn = [one + part for one, part in zip(drawn, parts, strict=True)]
            pots[index] -= taken
            paid_for = [place for place, part in zip(places, parts, strict=True) if part]
            self.doing[index].add(name, taken, metered=paid_for)
        return drawn

    def _prepaid(self, terms: Sequence[int], use: Use) -> bool:
        """Whether one more of this would be drawn from what is there already."""
        return any(
            pots.get(index) and self._covers(index, use) for index in terms for pots in (self.commitment, self.credit)
        )

    def _unused(self, index: int, piece: Piece) -> None:
        if self.commitment.get(index) and end_of(self.contracts[index]) == piece.end_ms:
            self._fix(index, UNUSED_COMMITMENT, piece, self.commitment.pop(index))

    def _idle(self, index: int, what: str, piece: Piece, nanousd: int) -> None:
        self.doing[index].add("fee_nanousd", nanousd)
        self._fix(index, what, piece, nanousd)

    def _fix(self, index: int, what: str, piece: Piece, nanousd: int) -> None:
        if nanousd:
            self.fixed.append(Fixed(self.places[index], what, piece.start_ms, nanousd))

    def _warn(self, index: int, what: str) -> None:
        self.warnings.append(f"contracts[{self.places[index]}]: {what}")

    def _note(self, index: int, piece: Piece) -> None:
        doing = self.doing[index]
        made = Term(
            contract=self.places[index],
            start_ms=piece.start_ms,
            end_ms=piece.end_ms,
            covered_nanousd=sum([piece.uses[place].list_nanousd for place in doing.covered]),
            metered_nanousd=sum([piece.uses[place].list_nanousd for place in doing.metered]),
            unpriced_attempts=sum([piece.uses[place].unpriced_attempts for place in doing.covered | doing.metered]),
            **doing.sums,
        )
        self.terms.append(made)


def _holds(contract: Contract, piece: Piece) -> bool:
    end = end_of(contract)
    return (contract.from_ms is None or contract.from_ms <= piece.start_ms) and (end is None or end >= piece.end_ms)


def cover_of(contract: Contract) -> Cover:
    """What a contract applies to."""
    return Cover(provider=contract.provider, names=contract.covers, by_user=contract.seats is not None)


def _of_month(piece: Piece) -> Fraction:
    """Which part of its calendar month a piece is."""
    start_ms, end_ms = _month(piece.start_ms)
    return Fraction(piece.end_ms - piece.start_ms, end_ms - start_ms)


def _months(since_ms: int, until_ms: int) -> list[int]:
    """The starts of all calendar months inside a period."""
    found: list[int] = []
    moment = _month(since_ms)[1]
    while moment < until_ms:
        found.append(moment)
        moment = _month(moment)[1]
    return found


def _month(ts_ms: int) -> tuple[int, int]:
    """[start, end) of the calendar month that a moment lies in."""
    found = span("month", ts_ms)
    assert found.end_ms is not None
    return found.start_ms, found.end_ms


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
