"""Which prices a MODEL argument means: a name of the configuration, `provider/model`, or a bare catalog name."""

from pathlib import Path

import click
from msgspec import Struct

from bascule.cli.price_lists import current_book, optional_document
from bascule.model.errors import BasculeError
from bascule.model.money import PriceTimeline
from bascule.offline.offers import at, close_names, offers
from bascule.prices.names import book_name

provider_option = click.option("--provider", default=None, help="At this provider; default: the model's own maker.")
offer_config_option = click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(dir_okay=False),
    default=None,
    help="A bascule.yaml whose models and prices come first; without it ./bascule.yaml if there is one.",
)


class Offer(Struct, frozen=True, kw_only=True):
    """A model as somebody sells it."""

    model: str
    provider: str
    timeline: PriceTimeline | None
    version: str
    also_at: tuple[str, ...] = ()
    """Other providers that sell a model of this name."""
    unpriced: tuple[str, ...] = ()
    max_output: int | None = None


def find_offer(model: str, provider: str | None, config_path: str | None) -> Offer:
    """Raises BasculeError where nothing of that name is known, with the nearest names."""
    book = current_book(optional_document(config_path))
    if config_path is not None or Path("bascule.yaml").exists():
        found = _configured(model, provider, config_path)
        if found is not None:
            return found
    if provider is not None:
        if book_name(provider) not in book.providers:
            raise BasculeError(f"the price book has no provider {provider!r}; it has {', '.join(book.providers)}")
        entry = at(book, provider, model)
        sold = [] if entry is None else [entry]
    else:
        sold = offers(book, model)
    if not sold:
        where = "" if provider is None else f" at {provider!r}"
        near = close_names(book, model)
        mend = f"did you mean {', '.join(near)}?" if near else "`bascule models --all` lists what is known"
        raise BasculeError(f"no price is known for {model!r}{where}; {mend}")
    first = next((entry for entry in sold if entry.timeline is not None), sold[0])
    return Offer(
        model=first.id,
        provider=first.provider,
        timeline=first.timeline,
        version=book.version,
        also_at=tuple([entry.provider for entry in sold if entry is not first]),
        unpriced=first.unpriced,
        max_output=first.facts.max_output,
    )


def _configured(model: str, provider: str | None, config_path: str | None) -> Offer | None:
    from bascule.cli.data import read_names
    from bascule.decide.resolve import resolve
    from bascule.model.errors import Refusal

    snapshot = read_names(config_path)
    if snapshot is None:
        return None
    if provider is not None and provider in snapshot.providers and model not in snapshot.models:
        model = f"{provider}/{model}"
    found = resolve(model, snapshot)
    if isinstance(found, Refusal):
        return None
    if found.model is None:
        candidates = ", ".join(found.route.candidates) if found.route is not None else ""
        raise BasculeError(f"{model!r} is a route; ask for the price of one of its candidates: {candidates}")
    endpoints = [one for one in found.model.endpoints if provider is None or one.provider == provider]
    if not endpoints:
        return None
    chosen = next((one for one in endpoints if one.prices is not None), endpoints[0])
    if chosen.prices is None and not found.model.declared:
        return None  # the catalog may know it at another provider
    return Offer(
        model=found.model.name,
        provider=chosen.provider,
        timeline=chosen.prices,
        version=snapshot.price_version,
        also_at=tuple([one.provider for one in found.model.endpoints if one is not chosen]),
        max_output=chosen.max_output,
    )
