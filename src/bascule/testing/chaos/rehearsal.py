"""A copy of a user's configuration in which every provider is the scripted upstream.

Models, routes, prices, keys and budgets stay theirs. What reaches further than this machine does not come along:
sections are copied by name, and the linked copy is refused where one of its providers is anybody else.
"""

import secrets
from pathlib import Path
from typing import Any

from msgspec import Struct
from ruamel.yaml import YAML

from bascule import compose
from bascule.link import Snapshot
from bascule.model.errors import BasculeError, ConfigError
from bascule.testing.chaos.sample import SAMPLE
from bascule.testing.chaos.surfaces import SURFACES
from bascule.testing.chaos.traffic import Target

KEPT = (
    *("durability", "mode", "baseline", "models", "routes", "aliases", "quality_levels", "keys", "budgets", "cache"),
    *("responses", "leases", "overload", "idempotency", "retry", "breaker", "outlier"),
)
"""Sections of the copy, beside `server` in part and `providers` changed."""
KEPT_OF_SERVER = ("workers", "drain_timeout_s", "usage_cost", "limits")
BASE_PATHS = {"openai_chat": "/v1", "openai_responses": "/v1", "gemini": "/v1beta"}
TIMEOUTS = {"connect_s": 2, "first_byte_s": 2.5, "idle_s": 1.5, "total_s": 8}
"""Instead of the user's: a provider that hangs must not take minutes."""
PROBE_KEY, BUDGET_KEY = "chaos-probe", "chaos-budget"
"""Keys that the copy has besides the user's: without any limit, and for a budget of our own."""
MOST_MODELS, MOST_ROUTES = 12, 4

Tree = dict[str, Any]


class Rehearsal(Struct, frozen=True, kw_only=True):
    """A configuration that can be attacked."""

    file: Path
    snapshot: Snapshot
    secrets: dict[str, str]
    """By key."""
    targets: tuple[Target, ...]
    left_out: tuple[str, ...]
    """Sections of the user's file that the copy has not."""


def rehearse(source: Path | None, folder: Path, origin: str) -> Rehearsal:
    """Write the copy of `source` (None: of a sample of all dialects) to `folder`, with `origin` for every provider.

    Raises ConfigError where the source is wrong, BasculeError where it has nothing to ask.
    """
    theirs = SAMPLE if source is None else _read(source)
    made = {name: theirs[name] for name in KEPT if name in theirs}
    server = theirs.get("server") or {}
    made["server"] = {name: server[name] for name in KEPT_OF_SERVER if name in server}
    made["data_dir"] = "data"
    drawn = {name: secrets.token_urlsafe(32) for name in (*(theirs.get("keys") or {}), PROBE_KEY, BUDGET_KEY, "admin")}
    made["providers"] = {
        name: _provider(name, entry or {}, origin) for name, entry in (theirs.get("providers") or {}).items()
    }
    made["keys"] = {
        **{name: {**(key or {}), "secret": f"file:{name}.secret"} for name, key in (theirs.get("keys") or {}).items()},
        **{name: {"secret": f"file:{name}.secret"} for name in (PROBE_KEY, BUDGET_KEY)},
    }
    made["admin"] = {"secret": "file:admin.secret"}
    for name, secret in {**drawn, "provider": "nobody"}.items():
        (folder / f"{name}.secret").write_text(secret, encoding="ascii")
    file = folder / "bascule.yaml"
    YAML().dump(made, file)
    snapshot = compose.snapshot_of(compose.read_document(str(file), {}), {}, stored_keys=False)
    _refuse_others(snapshot, origin)
    return Rehearsal(
        file=file,
        snapshot=snapshot,
        secrets=drawn,
        targets=targets_of(snapshot),
        left_out=tuple([name for name in theirs if name not in made]),
    )


def _read(source: Path) -> Tree:
    """The file's tree, decimals as they are written. Raises ConfigError with every mistake of its shape."""
    document = compose.read_document(str(source), {})
    if document.problems:
        raise ConfigError(document.problems)
    tree: Tree = YAML().load(source.read_text(encoding="utf-8-sig")) or {}
    return tree


def _provider(name: str, entry: Tree, origin: str) -> Tree:
    dialect = entry.get("dialect")
    if dialect is None:
        spec = compose.installed_presets().get(entry.get("preset") or name)
        dialect = "openai_chat" if spec is None else spec.dialect
    address = {"base_url": origin + BASE_PATHS.get(dialect, ""), "api_key": "file:provider.secret"}
    return {**entry, **address, "timeouts": dict(TIMEOUTS)}


def _refuse_others(snapshot: Snapshot, origin: str) -> None:
    strangers = [name for name, linked in snapshot.providers.items() if linked.origin != origin]
    if strangers:
        raise BasculeError(f"the copy would still ask {', '.join(strangers)}: nothing was started")


def targets_of(snapshot: Snapshot) -> tuple[Target, ...]:
    """What can be asked for: models, then routes, or the catalog's where the file has neither. Raises BasculeError."""
    declared = [name for name, model in snapshot.models.items() if model.endpoints and model.max_output != 0]
    names = [*declared[:MOST_MODELS], *list(snapshot.routes)[:MOST_ROUTES]]
    names = names or list(snapshot.catalog_names()[:MOST_MODELS])
    if not names:
        raise BasculeError("the configuration has no route, model or provider with a catalog: nothing can be asked for")
    cut = {name for name, linked in snapshot.providers.items() if linked.disconnect == "cancel"}
    found = []
    for name in names:
        model = snapshot.model(name)
        paced = model is None or any(endpoint.provider in cut for endpoint in model.endpoints)
        found.append(Target(model=name, surfaces=SURFACES, paced=paced))
    return tuple(found)
