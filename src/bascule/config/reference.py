"""docs/configuration.md: every section and field of bascule.yaml, from the shape that also decodes it."""

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import msgspec
import msgspec.inspect as kinds
from msgspec import NODEFAULT, Struct

from bascule.config.shape import Config

HEAD = """\
<!-- Written by `make docs` from src/bascule/config/shape.py; change that instead. -->

# Configuration

`bascule.yaml` is YAML 1.2. `bascule check` reads it as the gateway does and names every mistake with its place and its
remedy; `bascule check --schema` prints the JSON Schema for editors; `bascule init` writes a first one. A running
gateway takes a changed file up within a second and on SIGHUP: validated first, swapped whole, the old one kept on
error. Address, `data_dir`, `database`, `durability`, `privacy` and `telemetry` need a restart.

Keys that are not listed here are mistakes. Words such as `no` and `on` are words, numbers are decimal and exact. A
secret never stands in the file: `env:NAME` reads a variable, `file:PATH` a file beside the configuration, `none` is for
a server that wants no key.

A field without a default may be left out unless it is *required*.
"""

FORMS = {
    "usd": "US dollars",
    "fee": "US dollars each",
    "price": "US dollars per million tokens",
    "number": "number or percentage",
    "day": "`YYYY-MM-DD`",
    "clock": '`"HH:MM"`, UTC',
    "secret": "`env:NAME`, `file:PATH` or `none`",
    "scope": "scope",
    "base_url": "URL",
    "retention": "`none`, hours or days (`24h`, `30d`)",
    "api_version": "text",
    "network": "network (`10.0.0.0/8`)",
    "database": "`env:NAME`, `file:PATH` or a URL",
    "name": "name",
}
NOT_YET = {
    ("ExactCache", "persist"): "false",
    ("SemanticCache", "enabled"): "false",
}
"""What this release can do of a field whose type allows more; `config.check` refuses the rest."""


def configuration_page() -> str:
    """The whole page in Markdown."""
    sections = list(found_sections())
    places = {cls: place for place, cls in sections}
    parts = [HEAD]
    for place, cls in sections:
        parts.append(_section(place, cls, places))
    return "\n".join(parts)


def found_sections() -> Iterator[tuple[str, type[Struct]]]:
    """Every section with the place where it first stands, outermost first."""
    seen: set[type[Struct]] = set()
    waiting: list[tuple[str, type[Struct]]] = [("", Config)]
    while waiting:
        place, cls = waiting.pop(0)
        if cls in seen:
            continue
        seen.add(cls)
        yield place, cls
        inner = [
            (f"{place}.{item.encode_name}{suffix}".lstrip("."), found)
            for item in _fields(cls)
            for suffix, found in _inner(item.type)
        ]
        waiting = [*inner, *waiting]


def meanings(cls: type[Struct]) -> dict[str, str]:
    """The texts that stand below fields in the source, those of base classes included."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith("bascule.config."):
            continue
        body = ast.parse(inspect.getsource(base)).body[0]
        assert isinstance(body, ast.ClassDef)
        for before, after in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(before, ast.AnnAssign)
                and isinstance(before.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                found[before.target.id] = " ".join(after.value.value.split())
    return found


def _fields(cls: type[Struct]) -> tuple[kinds.Field, ...]:
    info = kinds.type_info(cls)
    assert isinstance(info, kinds.StructType)
    return info.fields


def _inner(kind: kinds.Type) -> Iterator[tuple[str, type[Struct]]]:
    """Sections inside a type, with what their place has behind the field's name."""
    if isinstance(kind, kinds.Metadata):
        yield from _inner(kind.type)
    elif isinstance(kind, kinds.StructType):
        yield "", kind.cls
    elif isinstance(kind, kinds.DictType):
        yield from [(f".NAME{suffix}", cls) for suffix, cls in _inner(kind.value_type)]
    elif isinstance(kind, kinds.VarTupleType):
        yield from [(f"[]{suffix}", cls) for suffix, cls in _inner(kind.item_type)]
    elif isinstance(kind, kinds.UnionType):
        for option in kind.types:
            yield from _inner(option)


def _section(place: str, cls: type[Struct], places: dict[type[Struct], str]) -> str:
    lines = [f"## {f'`{place}`' if place else 'The file'}\n"]
    if cls.__doc__ and place:
        lines.append(" ".join(cls.__doc__.split()) + "\n")
    lines += ["| field | type | default | meaning |", "|---|---|---|---|"]
    told = meanings(cls)
    for item in _fields(cls):
        meaning = told.get(item.name) or _of_section(item.type)
        limited = NOT_YET.get((cls.__name__, item.name))
        if limited is not None:
            meaning = f"{meaning} In this release only {limited}.".strip()
        cells = (f"`{item.encode_name}`", _type(item.type, places), _default(item), meaning)
        lines.append("| " + " | ".join([cell.replace("|", "\\|") for cell in cells]) + " |")
    return "\n".join(lines) + "\n"


def _of_section(kind: kinds.Type) -> str:
    """What the section says of itself, where a field has nothing to add: its first sentence."""
    said = [cls.__doc__ for _, cls in _inner(kind) if cls.__doc__]
    return " ".join(said[0].split()).partition(". ")[0].rstrip(".") + "." if said else ""


def _type(kind: kinds.Type, places: dict[type[Struct], str]) -> str:
    if isinstance(kind, kinds.Metadata):
        form = (kind.extra or {}).get("form")
        return FORMS[form] if form is not None else _type(kind.type, places)
    if isinstance(kind, kinds.UnionType):
        options = [_type(option, places) for option in kind.types if not isinstance(option, kinds.NoneType)]
        return " or ".join(options)
    if isinstance(kind, kinds.StructType):
        place = places[kind.cls]
        return f"[`{place}`](#{anchor(place)})"
    if isinstance(kind, kinds.DictType):
        return f"names, each: {_type(kind.value_type, places)}"
    if isinstance(kind, kinds.VarTupleType):
        return f"list of {_type(kind.item_type, places)}"
    if isinstance(kind, kinds.LiteralType):
        return " ".join([f"`{value}`" for value in kind.values])
    if isinstance(kind, kinds.IntType | kinds.FloatType):
        return _number(kind)
    if isinstance(kind, kinds.BoolType):
        return "`true` `false`"
    return "anything" if isinstance(kind, kinds.AnyType) else "text"


def _number(kind: kinds.IntType | kinds.FloatType) -> str:
    word = "whole number" if isinstance(kind, kinds.IntType) else "number"
    low = f" from {kind.ge:,}" if kind.ge is not None else f" above {kind.gt:,}" if kind.gt is not None else ""
    return word + low + (f" to {kind.le:,}" if kind.le is not None else "")


def _default(item: kinds.Field) -> str:
    if item.required:
        return "*required*"
    value: Any = item.default if item.default is not NODEFAULT else item.default_factory()
    if isinstance(value, Struct) or value in (None, (), {}):
        return ""
    return f"`{msgspec.json.encode(value).decode().strip(chr(34))}`"


def anchor(place: str) -> str:
    """As GitHub and most others make one from a heading."""
    return "".join([char for char in place.lower() if char.isalnum() or char in "-_ "]).replace(" ", "-")
