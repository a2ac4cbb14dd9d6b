"""One period's bill as the factors of a bridge: users, sessions, tokens, what each class of tokens costs."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import convert

from bascule.decide.price import price_lines
from bascule.model.billed import BilledCell, BilledPeriod
from bascule.model.money import PICO_PER_NANO
from bascule.model.usage import Usage

Model = tuple[str | None, str | None]
"""Provider and model."""

OUTPUT = frozenset({"tokens_out", "tokens_reasoning", "tokens_audio_out", "tokens_image_out"})
"""All other buckets are input."""

ONE = Decimal(1)
"""What is left of a list price where no contract says otherwise."""


class Factors:
    """One period's bill as factors. Dictionaries are keyed by direction (is it output?), model and bucket."""

    def __init__(self, side: BilledPeriod, metered: dict[Model, Decimal] | None = None) -> None:
        """`metered`: what contracts leave of each model's list price; at list price None."""
        self.metered = metered or {}
        self.is_at_list = metered is None
        self.users = Decimal(side.users)
        self.sessions = Decimal(side.sessions)
        self.tokens: dict[tuple[bool, Model, str], Decimal] = {}
        self.spent: dict[tuple[bool, Model, str], Decimal] = {}
        """Nano-USD by tokens alone, without fees, adjustments and rounding."""
        self.unknown: dict[tuple[bool, Model], Decimal] = {}
        """Tokens without a known cost."""
        useful = wasted = listed = Decimal(0)
        for cell in side.cells:
            for bucket, tokens in cell.unknown_tokens.items():
                if tokens and cell.answers:
                    where = (bucket in OUTPUT, (cell.provider, cell.model))
                    self.unknown[where] = self.unknown.get(where, Decimal(0)) + tokens
            charged = self.metered.get((cell.provider, cell.model), ONE)
            for bucket, count, nanousd in _paid(cell):
                listed += nanousd
                if not cell.answers:
                    wasted += nanousd * charged
                    continue
                useful += nanousd * charged
                place = (bucket in OUTPUT, (cell.provider, cell.model), bucket)
                self.tokens[place] = self.tokens.get(place, Decimal(0)) + count
                self.spent[place] = self.spent.get(place, Decimal(0)) + nanousd
        self.is_priced = bool(self.tokens)
        self.is_empty = not (self.tokens or self.unknown) or not side.users or not side.sessions
        if self.is_empty:
            self.users = Decimal(0)
        self.sessions_per_user = self.sessions / self.users if self.users else Decimal(0)
        self.waste = wasted / useful if useful else Decimal(0)
        self.left = (useful + wasted) / listed if listed else None
        """The part of the list price that the meter charges."""
        self._share()

    def _share(self) -> None:
        priced: dict[tuple[bool, Model], Decimal] = {}
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

    def filled_from(self, other: "Factors") -> "Factors":
        """This period with what it cannot know taken from the other one, so that it counts as unchanged: prices and
        splits of models it did not use, and everything where nothing was used at all."""
        filled = object.__new__(Factors)
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
        filled.metered = other.metered | self.metered
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
        }
        if self.is_priced:  # else what was wasted is unknown, not nothing
            numbers["retries"] = self.waste
        every = sum(self.tokens.values(), start=Decimal(0)) + sum(self.unknown.values(), start=Decimal(0))
        numbers["known_prices"] = sum(self.tokens.values(), start=Decimal(0)) / every
        input_ = sum((n for (way, _, _), n in self.tokens.items() if not way), start=Decimal(0))
        if input_:
            read = sum((n for (_, _, name), n in self.tokens.items() if name == "tokens_cache_read"), start=Decimal(0))
            numbers["cache_share"] = read / input_
        if self.left is not None and not self.is_at_list:
            numbers["contract_terms"] = self.left
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
