"""Why one period's bill differs from another's, to the nano-dollar.

A bill is taken apart as

    bill = users x sessions per user x SUM over direction, model, class (
               tokens per session [direction] x share [model in direction] x known share [of the model's tokens]
               x split [class in model] x price [class]
           ) x (1 + waste) + residual

where a direction is input or output, a class is a token bucket (uncached, cached, written, audio …), the known share is
that of tokens with a known cost, waste is what was paid for attempts whose answer nobody got over what was paid for the
others, and the residual is what no token explains: adjustments, fees, rounding. What could be priced in one period and
not in the other is thus no change of use or of price. Each factor can be set to either period's value, so the change is
a game among eight players, and each one's part is its Shapley value: its mean effect over all 40,320 orders in which
the factors could have moved. It depends on no order, and the parts sum exactly to the change.

Sources: L. S. Shapley, "A Value for n-Person Games" (1953); for decompositions of this kind A. F. Shorrocks,
"Decomposition procedures for distributional analysis", Journal of Economic Inequality 11 (2013).
"""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from itertools import combinations, product
from math import factorial

from msgspec import Struct, convert

from bascule.decide.price import price_lines
from bascule.model.billed import BilledCell, BilledPeriod
from bascule.model.money import PICO_PER_NANO
from bascule.model.usage import Usage
from bascule.offline.apportion import round_to_sum

FACTORS = (
    "users",
    "sessions_per_user",
    "tokens_per_session",
    "model_mix",
    "cache_share",
    "price",
    "retries",
    "known_prices",
)
CAUSES = (*FACTORS, "residual")

OUTPUT = frozenset({"tokens_out", "tokens_reasoning", "tokens_audio_out", "tokens_image_out"})
"""All other buckets are input."""

_DIGITS = 60
"""Of precision: far below a nano-dollar for any bill."""


class Part(Struct, frozen=True):
    """How much of the change one cause is answerable for, and the factor in both periods."""

    cause: str
    nanousd: int
    before: Decimal | None
    """The factor as one number: users, sessions per user, tokens per session, share of input read from a cache, waste
    over the rest. None for prices, the mix and the residual, which one number cannot say, and for an empty period."""
    after: Decimal | None


class Bridge(Struct, frozen=True, kw_only=True):
    before: BilledPeriod
    after: BilledPeriod
    parts: tuple[Part, ...]
    """One for each of CAUSES, in that order; they sum to the change exactly."""

    @property
    def change_nanousd(self) -> int:
        return self.after.cost_nanousd - self.before.cost_nanousd


def bridge(before: BilledPeriod, after: BilledPeriod) -> Bridge:
    """Split the change between two periods among CAUSES."""
    with localcontext() as context:
        context.prec = _DIGITS
        sides = (_Factors(before), _Factors(after))
        filled = (sides[0].filled_from(sides[1]), sides[1].filled_from(sides[0]))
        bills = _bills(filled)
        shares = _shapley_values(bills)
        residuals = [side.cost_nanousd - bills[chosen] for side, chosen in ((before, 0), (after, _ALL))]
        shares.append(residuals[1] - residuals[0])
        amounts = round_to_sum(shares, after.cost_nanousd - before.cost_nanousd)
        told = [side.as_numbers() for side in sides]
        parts = tuple(
            Part(cause, amount, told[0].get(cause), told[1].get(cause))
            for cause, amount in zip(CAUSES, amounts, strict=True)
        )
    return Bridge(before=before, after=after, parts=parts)


_ALL = 2 ** len(FACTORS) - 1
_Model = tuple[str | None, str | None]


