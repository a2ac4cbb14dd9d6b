"""A configuration without a file: the providers whose keys stand in the environment."""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from bascule.config.load import Document
from bascule.config.places import Places
from bascule.config.shape import Config, Provider

PLACE = "environment"


class Found(Struct, frozen=True):
    """A provider that the environment has what it takes for."""

    name: str
    variable: str
    """The variable that gave it away."""
    base_url: str | None = None
    """Where it differs from the preset's own."""
    needs_key: bool = True


def environment_document(found: Iterable[Found]) -> Document:
    """A configuration of these providers and nothing else; its mistakes are said to be in the `environment`."""
    providers = {item.name: Provider(base_url=item.base_url) for item in found}
    return Document(Config(providers=providers), Places(PLACE), directory=Path())
