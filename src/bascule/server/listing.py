"""`/v1/models`: what a key may ask for, in one body that OpenAI's and Anthropic's clients and Codex all read."""

from collections.abc import Iterable
from typing import Any

from bascule.decide.resolve import resolve
from bascule.link import Snapshot
from bascule.model.catalog import Model
from bascule.model.errors import Refusal
from bascule.model.policy import KeyPolicy

Entry = dict[str, Any]
"""One model, in the form that OpenAI's and Anthropic's clients read."""

CREATED = 1_700_000_000
CREATED_AT = "2023-11-14T22:13:20Z"
"""When a model was made is not known here; clients want a value, so all have the same."""


def listed_names(snapshot: Snapshot, key: KeyPolicy, now_ms: int) -> list[str]:
    """What the key may ask for: names of the configuration, then of the catalog; or just what its list grants.

    What no configured provider serves is left out, and so are catalog models whose provider has retired them.
    """
    names = snapshot.names()
    if key.models:
        granted = set(key.models)
        others = sorted(name for name in granted.difference(names) if _is_served(snapshot, name, now_ms))
        return [name for name in names if name in granted] + others
    others = [name for name in snapshot.catalog_names() if _is_served(snapshot, name, now_ms)]
    return list(dict.fromkeys([*names, *others]))


def _is_served(snapshot: Snapshot, name: str, now_ms: int) -> bool:
    """Whether a name that is not of the configuration can be asked for, and its end has not come."""
    found = resolve(name, snapshot)
    if isinstance(found, Refusal):
        return False
    model = found.model
    return model is None or model.declared or model.retires_ms is None or model.retires_ms > now_ms


def models_body(snapshot: Snapshot, key: KeyPolicy, now_ms: int) -> dict[str, Any]:
    """The list; `data` for SDKs, `models` for Codex."""
    names = listed_names(snapshot, key, now_ms)
    data = [_entry(name, _model(snapshot, name)) for name in names]
    return {
        "object": "list",
        "data": data,
        "models": data,
        "has_more": False,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }


def find(entries: Iterable[dict[str, Any]], name: str) -> dict[str, Any] | None:
    return next((entry for entry in entries if entry["id"] == name), None)


def _model(snapshot: Snapshot, name: str) -> Model | None:
    """None for a route, which is no model."""
    meant = snapshot.alias(name) or name
    if snapshot.route(meant) is not None:
        return None
    return snapshot.model(meant) or snapshot.catalog_model(meant)


def _entry(name: str, model: Model | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": name,
        "object": "model",
        "type": "model",
        "display_name": name,
        "created": CREATED,
        "created_at": CREATED_AT,
        "owned_by": "bascule" if model is None or not model.endpoints else model.endpoints[0].provider,
    }
    if model is not None:
        if model.context_window is not None:
            entry["context_window"] = model.context_window
            entry["max_input_tokens"] = model.context_window
        if model.max_output is not None:
            entry["max_tokens"] = model.max_output
    return entry
