"""Who served a model that a log names, and at which prices: the configuration's word first, then the price book's."""

from collections.abc import Mapping

from msgspec import Struct

from bascule.model.catalog import Model
from bascule.model.money import PriceTimeline
from bascule.offline.offers import MAKERS, offers
from bascule.prices.book import PriceBook
from bascule.prices.names import book_name
from bascule.providers.registry import Presets

MAX_REMEMBERED = 10_000

BEDROCK = "bedrock"
VERTEX = "vertex"
_REGION_GROUPS = frozenset({"us", "eu", "apac", "global", "au", "jp", "ca", "us-gov"})


class Sold(Struct, frozen=True):
    """A model as somebody sells it. `provider` and `timeline` None: nobody that we know."""

    model: str
    """The catalog's name: a Bedrock or Vertex id without what those add to it."""
    provider: str | None
    timeline: PriceTimeline | None


class Sellers:
    """Looks names up once each. `configured` are the models of a bascule.yaml, by name, and `price_only` the prices of
    those that it has no endpoints of."""

    def __init__(
        self,
        book: PriceBook,
        configured: Mapping[str, Model] | None = None,
        aliases: Mapping[str, str] | None = None,
        price_only: Mapping[str, PriceTimeline] | None = None,
    ) -> None:
        self._book = book
        self._configured = configured or {}
        self._aliases = aliases or {}
        self._price_only = price_only or {}
        self._local = {"oss", *[spec.name for spec in Presets().all() if spec.local]}
        self._known: dict[tuple[str, str | None], Sold] = {}

    @property
    def version(self) -> str:
        return self._book.version

    def find(self, name: str, maker: str | None) -> Sold:
        """The seller of a model that a log calls `name`; `maker` is who serves it where the log says so."""
        key = (name, maker)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            known = self._known[key] = self._find(name, maker)
        return known

    def _find(self, name: str, maker: str | None) -> Sold:
        meant = self._aliases.get(name, name)
        own = self._configured.get(meant)
        if own is not None and own.endpoints:
            endpoint = own.endpoints[0]
            return Sold(own.name, endpoint.provider, endpoint.prices)
        if meant in self._price_only:
            return Sold(meant, maker, self._price_only[meant])
        if maker in self._local:
            return Sold(name, maker, None)  # an open model under its maker's name, which its maker does not serve
        cloud = cloud_of(name)
        if cloud is not None:
            maker = cloud
        model = bare_name(name)
        if maker is not None and book_name(maker) in self._book.providers:
            entry = self._book.entry(maker, name.partition("[")[0]) or self._book.entry(maker, model)
            if entry is not None:
                return Sold(model, maker, entry.timeline)
        for entry in offers(self._book, model):
            # Who resells an open model, and at what price, its name does not say; whose own it is, it does.
            if entry.provider in MAKERS or "/" in model:
                return Sold(model, entry.provider, entry.timeline)
        return Sold(model, None, None)


def cloud_of(name: str) -> str | None:
    """`bedrock` or `vertex` where the form of a model's id says so."""
    if name.startswith("arn:aws:bedrock:") or "anthropic.claude-" in name:
        return BEDROCK
    return VERTEX if "@" in name and name.startswith("claude-") else None


def bare_name(name: str) -> str:
    """`us.anthropic.claude-sonnet-4-5-20250929-v1:0` and `claude-sonnet-4-5@20250929` as
    `claude-sonnet-4-5-20250929`; without `[1m]`, by which Claude Code asks for the long context."""
    name = name.partition("[")[0]
    cloud = cloud_of(name)
    if cloud == VERTEX:
        return name.replace("@", "-", 1)
    if cloud != BEDROCK:
        return name
    name = name.rpartition("/")[2]
    group, _, rest = name.partition(".")
    if group in _REGION_GROUPS:
        name = rest
    name = name.removeprefix("anthropic.")
    stem, mark, version = name.rpartition("-v")
    return stem if mark and version.replace(":", "").isdigit() else name
