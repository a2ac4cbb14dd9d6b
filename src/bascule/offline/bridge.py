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

Of what is really paid, a ninth factor is the share of a model's list price that contracts leave to the meter. At list
price it is one and moves nothing, which changes no other's value. What no use raises or lowers is no factor: fees and
unused commitments are parts of their own.

Sources: L. S. Shapley, "A Value for n-Person Games" (1953); for decompositions of this kind A. F. Shorrocks,
"Decomposition procedures for distributional analysis", Journal of Economic Inequality 11 (2013).
"""

from decimal import Decimal, localcontext
from itertools import combinations, product
from math import factorial

from msgspec import Struct
from msgspec.structs import replace

from bascule.model.billed import BilledPeriod
from bascule.offline.apportion import round_to_sum
from bascule.offline.bridge_factors import ONE, Factors
from bascule.offline.bridge_paid import Charged

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
PAID_CAUSES = (*FACTORS, "contract_terms", "fees", "unused_commitments", "residual")
"""Of the change of what is really paid."""

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
    """One for each of CAUSES or PAID_CAUSES, in that order; they sum to the change exactly."""
    charged: tuple[Charged, Charged] | None = None
    """Where the bills are what is really paid; else they are at list price."""

    @property
    def bills_nanousd(self) -> tuple[int, int]:
        if self.charged is not None:
            return self.charged[0].paid_nanousd, self.charged[1].paid_nanousd
        return self.before.cost_nanousd, self.after.cost_nanousd

    @property
    def change_nanousd(self) -> int:
        before, after = self.bills_nanousd
        return after - before


def bridge(before: BilledPeriod, after: BilledPeriod, charged: tuple[Charged, Charged] | None = None) -> Bridge:
    """Split the change between two periods among CAUSES; with `charged`, of what is paid among PAID_CAUSES."""
    causes = CAUSES if charged is None else PAID_CAUSES
    found = Bridge(before=before, after=after, parts=(), charged=charged)
    with localcontext() as context:
        context.prec = _DIGITS
        metered = [None, None] if charged is None else [one.metered for one in charged]
        sides = (Factors(before, metered[0]), Factors(after, metered[1]))
        filled = (sides[0].filled_from(sides[1]), sides[1].filled_from(sides[0]))
        bills = _bills(filled)
        shares = dict(zip(_PLAYERS, _shapley_values(bills), strict=True))
        if charged is not None:
            shares["fees"] = Decimal(charged[1].fees_nanousd - charged[0].fees_nanousd)
            shares["unused_commitments"] = Decimal(charged[1].unused_nanousd - charged[0].unused_nanousd)
        explained = sum([shares[cause] for cause in causes[:-1]], start=Decimal(0))
        shares["residual"] = found.change_nanousd - explained
        amounts = round_to_sum([shares[cause] for cause in causes], found.change_nanousd)
        told = [side.as_numbers() for side in sides]
        parts = tuple(
            Part(cause, amount, told[0].get(cause), told[1].get(cause))
            for cause, amount in zip(causes, amounts, strict=True)
        )
    return replace(found, parts=parts)


_PLAYERS = (*FACTORS, "contract_terms")
_ALL = 2 ** len(_PLAYERS) - 1


def _bills(sides: tuple[Factors, Factors]) -> list[Decimal]:
    """The bill for each choice of a period for each factor; bit i of the index is _PLAYERS[i]."""
    worth = {
        (way, *chosen): _worth(way, *[sides[side] for side in chosen])
        for way in (False, True)
        for chosen in product((0, 1), repeat=5)
    }
    bills = []
    for chosen in range(_ALL + 1):
        users, each, tokens, mix, split, price, waste, known, terms = [
            chosen >> place & 1 for place in range(len(_PLAYERS))
        ]
        session = sum(
            (sides[tokens].per_session[way] * worth[way, mix, split, price, known, terms] for way in (False, True)),
            start=Decimal(0),
        )
        bills.append(sides[users].users * sides[each].sessions_per_user * session * (1 + sides[waste].waste))
    return bills


def _worth(way: bool, mix: Factors, split: Factors, price: Factors, known: Factors, terms: Factors) -> Decimal:
    """Nano-USD per token of a direction, at the mix, split, prices, known shares and contracts of possibly different
    periods."""
    total = Decimal(0)
    for (direction, model, bucket), share in split.split.items():
        if direction == way:
            of_model = mix.mix.get((way, model), Decimal(0)) * known.known.get((way, model), Decimal(0))
            of_model *= terms.metered.get(model, ONE)
            total += of_model * share * price.price.get((direction, model, bucket), Decimal(0))
    return total


def _shapley_values(bills: list[Decimal]) -> list[Decimal]:
    """Each factor's mean effect over all orders; the bills of all coalitions are known."""
    n = len(_PLAYERS)
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
