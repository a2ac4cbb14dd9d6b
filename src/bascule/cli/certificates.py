"""What `bascule certify` proved, kept in `data_dir/certified.json` and read wherever a provider's standing is shown.

One entry per provider of the configuration: the day, what was checked and how it went, and at which address. It
speaks for that dialect at that address only; a configuration that points elsewhere is back to "from the spec only".
"""

from pathlib import Path

import msgspec
from msgspec import Struct

from bascule.link import LinkedProvider
from bascule.model.errors import BasculeError

FILE_NAME = "certified.json"


class CheckResult(Struct, frozen=True, kw_only=True):
    name: str
    passed: bool
    what: str
    """What was seen, in a few words."""
    cost_usd: str | None = None


class Certificate(Struct, frozen=True, kw_only=True):
    """One run of `certify`."""

    provider: str
    preset: str
    dialect: str
    origin: str
    model: str
    date: str
    """ISO date, UTC."""
    version: str
    """Of Bascule."""
    passed: bool
    cost_usd: str | None
    checks: tuple[CheckResult, ...]


def read_certificates(data_dir: Path) -> dict[str, Certificate]:
    """By provider; empty where there is no file. Raises BasculeError where it cannot be read."""
    path = data_dir / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Certificate])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise BasculeError(f"{path} cannot be read: {error}. Remove it and certify again") from error


def write_certificate(data_dir: Path, certificate: Certificate) -> Path:
    """Put it in place of the provider's last one, in one step. Raises BasculeError."""
    known = read_certificates(data_dir) | {certificate.provider: certificate}
    path = data_dir / FILE_NAME
    fresh = path.with_name(f"{FILE_NAME}.new")
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(known), indent=2) + b"\n")
        fresh.replace(path)
    except OSError as error:
        raise BasculeError(f"{path} cannot be written: {error.strerror}. Check data_dir and its owner") from error
    return path


def standing(linked: LinkedProvider, certificates: dict[str, Certificate]) -> str:
    """`certified DATE`, `failed certification DATE`, or what the preset says of itself."""
    found = certificates.get(linked.name)
    if found is None or (found.dialect, found.origin) != (linked.spec.dialect, linked.origin):
        return linked.spec.standing
    return f"certified {found.date}" if found.passed else f"failed certification {found.date}"
