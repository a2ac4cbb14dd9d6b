"""Whether a developer's use is cheaper on a seat plan or by the meter, month by month and in all.

Both sides are the same use: metered is its list price after the discounts that there are, the plan is its fee. Of a
month that the period or its first record cuts, the fee counts for that part. A plan is chosen per person, so the best
of both keeps everyone on what was cheaper for them over the whole period.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from bascule.config.shape import Contract
from bascule.offline.revenue import months_within


class Month(Struct, frozen=True, kw_only=True):
    """One person's use of one client in one month. Money in nano-USD."""

    user: str | None
    """None: whose it is was not recorded."""
    client: str | None
    month: str
    metered_nanousd: int
    list_nanousd: int
    sessions: int
    tokens: int
    unpriced_attempts: int = 0


class Compared(Struct, frozen=True, kw_only=True):
    """The same use on a plan and by the meter."""

    metered_nanousd: int
    plan_nanousd: int
    sessions: int
    tokens: int
    unpriced_attempts: int
    """In no metered cost, which is then at least what is told."""

    @property
    def cheaper(self) -> str:
        """`plan`, `metered` or `same`."""
        if self.metered_nanousd == self.plan_nanousd:
            return "same"
        return "plan" if self.metered_nanousd > self.plan_nanousd else "metered"

    @property
    def break_even(self) -> Fraction | None:
        """How many times this use the fee pays for; None where nothing was metered."""
        return Fraction(self.plan_nanousd, self.metered_nanousd) if self.metered_nanousd > 0 else None

    @property
    def break_even_sessions(self) -> Fraction | None:
        """How many sessions like these the fee pays for."""
        return None if self.break_even is None or not self.sessions else self.sessions * self.break_even

    @property
    def break_even_tokens(self) -> int | None:
        """How many tokens of this mix the fee pays for."""
        return None if self.break_even is None else round(self.tokens * self.break_even)


class Line(Struct, frozen=True, kw_only=True):
    user: str | None
    month: str
    part: Fraction
    """Of the month that the fee is counted for; 1 is a whole one."""
    compared: Compared


class Client(Struct, frozen=True, kw_only=True):
    """One client's plan, and everyone who used the client."""

    client: str
    fee_nanousd: int
    """Of one seat for a whole month."""
    lines: tuple[Line, ...]
    """The dearest first, each person's months together."""
    people: dict[str | None, Compared]

    @property
    def all_metered_nanousd(self) -> int:
        return sum([one.metered_nanousd for one in self.people.values()])

    @property
    def all_plan_nanousd(self) -> int:
        return sum([one.plan_nanousd for one in self.people.values()])

    @property
    def best_nanousd(self) -> int:
        """Everyone on what was cheaper for them over the whole period."""
        return sum([min(one.metered_nanousd, one.plan_nanousd) for one in self.people.values()])

    @property
    def cheapest(self) -> str:
        """`plan`, `metered` or `both`: which way is the cheapest; of equal ones the simpler."""
        ways = [("plan", self.all_plan_nanousd), ("metered", self.all_metered_nanousd), ("both", self.best_nanousd)]
        return min(ways, key=lambda way: way[1])[0]


def compare(months: Iterable[Month], fees: Mapping[str, int], since_ms: int, until_ms: int) -> tuple[Client, ...]:
    """Each client that has a fee: seat-month fees by client, and the period that fees are counted for."""
    parts = months_within(since_ms, until_ms)
    by_client: dict[str, list[Month]] = {}
    for one in months:
        if one.client is not None and one.client in fees and one.month in parts:
            by_client.setdefault(one.client, []).append(one)
    return tuple([_client(name, fees[name], by_client[name], parts) for name in fees if name in by_client])


def discounts_only(contracts: Sequence[Contract]) -> list[Contract]:
    """What use would cost by the meter: contracts without seats, capacity and sums that are drawn down."""
    return [
        replace(
            contract,
            credit_nanousd=None,
            commitment_nanousd=None,
            seats=None,
            seat_month_nanousd=None,
            provisioned_units=None,
            unit_hour_nanousd=None,
        )
        for contract in contracts
        if contract.discount is not None
    ]


def _client(name: str, fee: int, months: Sequence[Month], parts: Mapping[str, Fraction]) -> Client:
    people: dict[str | None, Compared] = {}
    lines = []
    for one in months:
        found = Compared(
            metered_nanousd=one.metered_nanousd,
            plan_nanousd=round(fee * parts[one.month]),
            sessions=one.sessions,
            tokens=one.tokens,
            unpriced_attempts=one.unpriced_attempts,
        )
        lines.append(Line(user=one.user, month=one.month, part=parts[one.month], compared=found))
        people[one.user] = _plus(people[one.user], found) if one.user in people else found
    lines.sort(key=lambda line: (-people[line.user].metered_nanousd, line.user or "", line.month))
    return Client(client=name, fee_nanousd=fee, lines=tuple(lines), people=people)


def _plus(one: Compared, other: Compared) -> Compared:
    return Compared(**{name: getattr(one, name) + getattr(other, name) for name in Compared.__struct_fields__})
