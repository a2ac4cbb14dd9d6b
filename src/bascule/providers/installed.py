"""Presets of installed packages, from their entry points of the group `bascule.providers`.

[project.entry-points."bascule.providers"]
acme = "acme_bascule:SPEC"      # a ProviderSpec whose name is acme
"""

from collections.abc import Iterable
from typing import Protocol

from bascule.dialects.registry import PROVIDER_DIALECTS
from bascule.model.errors import BasculeError, Problem
from bascule.providers.registry import NAMES, Presets
from bascule.providers.spec import ProviderSpec

GROUP = "bascule.providers"


class Distribution(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...


class EntryPoint(Protocol):
    """What `importlib.metadata.EntryPoint` has of it."""

    @property
    def name(self) -> str: ...

    @property
    def value(self) -> str: ...

    @property
    def dist(self) -> Distribution | None: ...

    def load(self) -> object: ...


def with_installed(found: Iterable[EntryPoint]) -> Presets:
    """The shipped presets and those of packages.

    One that has a shipped preset's name is left out with a warning: an installed package changes none of ours, and an
    upgrade that ships a name which a package had before must not stop a gateway. Raises BasculeError naming the
    package where one cannot be used: what it was installed for would be missing without a word.
    """
    specs: dict[str, ProviderSpec] = {}
    origins: dict[str, str] = {}
    warnings: list[Problem] = []
    for entry_point in found:
        package = _package(entry_point)
        if entry_point.name in NAMES:
            what = f"its preset `{entry_point.name}` has the name of a shipped one, which is used"
            warnings.append(Problem(package, what, "Ask its maintainers for another name, or remove the package"))
            continue
        if entry_point.name in specs:
            raise BasculeError(
                f"{package} and {origins[entry_point.name]} both have a preset `{entry_point.name}`; remove one of them"
            )
        specs[entry_point.name] = _spec(entry_point, package)
        origins[entry_point.name] = package
    return Presets(specs.values(), tuple(warnings))


def _spec(entry_point: EntryPoint, package: str) -> ProviderSpec:
    broken = f"{package} offers the preset `{entry_point.name}` ({entry_point.value}), but "
    mend = "; update or remove the package"
    try:
        spec = entry_point.load()
    except Exception as error:  # whatever a stranger's module raises when it is imported
        raise BasculeError(f"{broken}it cannot be imported ({type(error).__name__}: {error}){mend}") from error
    if not isinstance(spec, ProviderSpec):
        raise BasculeError(f"{broken}that is a {type(spec).__name__}, not a ProviderSpec{mend}")
    if spec.name != entry_point.name:
        raise BasculeError(f"{broken}its spec is named `{spec.name}`; the two must be the same{mend}")
    if not spec.name.isprintable() or "/" in spec.name:
        raise BasculeError(f"{broken}a name must be printable and without a slash{mend}")
    if spec.dialect not in PROVIDER_DIALECTS:
        raise BasculeError(f"{broken}it speaks {spec.dialect!r}; known are {', '.join(PROVIDER_DIALECTS)}{mend}")
    return spec


def _package(entry_point: EntryPoint) -> str:
    dist = entry_point.dist
    return "an installed package" if dist is None else f"the package {dist.name} {dist.version}"
