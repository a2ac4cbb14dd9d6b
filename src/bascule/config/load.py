"""bascule.yaml from a file or a text, with everything that is wrong with it."""

from pathlib import Path as FilePath

from msgspec import Struct

from bascule.config.check import check
from bascule.config.decode import decode
from bascule.config.document import parse
from bascule.config.places import Places
from bascule.config.shape import Config
from bascule.model.errors import ConfigError, Problem

MAX_FILE_BYTES = 16 * 1024 * 1024


class Document(Struct, frozen=True):
    """A configuration as far as it could be read. `link` adds what it finds and raises all of it at once."""

    config: Config
    places: Places
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    directory: FilePath = FilePath()
    """What relative paths of secrets are relative to."""

    @property
    def file(self) -> str:
        return self.places.file


def load_text(text: str, file: str = "bascule.yaml", directory: FilePath = FilePath()) -> Document:
    """Read a configuration. Never raises: mistakes are in the document's `problems`."""
    places = Places(file)
    node, syntax = parse(text, file)
    config, shape = decode(node, Config, places)
    checks = check(config, places)
    return Document(config, places, (*syntax, *shape, *checks.problems), tuple(checks.warnings), directory)


def load_file(path: FilePath) -> Document:
    """Read a configuration file. Raises ConfigError only where the file itself cannot be read."""
    name = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        mend = "Give an existing file with -c, or make one with `bascule init`"
        raise ConfigError((Problem(name, f"cannot be read: {error.strerror or 'error'}", mend),)) from error
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigError((Problem(name, f"longer than {MAX_FILE_BYTES} bytes", "Name a configuration file"),))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError((Problem(f"{name}:{line}:1", "not UTF-8", "Save the file as UTF-8"),)) from error
    return load_text(text, name, path.parent)
