"""What tokens cost on one's own accelerators, and from which volume or month on they beat a price per token. Pure.

Own hours are paid whether they are used or not: USD per million tokens = USD per hour / (tokens per second x 3,600 x
utilisation) x a million. A fleet has as many serving nodes as the volume needs at the planned utilisation, at least
`replicas`, and `redundancy` more that stand by. All exact but growth within a year, which is smooth and taken to forty
digits.
"""

from decimal import Decimal, localcontext
from fractions import Fraction

from msgspec import Struct

from bascule.offline.quantity import MILLION, Span

HOURS_PER_MONTH = Fraction(730)
"""A twelfth of 365 days."""
MONTHS_AHEAD = 120
"""How far a break-even by date is looked for."""
_DIGITS = 40


class Fleet(Struct, frozen=True, kw_only=True):
    """Nodes of one kind."""

    usd_per_hour: Fraction
    """Of one node."""
    tokens_per_second: Fraction
    """Of one node at full load, counted as the volume is: of input and output, or of output alone."""
    speedup: Fraction = Fraction(1)
    """On `tokens_per_second`, e.g. of a quantisation."""
    utilisation: Fraction = Fraction(1)
    """Planned: the share of what a node could do that it does."""
    replicas: int = 1
    redundancy: int = 0
    hours_per_month: Fraction = HOURS_PER_MONTH

    @property
    def node_usd(self) -> Fraction:
        """A month of one node."""
        return self.usd_per_hour * self.hours_per_month

    @property
    def node_tokens(self) -> Fraction:
        """That one node serves in a month at the planned utilisation."""
        return self.tokens_per_second * self.speedup * 3600 * self.hours_per_month * self.utilisation

    def nodes(self, tokens: Fraction) -> int:
        """Serving, without those that stand by, for so many tokens a month."""
        return max(self.replicas, -(-tokens // self.node_tokens))

    def usd(self, nodes: int) -> Fraction:
        """A month of so many serving nodes and those that stand by."""
        return (nodes + self.redundancy) * self.node_usd

    def usd_per_mtok(self, utilisation: Fraction) -> Fraction:
        """Of the fleet as stated, its standing-by nodes paid too."""
        full = self.node_tokens / self.utilisation * utilisation * self.replicas
        return self.usd(self.replicas) / full * MILLION


class BreakEven(Struct, frozen=True):
    """From `tokens` a month on, up to what these `nodes` serve, the fleet costs no more than the price per token."""

    tokens: Fraction
    nodes: int


class AtVolume(Struct, frozen=True, kw_only=True):
    tokens: Fraction
    nodes: int
    """Serving; `redundancy` more stand by."""
    usd: Fraction
    usd_per_mtok: Fraction
    utilisation: Fraction
    """Of the serving nodes, reached."""
    api_usd: Span | None


class Cheaper(Struct, frozen=True):
    """Months from now in which the fleet costs no more than the price per token; None: not within `MONTHS_AHEAD`."""

    since: int | None
    until: int | None
    """The first month thereafter in which it costs more again."""


class Volume(Struct, frozen=True):
    """A month's tokens as they were counted."""

    tokens: Fraction
    output_share: Fraction | None


def blended_usd_per_mtok(price_input: Fraction, price_output: Fraction, output_share: Span | None) -> Span:
    """Of input and output together; over all shares of output where theirs is not known."""
    shares = (Fraction(0), Fraction(1)) if output_share is None else output_share.ends
    blends = [price_input * (1 - share) + price_output * share for share in shares]
    return Span(min(blends), max(blends))


def break_even(fleet: Fleet, api_usd_per_mtok: Fraction) -> BreakEven | None:
    """The least monthly volume at which the fleet costs no more; None where not even full nodes reach the price.

    With n serving nodes that is (n + redundancy) x a node's month / price, if n nodes can serve so much.
    """
    margin = fleet.node_tokens * api_usd_per_mtok / MILLION - fleet.node_usd
    if margin < 0 or (margin == 0 and fleet.redundancy):
        return None
    least = 1 if not margin else -(-fleet.redundancy * fleet.node_usd // margin)
    nodes = max(fleet.replicas, int(least), 1)
    return BreakEven(tokens=fleet.usd(nodes) / api_usd_per_mtok * MILLION, nodes=nodes)


def at_volume(fleet: Fleet, tokens: Fraction, api_usd_per_mtok: Span | None) -> AtVolume:
    """`tokens` a month, above 0."""
    nodes = fleet.nodes(tokens)
    usd = fleet.usd(nodes)
    api = api_usd_per_mtok
    return AtVolume(
        tokens=tokens,
        nodes=nodes,
        usd=usd,
        usd_per_mtok=usd / tokens * MILLION,
        utilisation=tokens * fleet.utilisation / (fleet.node_tokens * nodes),
        api_usd=None if api is None else Span(api.low * tokens / MILLION, api.high * tokens / MILLION),
    )


def cheaper_when(
    fleet: Fleet, tokens: Fraction, api_usd_per_mtok: Fraction, growth: Fraction, price_change: Fraction
) -> Cheaper:
    """With a volume and an API price that change by these shares every year, own hours at today's price."""
    since = None
    for month in range(MONTHS_AHEAD + 1):
        volume = tokens * compounded(growth, month)
        api = volume * api_usd_per_mtok * compounded(price_change, month) / MILLION
        pays = fleet.usd(fleet.nodes(volume)) <= api
        if pays and since is None:
            since = month
        elif not pays and since is not None:
            return Cheaper(since, month)
    return Cheaper(since, None)


def compounded(change_per_year: Fraction, months: int) -> Fraction:
    """The multiple after so many months; exact after whole years."""
    yearly = 1 + change_per_year
    years, rest = divmod(months, 12)
    if not rest or not yearly:
        return yearly**years if yearly or not months else Fraction(0)
    with localcontext() as context:
        context.prec = _DIGITS
        base = Decimal(yearly.numerator) / Decimal(yearly.denominator)
        return yearly**years * Fraction(base ** (Decimal(rest) / 12))


def monthly_volume(tokens_in: int, tokens_out: int, days: Fraction) -> Volume:
    """Tokens that were billed in so many days, as a month's: of a model in the ledger, or from anywhere else."""
    tokens = tokens_in + tokens_out
    return Volume(
        tokens=tokens * HOURS_PER_MONTH / 24 / days, output_share=Fraction(tokens_out, tokens) if tokens else None
    )
