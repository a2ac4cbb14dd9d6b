"""Where secrets come from: environment variables and files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from bascule.config.secret import Secret

MAX_SECRET_BYTES = 16 * 1024


class SecretMissing(Exception):
    """A secret that is not where it should be: what is wrong, and how to mend it. Never holds the secret."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(what)


class SecretSource(Protocol):
    def read(self, reference: str) -> Secret | None:
        """The secret at `env:NAME` or `file:PATH`, None for `none`. Raises SecretMissing."""
        ...


class Secrets:
    """Secrets from an environment and from files; relative paths are relative to the configuration's folder."""

    def __init__(self, environment: Mapping[str, str], directory: Path = Path()) -> None:
        self._environment = environment
        self._directory = directory
        self.given: list[Secret] = []
        """All that were read, for who keeps them out of logs."""

    def read(self, reference: str) -> Secret | None:
        kind, _, name = reference.partition(":")
        if kind == "env":
            return self._give(self._from_environment(name), f"the variable {name}")
        if kind == "file":
            return self._give(self._from_file(name), f"the file {name}")
        return None

    def _give(self, text: str, where: str) -> Secret:
        secret = _checked(text, where)
        self.given.append(secret)
        return secret

    def _from_environment(self, name: str) -> str:
        text = self._environment.get(name)
        if text is None:
            raise SecretMissing(f"the variable {name} is not set", f"Set it: export {name}=…")
        return text

    def _from_file(self, name: str) -> str:
        path = self._directory / name
        if path.is_fifo() or path.is_char_device():
            # It may be waited for without end, and at the next reload it is empty.
            raise SecretMissing(f"{name} is a pipe or a device", "Put the secret into a file, or name a variable")
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_SECRET_BYTES + 1)
        except OSError as error:
            raise SecretMissing(
                f"the file {name} cannot be read: {error.strerror}", "Mend the path or rights"
            ) from error
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SecretMissing(f"the file {name} is not text", "Write the secret alone into it") from error


def _checked(text: str, where: str) -> Secret:
    value = text.strip()
    if not value:
        raise SecretMissing(f"{where} is empty", "Put the secret into it, or remove the entry that needs it")
    if len(value) > MAX_SECRET_BYTES or not value.isascii() or not value.isprintable():
        mend = "It must be one line of printable ASCII, as it can be sent in a header"
        raise SecretMissing(f"{where} does not hold a usable secret", mend)
    return Secret(value.encode())
