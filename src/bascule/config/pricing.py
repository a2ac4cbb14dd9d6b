"""The shape of prices and contracts in bascule.yaml. Amounts are integers already, see `scalars`."""

from msgspec import field

from bascule.config.scalars import ClockS, DayMs, Name, NanoUsd, PicoUsdEach, PicoUsdPerToken
from bascule.config.section import Count, Section, Share


class Rates(Section, frozen=True, kw_only=True):
    """USD per million tokens; what is left out is unknown, never free."""

    input: PicoUsdPerToken | None = None
    """Of a token that is neither cached nor written to a cache."""
    output: PicoUsdPerToken | None = None
    """Also of reasoning, where that has no price of its own."""
    cache_read: PicoUsdPerToken | None = None
    """Of an input token from a cache."""
    cache_write: PicoUsdPerToken | None = None
    """For five minutes, which is also the price of caches without a named duration."""
    cache_write_1h: PicoUsdPerToken | None = None
    """For one hour."""
    reasoning: PicoUsdPerToken | None = None
    """Where it differs from output."""
    audio_in: PicoUsdPerToken | None = None
    """Of an audio token."""
    audio_out: PicoUsdPerToken | None = None
    """Of an audio token."""
    image_in: PicoUsdPerToken | None = None
    """Of an image token."""
    image_out: PicoUsdPerToken | None = None
    """Of an image token."""
    request_usd: PicoUsdEach | None = None
    """For each request."""
    web_search_usd: PicoUsdEach | None = None
    """For each search that the provider makes. With `{input: 0, output: 0}` at somebody else's server a strict budget
    refuses searches, tools and fields that may have a fee: until this says 0, or `data: {region: local}` that it is
    your own."""


class TierRates(Rates, frozen=True, kw_only=True):
    """Rates of the whole request once its billed input is above a number of tokens."""

    above_input_tokens: Count
    """More than so many."""


class WindowRates(Rates, frozen=True, kw_only=True):
    """Rates inside a daily window, UTC; it may go over midnight."""

    from_s: ClockS = field(name="from")
    """First moment."""
    to_s: ClockS = field(name="to")
    """First moment after it; `24:00` is midnight."""


class Price(Rates, frozen=True, kw_only=True):
    """A price, from a day on."""

    from_ms: DayMs | None = field(name="from", default=None)
    """Left out: since ever."""
    tiers: tuple[TierRates, ...] = ()
    """In rising order; every rate is stated again."""
    windows: tuple[WindowRates, ...] = ()
    """Off-peak prices."""
    variants: dict[Name, Rates] = field(default_factory=dict)
    """Other service tiers: `batch`, `flex`, `priority`, …"""


Prices = Price | tuple[Price, ...]


class Contract(Section, frozen=True, kw_only=True):
    """What is really paid to a provider. Prices in the ledger stay the list's; reports apply contracts to them.

    One contract may say several of these at once, such as a commitment with the discount that it brings.
    """

    provider: Name
    """A name of `providers`; for imported rows who sold them, such as `anthropic` or `openai`."""
    from_ms: DayMs | None = field(name="from", default=None)
    """Its first day (UTC); left out: since ever. A commitment and a credit need it."""
    to_ms: DayMs | None = field(name="to", default=None)
    """Its last day, which still counts; left out: for ever. A commitment needs it."""
    discount: Share | None = None
    """Off the list price: 0.12 is twelve per cent. Of two that cover a use the first applies."""
    credit_nanousd: NanoUsd | None = field(name="credit_usd", default=None)
    """Granted: use costs nothing until it is drawn down. What was bought in advance is a commitment."""
    commitment_nanousd: NanoUsd | None = field(name="commitment_usd", default=None)
    """To be paid in any case by its last day; drawn down by discounted use, and what is left then is paid too."""
    seats: Count | None = None
    """Seats or subscriptions that are paid, used or not; with `usd_per_seat_month`."""
    seat_month_nanousd: NanoUsd | None = field(name="usd_per_seat_month", default=None)
    """The fee of one for a calendar month, whatever its user does; of part of a month that part."""
    covers: tuple[str, ...] = ()
    """Clients of imported logs (`claude-code`, `codex`) or models that it is for; empty for all of the provider, calls
    through the gateway included."""
    provisioned_units: Count | None = None
    """Units of capacity that are paid by the hour, used or not; with `usd_per_unit_hour`."""
    unit_hour_nanousd: NanoUsd | None = field(name="usd_per_unit_hour", default=None)
    """The price of one unit for an hour."""
