"""What a requested name stands for, and whether a key may ask for it.

The order is: a route or configured model of exactly this name; an alias, an exact one before a pattern;
`provider/upstream-model`; a catalog model that a configured provider serves; and only then the same without `:floor`
or `:nitro`. What the operator wrote (routes, models, aliases) so always wins over what Bascule ships.
"""

from collections.abc import Iterable

from msgspec import Struct

from bascule.decide.aliases import SUFFIXES, Suffix
from bascule.model.catalog import Model
from bascule.model.errors import Refusal
from bascule.model.policy import KeyPolicy, RoutePolicy
from bascule.model.registry import Registry

MAX_NAME_CHARS = 256
MAX_SUGGESTED = 3


class Resolved(Struct, frozen=True, kw_only=True):
    """Exactly one of `route` and `model` is set."""

    name: str
    """The route's or model's own name: aliases followed, suffix stripped."""
    route: RoutePolicy | None = None
    model: Model | None = None
    suffix: Suffix | None = None
    direct: bool = False
    """Asked for as `provider/upstream-model`."""


def resolve(name: str, registry: Registry) -> Resolved | Refusal:
    """What `name` stands for, or `model_not_found`."""
    found = _named(name, registry)
    if found is None or found.direct:
        # Any `provider/x:floor` can be asked for directly, so a suffix there is ours unless such a model is known.
        stripped = _stripped(name, registry)
        if stripped is not None and (found is None or not _is_priced(found)):
            return stripped
    return found if found is not None else _not_found(name, registry)


def granted(key: KeyPolicy, names: Iterable[str], registry: Registry) -> Refusal | None:
    """Whether `key` may ask for all of `names` (the requested one and each of `models[]`).

    A key without a list may ask for everything, `provider/x` included. With a list, a name is granted if the list
    holds it or what it stands for (alias followed, suffix stripped); a route grants its candidates. A direct
    `provider/x` stands only for itself, so a grant of model `x` never reaches it.
    """
    if not key.models:
        return None
    for name in names:
        if name in key.models:
            continue
        found = resolve(name, registry)
        # An unknown name is refused like any other that is not granted: keys learn nothing of what exists.
        if isinstance(found, Refusal) or found.name not in key.models:
            return Refusal(
                kind="forbidden",
                message=f"This key may not use model {_shown(name)}; it may use {', '.join(key.models[:20])}.",
                code="model_not_allowed",
                param="model",
            )
    return None


def _named(name: str, registry: Registry) -> Resolved | None:
    """`name` with every character it has."""
    own = _own(name, registry)
    if own is not None:
        return own
    target = registry.alias(name)
    if target is None:
        return _served(name, registry)
    return aliased(target, registry)


def aliased(target: str, registry: Registry) -> Resolved | None:
    """What an alias stands for: anything but another alias, and it may end in a suffix."""
    return _own(target, registry) or _served(target, registry) or _stripped(target, registry)


def _own(name: str, registry: Registry) -> Resolved | None:
    route = registry.route(name)
    if route is not None:
        return Resolved(name=name, route=route)
    model = registry.model(name)
    return None if model is None else Resolved(name=name, model=model)


def _served(name: str, registry: Registry) -> Resolved | None:
    provider, slash, upstream_model = name.partition("/")
    if slash and provider and upstream_model:
        model = registry.direct(provider, upstream_model)
        if model is not None:
            return Resolved(name=name, model=model, direct=True)
    model = registry.catalog_model(name)
    return None if model is None else Resolved(name=name, model=model)


def _stripped(name: str, registry: Registry) -> Resolved | None:
    """`name` without its `:floor` or `:nitro`; None where it ends in neither or nothing is left."""
    base, _, ending = name.rpartition(":")
    suffix = SUFFIXES.get(ending)
    if not base or suffix is None:
        return None
    target = registry.alias(base)
    found = _own(base, registry)
    if found is None and target is not None:
        found = _own(target, registry)
    if found is None:
        found = _served(target or base, registry)
    if found is None:
        return None
    return Resolved(name=found.name, route=found.route, model=found.model, suffix=suffix, direct=found.direct)


def _is_priced(found: Resolved) -> bool:
    return found.model is not None and any(endpoint.prices is not None for endpoint in found.model.endpoints)


def _not_found(name: str, registry: Registry) -> Refusal:
    if not name:
        message = "No model was asked for; set `model`."
    elif registry.is_price_only(registry.alias(name) or name):
        message = (
            f"Model {_shown(name)} has a price in the configuration and no `endpoints`: it is there for imports and "
            "cannot be asked for."
        )
    else:
        message = (
            f"Model {_shown(name)} is neither a route nor a configured model, and no configured provider serves it. "
            "GET /v1/models (Gemini's clients: /v1beta/models) lists what there is."
        )
        near = registry.nearest(name)
        if near is not None:
            message += f" Did you mean {_shown(near)}?"
        own_servers = registry.own_servers
        if own_servers:
            direct = " or ".join([_shown(f"{server}/{name}") for server in own_servers[:MAX_SUGGESTED]])
            message += f" A model of your own server is asked for as {direct}, or declared under `models`."
    return Refusal(kind="model_not_found", message=message, code="model_not_found", param="model")


def _shown(name: str) -> str:
    text = name if len(name) <= MAX_NAME_CHARS else name[:MAX_NAME_CHARS] + "…"
    return repr(text)
