"""From a file and an environment to a snapshot."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

from bascule.compose.predicting import with_predictors
from bascule.config.environment import environment_document
from bascule.config.load import Document, load_file
from bascule.config.sources import Secrets
from bascule.link import Snapshot, link
from bascule.prices.book import PriceBook
from bascule.prices.local import FILE_NAME as LOCAL_PRICES
from bascule.providers.discover import discover
from bascule.providers.installed import GROUP, with_installed
from bascule.providers.registry import Presets

DEFAULT_FILE = Path("bascule.yaml")


def installed_presets() -> Presets:
    """The shipped presets, and those of installed packages. Raises BasculeError where one of these is broken."""
    return with_installed(entry_points(group=GROUP))


def read_document(path: str | None, environment: Mapping[str, str]) -> Document:
    """The configuration file, `./bascule.yaml` where none is named, or what the environment has."""
    if path is not None:
        return load_file(Path(path))
    if DEFAULT_FILE.exists():
        return load_file(DEFAULT_FILE)
    return environment_document(discover(environment, installed_presets().all()))


def snapshot_of(document: Document, environment: Mapping[str, str], *, stored_keys: bool) -> Snapshot:
    """Configuration, presets and prices, linked. Raises ConfigError with every mistake."""
    secrets = Secrets(environment, document.directory)
    snapshot = link(document, price_book(document), secrets, installed_presets(), stored_keys=stored_keys)
    snapshot.read = tuple(secrets.given)
    snapshot.routes = with_predictors(snapshot, document)
    return snapshot


def price_book(document: Document) -> PriceBook:
    """The shipped prices with those that `bascule prices update` took over. Raises BrokenLocalPrices."""
    return PriceBook(local=data_dir_of(document) / LOCAL_PRICES)


def data_dir_of(document: Document) -> Path:
    """Relative to the configuration file's folder."""
    return document.directory / document.config.data_dir
