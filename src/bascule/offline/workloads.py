"""What a month's work consumes and costs: tasks, calls, tokens per call, and prices. Pure and exact.

Tokens per call come from counts, or from content types by a table that anyone may extend. A task may state what a call
costs instead of its tokens; then the same call on another model is known only up to how its cost splits between input
and output: `output_cost_share`, unknown by default.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction

from msgspec import Struct

from bascule.model.errors import BasculeError
from bascule.offline.quantity import ENDS, MILLION, ZERO, End, Span, hull


class Content(Struct, frozen=True):
    tokens: Fraction
    what: str


CONTENT: Mapping[str, Content] = {
    "page": Content(Fraction(500), "a page of prose"),
    "email": Content(Fraction(200), "an e-mail"),
    "code_file": Content(Fraction(800), "a file of 200 lines of code"),
    "ticket": Content(Fraction(300), "a support ticket"),
    "product_description": Content(Fraction(150), "a product description"),
    "blog_post": Content(Fraction(3000), "a blog post of 2,000 words"),
    "document": Content(Fraction(5000), "a document of ten pages"),
}
"""Tokens of one item: round figures in common use. Count your own with a tokenizer where it matters."""


class ModelPrice(Struct, frozen=True, kw_only=True):
    """US dollars per million tokens, exactly; None is unknown."""

    model: str
    provider: str | None = None
    source: str = "given"
    input: Fraction | None = None
    output: Fraction | None = None
    cache_read: Fraction | None = None
    cache_write: Fraction | None = None


PriceOf = Callable[[str, Fraction], ModelPrice]
"""(model, input tokens of one call) to its price: long calls may be dearer. Raises BasculeError where nobody knows."""


class Workload(Struct, frozen=True, kw_only=True):
    """One task of a month."""

    task: str
    calls: Span
    model: str | None = None
    tokens_in: Span | None = None
    """Per call."""
    tokens_out: Span | None = None
    usd_per_call: Span | None = None
    """Stated instead of tokens."""
    output_cost_share: Fraction | None = None
    """With `usd_per_call`: how much of it is for output tokens, 0 to 1; None is unknown."""

    of_many_calls: bool = False
    """Its one call stands for all of a month, however many: how long one is nobody knows, and short is assumed."""

    def priced_as(self, tokens_in: Fraction) -> Fraction:
        """Input tokens that pick the price, where long calls are dearer."""
        return Fraction(0) if self.of_many_calls else tokens_in

    @property
    def unsplit(self) -> bool:
        """Its cost is stated and nobody knows how it splits between input and output."""
        return self.usd_per_call is not None and self.output_cost_share is None


def content_tokens(counts: Mapping[str, Span], table: Mapping[str, Content]) -> Span:
    """Tokens of so many items of each type. Every type is in the table."""
    total = ZERO
    for name, count in counts.items():
        tokens = table[name].tokens
        total += Span(count.low * tokens, count.high * tokens)
    return total


def call_tokens(
    workload: Workload, end: End, output_cost_share: Fraction, price_of: PriceOf
) -> tuple[Fraction, Fraction]:
    """Input and output tokens of one call. Those of a stated cost are what it buys at the model's own price.

    `output_cost_share` counts where the task is `unsplit`. Raises BasculeError where a price is not known.
    """
    if workload.usd_per_call is None:
        return (workload.tokens_in or ZERO).at(end), (workload.tokens_out or ZERO).at(end)
    usd = workload.usd_per_call.at(end)
    share = output_cost_share if workload.output_cost_share is None else workload.output_cost_share
    price = price_of(model_of(workload), Fraction(0))
    return (
        _bought(usd * (1 - share), rate(price, "input"), workload),
        _bought(usd * share, rate(price, "output"), workload),
    )


def call_usd(price: ModelPrice, tokens_in: Fraction, tokens_out: Fraction) -> Fraction:
    """Dollars of one call, nothing cached. Raises BasculeError where a price that matters is not known."""
    usd = tokens_in * rate(price, "input") if tokens_in else Fraction(0)
    return (usd + (tokens_out * rate(price, "output") if tokens_out else 0)) / MILLION


def usd_per_call(workload: Workload, price_of: PriceOf) -> Span:
    """What a call costs as things are: stated, or its tokens at the model's price."""
    if workload.usd_per_call is not None:
        return workload.usd_per_call
    ends = []
    for end in ENDS:
        tokens_in, tokens_out = call_tokens(workload, end, Fraction(0), price_of)
        ends.append(call_usd(price_of(model_of(workload), workload.priced_as(tokens_in)), tokens_in, tokens_out))
    return Span(*ends)


def on_model(workload: Workload, model: str, price_of: PriceOf) -> Span:
    """The same call on another model, like for like: a range where its tokens are, or where they are not known."""
    shares = (Fraction(0), Fraction(1)) if workload.unsplit else (Fraction(0),)
    return hull([on_model_at(workload, model, price_of, share) for share in shares])


def on_model_at(workload: Workload, model: str, price_of: PriceOf, output_cost_share: Fraction) -> Span:
    """As `on_model`, with a stated split of the cost where the task is `unsplit`.

    The cost is linear in that share, so that its ends are at 0 and 1.
    """
    if model == workload.model:
        return usd_per_call(workload, price_of)
    found = []
    for end in ENDS:
        tokens_in, tokens_out = call_tokens(workload, end, output_cost_share, price_of)
        found.append(call_usd(price_of(model, workload.priced_as(tokens_in)), tokens_in, tokens_out))
    return Span(min(found), max(found))


def rate(price: ModelPrice, name: str) -> Fraction:
    """One price of a model. Raises BasculeError where it is not known."""
    value: Fraction | None = getattr(price, name)
    if value is None:
        raise BasculeError(f"the {name} price of {price.model!r} is not known; give one under `prices`")
    return value


def _bought(usd: Fraction, usd_per_mtok: Fraction, workload: Workload) -> Fraction:
    if not usd:
        return Fraction(0)
    if not usd_per_mtok:
        raise BasculeError(f"{workload.task!r} costs something on {workload.model!r}, whose price is 0: state tokens")
    return usd * MILLION / usd_per_mtok


def model_of(workload: Workload) -> str:
    """Raises BasculeError where none is named."""
    if workload.model is None:
        raise BasculeError(f"{workload.task!r} names no model, so its tokens have no price: add `model`")
    return workload.model