class _Factors:
    """One period's bill as factors. Dictionaries are keyed by direction (is it output?), model and bucket."""

    def __init__(self, side: BilledPeriod) -> None:
        self.users = Decimal(side.users)
        self.sessions = Decimal(side.sessions)
        self.tokens: dict[tuple[bool, _Model, str], Decimal] = {}
        self.spent: dict[tuple[bool, _Model, str], Decimal] = {}
        """Nano-USD by tokens alone, without fees, adjustments and rounding."""
        self.unknown: dict[tuple[bool, _Model], Decimal] = {}
        """Tokens without a known cost."""
        useful = wasted = Decimal(0)
        for cell in side.cells:
            for bucket, tokens in cell.unknown_tokens.items():
                if tokens and cell.answers:
                    where = (bucket in OUTPUT, (cell.provider, cell.model))
                    self.unknown[where] = self.unknown.get(where, Decimal(0)) + tokens
            for bucket, count, nanousd in _paid(cell):
                if not cell.answers:
                    wasted += nanousd
                    continue
                useful += nanousd
                place = (bucket in OUTPUT, (cell.provider, cell.model), bucket)
                self.tokens[place] = self.tokens.get(place, Decimal(0)) + count
                self.spent[place] = self.spent.get(place, Decimal(0)) + nanousd
        self.is_priced = bool(self.tokens)
        self.is_empty = not (self.tokens or self.unknown) or not side.users or not side.sessions
        if self.is_empty:
            self.users = Decimal(0)
        self.sessions_per_user = self.sessions / self.users if self.users else Decimal(0)
        self.waste = wasted / useful if useful else Decimal(0)
        self._share()

    def _share(self) -> None:
        priced: dict[tuple[bool, _Model], Decimal] = {}
        for (direction, model, _), count in self.tokens.items():
            priced[direction, model] = priced.get((direction, model), Decimal(0)) + count
        every = {
            place: priced.get(place, Decimal(0)) + self.unknown.get(place, Decimal(0))
            for place in [*priced, *self.unknown]
        }
        whole = {
            way: sum((n for place, n in every.items() if place[0] == way), start=Decimal(0)) for way in (False, True)
        }
        self.per_session = {way: n / self.sessions if self.sessions else Decimal(0) for way, n in whole.items()}
        self.mix = {place: n / whole[place[0]] for place, n in every.items() if n}
        self.known = {place: priced.get(place, Decimal(0)) / n for place, n in every.items() if n}
        self.split = {place: n / priced[place[0], place[1]] for place, n in self.tokens.items() if n}
        self.price = {place: self.spent[place] / count for place, count in self.tokens.items() if count}

    def filled_from(self, other: "_Factors") -> "_Factors":
        """This period with what it cannot know taken from the other one, so that it counts as unchanged: prices and
        splits of models it did not use, and everything where nothing was used at all."""
        filled = object.__new__(_Factors)
        filled.__dict__.update(self.__dict__)
        if self.is_empty:
            for name in ("sessions_per_user", "per_session", "mix", "known", "split", "waste"):
                setattr(filled, name, getattr(other, name))
        elif not self.is_priced:
            filled.waste = other.waste
        ways = {direction for direction, _ in filled.mix}
        filled.mix = filled.mix | {place: n for place, n in other.mix.items() if place[0] not in ways}
        filled.known = other.known | filled.known
        told = {(direction, model) for direction, model, _ in filled.split}
        filled.split = filled.split | {
            place: share for place, share in other.split.items() if (place[0], place[1]) not in told
        }
        filled.price = other.price | self.price
        return filled

    def as_numbers(self) -> dict[str, Decimal]:
        """Each factor as one number, for people."""
        if self.is_empty:
            return {"users": Decimal(0)}
        billed = self.per_session[False] + self.per_session[True]
        numbers = {
            "users": self.users,
            "sessions_per_user": self.sessions_per_user,
            "tokens_per_session": billed,
            "retries": self.waste,
        }
        every = sum(self.tokens.values(), start=Decimal(0)) + sum(self.unknown.values(), start=Decimal(0))
        numbers["known_prices"] = sum(self.tokens.values(), start=Decimal(0)) / every
        input_ = sum((n for (way, _, _), n in self.tokens.items() if not way), start=Decimal(0))
        if input_:
            read = sum((n for (_, _, name), n in self.tokens.items() if name == "tokens_cache_read"), start=Decimal(0))
            numbers["cache_share"] = read / input_
        return numbers


def _paid(cell: BilledCell) -> Iterable[tuple[str, Decimal, Decimal]]:
    """Bucket, tokens and nano-USD for each bucket of a cell that has tokens."""
    counted = {name: count for name, count in cell.tokens.items() if count}
    if cell.rates is None:
        tokens = sum(counted.values())
        each = Decimal(cell.cost_nanousd) / tokens if tokens else Decimal(0)
        return [(name, Decimal(count), count * each) for name, count in counted.items()]
    rates = {line.bucket: line.rate for line in price_lines(convert(counted, Usage), cell.rates)}
    return [
        (name, Decimal(count), Decimal(count * rates.get(name, 0)) / PICO_PER_NANO) for name, count in counted.items()
    ]


def _bills(sides: tuple[_Factors, _Factors]) -> list[Decimal]:
    """The bill for each choice of a period for each factor; bit i of the index is FACTORS[i]."""
    worth = {
        (way, mix, split, price, known): _worth(way, sides[mix], sides[split], sides[price], sides[known])
        for way in (False, True)
        for mix, split, price, known in product((0, 1), repeat=4)
    }
    bills = []
    for chosen in range(_ALL + 1):
        users, each, tokens, mix, split, price, waste, known = [chosen >> place & 1 for place in range(len(FACTORS))]
        session = sum(
            (sides[tokens].per_session[way] * worth[way, mix, split, price, known] for way in (False, True)),
            start=Decimal(0),
        )
        bills.append(sides[users].users * sides[each].sessions_per_user * session * (1 + sides[waste].waste))
    return bills


def _worth(way: bool, mix: _Factors, split: _Factors, price: _Factors, known: _Factors) -> Decimal:
    """Nano-USD per token of a direction, at the mix, split, prices and known shares of possibly different periods."""
    total = Decimal(0)
    for (direction, model, bucket), share in split.split.items():
        if direction == way:
            of_model = mix.mix.get((way, model), Decimal(0)) * known.known.get((way, model), Decimal(0))
            total += of_model * share * price.price.get((direction, model, bucket), Decimal(0))
    return total


def _shapley_values(bills: list[Decimal]) -> list[Decimal]:
    """Each factor's mean effect over all orders; the bills of all coalitions are known."""
    n = len(FACTORS)
    values = []
    for place in range(n):
        others = [1 << other for other in range(n) if other != place]
        value = Decimal(0)
        for size in range(n):
            weight = Decimal(factorial(size) * factorial(n - size - 1)) / factorial(n)
            for chosen in combinations(others, size):
                without = sum(chosen)
                value += weight * (bills[without | 1 << place] - bills[without])
        values.append(value)
    return values
