"""The JSON Schema of bascule.yaml, for editors and `bascule check --schema`."""

from typing import Any

import msgspec

from bascule.config.scalars import SCHEMAS
from bascule.config.shape import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) generated from the shape."""
    made = _with_forms(msgspec.json.schema(Config))
    assert isinstance(made, dict)
    return {"$schema": DIALECT, "title": "bascule.yaml", **made}


def _with_forms(node: Any) -> Any:
    """Replace the integers that money, prices, days and secrets are in memory by what stands in the file."""
    if isinstance(node, list):
        return [_with_forms(item) for item in node]
    if not isinstance(node, dict):
        return node
    form = node.get("x-form")
    if form is not None:
        return dict(SCHEMAS[form])
    return {key: _with_forms(value) for key, value in node.items()}
