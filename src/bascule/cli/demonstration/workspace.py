"""The demo's folder: its configuration, the keys' secrets, the simulation, and what the gateway makes of them."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from string import Template

from msgspec import Struct

from bascule.cli.demonstration.simulated import simulation
from bascule.model.errors import BasculeError

KEYS = ("support-bot", "web-app", "coding-agent", "research", "lab", "trial")
"""Those of the shipped bascule.yaml."""


class Workspace(Struct, frozen=True):
    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "bascule.yaml"

    @property
    def simulation(self) -> Path:
        return self.folder / "simulation.json"

    def secret_file(self, key: str) -> Path:
        return self.folder / "secrets" / key

    def secrets(self) -> dict[str, str]:
        """By key."""
        return {key: self.secret_file(key).read_text(encoding="ascii") for key in KEYS}

    def prepare(self) -> None:
        """Everything but the configuration, which needs the simulation's address."""
        self.simulation.write_bytes(simulation())
        (self.folder / "secrets").mkdir(mode=0o700)
        for key in KEYS:
            file = self.secret_file(key)
            file.touch(mode=0o600)
            file.write_text(f"demo-{key}-{secrets.token_urlsafe(18)}", encoding="ascii")

    def configure(self, port: int) -> None:
        """Point the configuration's providers to the simulation."""
        text = resources.files(__package__).joinpath("bascule.yaml").read_text(encoding="utf-8")
        origin = f"http://127.0.0.1:{port}"
        self.config.write_text(
            Template(text).substitute(OPENAI_URL=f"{origin}/v1", ANTHROPIC_URL=origin), encoding="utf-8"
        )


@contextmanager
def workspace(folder: Path | None) -> Iterator[Workspace]:
    """`folder`, which must be new or empty and stays, or a temporary one that goes."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="bascule-demo-") as made:
            yield Workspace(Path(made))
        return
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BasculeError(f"{folder} is not empty; the demo wants a folder of its own: name a new one, or remove it")
    yield Workspace(folder.resolve())
