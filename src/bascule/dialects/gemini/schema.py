"""Google's schemas (a subset of OpenAPI 3.0) as JSON Schema.

Types are written in capitals, `nullable` stands for a type of null, and large integers are text
(ai.google.dev/api/caching, Schema). Towards Google no conversion is needed: `parametersJsonSchema` and
`responseJsonSchema` take JSON Schema.
"""

from typing import Any

from bascule.dialects.fields import Holder, wrong
from bascule.dialects.gemini.spelling import camel

_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_DROPPED = frozenset({"nullable", "propertyOrdering", "example"})
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS = ("properties", "$defs")


def json_schema(schema: Holder, where: str) -> Holder:
    """Raises MalformedRequest for a type that is none."""
    given = camel(schema, where)
    out: Holder = {}
    for key, value in given.items():
        if key in _DROPPED:
            continue
        name = {"defs": "$defs", "ref": "$ref"}.get(key, key)
        out[name] = _value(name, value, f"{where}.{key}")
    if out.get("type") is None:
        out.pop("type", None)
    if given.get("nullable") is True:
        _allow_null(out)
    return out


def _value(key: str, value: Any, where: str) -> Any:
    if key == "type":
        return _type(value, where)
    if key in _COUNTS and type(value) is str and value.isdecimal() and len(value) < 20:
        return int(value)
    if key in _MAPS and type(value) is dict:
        return {name: _schema(inner, f"{where}.{name}") for name, inner in value.items()}
    if key in _LISTS and type(value) is list:
        return [_schema(inner, f"{where}[{at}]") for at, inner in enumerate(value)]
    if key in ("items", "additionalProperties"):
        return _schema(value, where)
    return value


def _schema(value: Any, where: str) -> Any:
    return json_schema(value, where) if type(value) is dict else value


def _type(value: Any, where: str) -> Any:
    if value is None or value == "TYPE_UNSPECIFIED":
        return None
    if type(value) is list:
        return [_type(item, f"{where}[{at}]") for at, item in enumerate(value)]
    lower = value.lower() if type(value) is str else None
    if lower not in _TYPES:
        holder, _, name = where.rpartition(".")
        wrong(holder, name, f"one of {', '.join(sorted(_TYPES)).upper()}")
    return lower


def _allow_null(schema: Holder) -> None:
    kind = schema.get("type")
    if type(kind) is str and kind != "null":
        schema["type"] = [kind, "null"]
    elif type(branches := schema.get("anyOf")) is list:
        schema["anyOf"] = [*branches, {"type": "null"}]
    if type(choices := schema.get("enum")) is list and None not in choices:
        schema["enum"] = [*choices, None]
