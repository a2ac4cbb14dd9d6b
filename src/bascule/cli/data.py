"""What the data commands stand on: the configuration's data directory and its ledger."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bascule.config.load import Document
from bascule.config.secret import Secret
from bascule.config.sources import Secrets
from bascule.model.errors import ConfigError

if TYPE_CHECKING:
    from bascule.compose import Store
    from bascule.link import Snapshot


def read_document(config_path: str | None) -> Document:
    """The configuration as far as data commands need it: its shape must be right, its secrets may be missing.

    Raises ConfigError with every mistake of the file.
    """
    from bascule import compose

    document = compose.read_document(config_path, os.environ)
    if document.problems:
        raise ConfigError(document.problems)
    return document


def data_dir_of(document: Document) -> Path:
    from bascule import compose

    return compose.data_dir_of(document)


def open_store(document: Document) -> "Store":
    """The data directory's store, made where there is none: for commands that write. It is closed with the command."""
    from bascule import compose

    store = compose.open_store(data_dir_of(document), document.config, Secrets(os.environ, document.directory))
    click.get_current_context().find_root().call_on_close(store.database.close)
    return store


def open_existing(document: Document) -> "Store":
    """The store of a data directory that has one: reading must not leave an empty ledger behind in a wrong folder."""
    if not has_ledger(document):
        raise click.ClickException(
            f"no ledger yet in {data_dir_of(document).absolute()}: `bascule import claude-code` or `bascule import "
            "codex` reads logs that are there already, `bascule serve` starts a gateway; for the data directory of "
            "another configuration name it with -c"
        )
    return open_store(document)


def has_ledger(document: Document) -> bool:
    """Whether there is one to read: a database that others share is taken to have one."""
    from bascule.storage.sqlite.connect import FILE_NAME

    return document.config.database is not None or (data_dir_of(document) / FILE_NAME).exists()


class AnySecret:
    """Stands in for every secret where nothing is sent: names, prices and routes can be told without keys."""

    def read(self, reference: str) -> Secret | None:
        return None if reference == "none" else Secret(b"not-a-secret " + reference.encode())


def read_names(config_path: str | None, *, needed: bool = False) -> "Snapshot | None":
    """The configuration linked without its secrets, for what it says about models and prices.

    Without a file None, or with `needed` what the environment has. Raises ConfigError.
    """
    from bascule import compose
    from bascule.link import link

    if config_path is None and not needed and not compose.DEFAULT_FILE.exists():
        return None
    document = compose.read_document(config_path, os.environ)
    return link(
        document,
        compose.price_book(document),
        AnySecret(),
        compose.installed_presets(),
        stored_keys=True,
        providers_needed=needed,
        webhooks_needed=False,
    )
