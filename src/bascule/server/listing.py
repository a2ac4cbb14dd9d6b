"""`/v1/models`: what a key may ask for, in one body that OpenAI's and Anthropic's clients and Codex all read."""

from collections.abc import Iterable
from typing import Any

from bascule.link import Snapshot
from bascule.model.catalog import Model
from bascule.model.policy import KeyPolicy

CREATED = 1_700_000_000
CREATED_AT = "2023-11-14T22:13:20Z"
"""When a model was made is not known here; clients want a value, so all have the same."""


def listed_names(snapshot: Snapshot, key: KeyPolicy) -> list[str]:
    """What the key may ask for: names of the configuration, then of the catalog; or just what its list grants."""
    names = snapshot.names()
    if key.models:
        granted = set(key.models)
        return [name for name in names if name in granted] + sorted(granted - set(names))
    return list(dict.fromkeys([*names, *snapshot.catalog_names()]))


def models_body(snapshot: Snapshot, key: KeyPolicy) -> dict[str, Any]:
    """The list; `data` for SDKs, `models` for Codex."""
    names = listed_names(snapshot, key)
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
