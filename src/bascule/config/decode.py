"""A tree of nodes to the shape, collecting every mistake instead of stopping at the first."""

import re
from functools import cache
from typing import Any, TypeVar

import msgspec.inspect as kinds
from msgspec import Struct

from bascule.config.document import Mapping, Node, Scalar, Sequence
from bascule.config.places import Path, Places
from bascule.config.scalars import READERS, Unreadable, decimal
from bascule.config.suggest import nearest, remedy
from bascule.model.errors import Problem

T = TypeVar("T", bound=Struct)


class _Wrong:
    """Stands for a value that could not be read; its problem has been noted."""


WRONG = _Wrong()

_shape = cache(kinds.type_info)


def decode(node: Node | None, shape: type[T], places: Places) -> tuple[T, tuple[Problem, ...]]:
    """The document as `shape`, all of whose fields have defaults, without what could not be read."""
    decoder = _Decoder(places)
    if node is None:
        return shape(), ()
    value = decoder.read(node, _shape(shape), ())
    return (shape() if isinstance(value, _Wrong) else value), tuple(decoder.problems)


class _Decoder:
    def __init__(self, places: Places) -> None:
        self.places = places
        self.problems: list[Problem] = []

    def wrong(self, path: Path, what: str, mend: str) -> _Wrong:
        name = f"`{'.'.join(map(str, path))}`" if path else "the document"
        self.problems.append(self.places.problem(path, f"{name} {what}", mend))
        return WRONG

    def read(self, node: Node, kind: kinds.Type, path: Path) -> Any:
        self.places.add(path, node.mark)
        if isinstance(kind, kinds.Metadata):
            return self.read_form(node, kind, path)
        if isinstance(kind, kinds.UnionType):
            return self.read_union(node, kind, path)
        if isinstance(node, Scalar) and node.kind == "other":
            return self.wrong(path, "carries a YAML tag", "Remove the word that begins with `!`")
        if isinstance(kind, kinds.StructType):
            return self.read_section(node, kind, path)
        if isinstance(kind, kinds.DictType):
            return self.read_entries(node, kind, path)
        if isinstance(kind, kinds.VarTupleType):
            return self.read_list(node, kind, path)
        if isinstance(kind, kinds.AnyType):
            return self.read_any(node, path)
        if not isinstance(node, Scalar):
            found = "a list" if isinstance(node, Sequence) else "a mapping"
            return self.wrong(path, f"is {found}", f"Write {_noun(kind)}")
        return self.read_scalar(node, kind, path)

    def read_form(self, node: Node, kind: kinds.Metadata, path: Path) -> Any:
        form = (kind.extra or {}).get("form")
        if form is None:
            return self.read(node, kind.type, path)
        if not isinstance(node, Scalar) or node.kind in ("null", "bool", "other"):
            return self.wrong(path, "has no value of the right kind", f"Write {_FORM_NOUNS[form]}")
        try:
            return READERS[form](node.text)
        except Unreadable as error:
            return self.wrong(path, f"is {error.what}", error.remedy)

    def read_union(self, node: Node, kind: kinds.UnionType, path: Path) -> Any:
        """The alternative that fits the node's own kind; its mistakes are the ones reported."""
        options = [option for option in kind.types if not isinstance(option, kinds.NoneType)]
        if isinstance(node, Scalar) and node.kind == "null" and len(options) < len(kind.types):
            return None
        fitting = [option for option in options if _fits(node, option)]
        if isinstance(node, Scalar) and node.kind == "str":
            fitting = [option for option in fitting if not _is_number(option)] or fitting
        return self.read(node, (fitting or options)[0], path)

    def read_section(self, node: Node, kind: kinds.StructType, path: Path) -> Any:
        fields = {item.encode_name: item for item in kind.fields}
        if isinstance(node, Scalar) and node.kind == "null":
            node = Mapping(node.mark, ())
        if not isinstance(node, Mapping):
            return self.wrong(path, "is not a mapping", f"Write `key: value` lines with {', '.join(list(fields)[:6])}")
        values: dict[str, Any] = {}
        complete = True
        for key, child in self.distinct(node, path):
            item = fields.get(key.text)
            if item is None:
                self.places.add((*path, key.text), key.mark)
                self.wrong((*path, key.text), "is not a known key", remedy(key.text, fields, "key"))
                continue
            value = self.read(child, item.type, (*path, key.text))
            if not isinstance(value, _Wrong):
                values[item.name] = value
            elif item.required:
                complete = False
        present = {key.text for key, _ in node.pairs}
        for item in kind.fields:
            if item.required and item.encode_name not in present:
                self.wrong(path, f"has no `{item.encode_name}`", f"Add `{item.encode_name}: …`")
                complete = False
        return kind.cls(**values) if complete else WRONG

    def read_entries(self, node: Node, kind: kinds.DictType, path: Path) -> Any:
        if isinstance(node, Scalar) and node.kind == "null":
            return {}
        if not isinstance(node, Mapping):
            return self.wrong(path, "is not a mapping", "Write `name: …` lines")
        entries: dict[str, Any] = {}
        for key, child in self.distinct(node, path):
            entry = (*path, key.text)
            self.places.add(entry, key.mark)
            name = self.read_key(key, kind.key_type, entry)
            value = self.read(child, kind.value_type, entry)
            if not isinstance(child, Scalar):
                self.places.add(entry, key.mark)  # an entry is found by its name, a plain value by itself
            if not isinstance(name, _Wrong) and not isinstance(value, _Wrong):
                entries[name] = value
        return entries

    def read_key(self, key: Scalar, kind: kinds.Type, path: Path) -> str | _Wrong:
        """A name may be any text, so `no`, `null` and `4.1` are names; the form says what else it must be."""
        form = (kind.extra or {}).get("form") if isinstance(kind, kinds.Metadata) else None
        if form is None:
            return key.text
        try:
            return str(READERS[form](key.text))
        except Unreadable as error:
            return self.wrong(path, f"is {error.what}", error.remedy)

    def distinct(self, node: Mapping, path: Path) -> list[tuple[Scalar, Node]]:
        first: dict[str, tuple[Scalar, Node]] = {}
        for key, child in node.pairs:
            known = first.setdefault(key.text, (key, child))
            if known[0] is not key:
                where = f"{self.places.file}:{key.mark.line}:{key.mark.column}"
                name = ".".join(map(str, (*path, key.text)))
                what = f"`{name}` stands here again; it is already on line {known[0].mark.line}"
                self.problems.append(Problem(where, what, "Keep one of the two"))
        return list(first.values())

    def read_list(self, node: Node, kind: kinds.VarTupleType, path: Path) -> Any:
        if isinstance(node, Scalar) and node.kind == "null":
            node = Sequence(node.mark, ())
        if not isinstance(node, Sequence):
            return self.wrong(path, "is not a list", "Write `[a, b]` or lines that begin with `- `")
        if kind.min_length and len(node.items) < kind.min_length:
            return self.wrong(path, "is an empty list", "Give it at least one entry")
        values = [self.read(child, kind.item_type, (*path, index)) for index, child in enumerate(node.items)]
        return tuple([value for value in values if not isinstance(value, _Wrong)])

    def read_any(self, node: Node, path: Path) -> Any:
        if isinstance(node, Mapping):
            return {key.text: self.read(child, kinds.AnyType(), (*path, key.text)) for key, child in node.pairs}
        if isinstance(node, Sequence):
            return tuple([self.read(child, kinds.AnyType(), (*path, i)) for i, child in enumerate(node.items)])
        if node.kind == "bool":
            return node.text.casefold() == "true"
        return None if node.kind == "null" else node.text

    def read_scalar(self, node: Scalar, kind: kinds.Type, path: Path) -> Any:
        if node.kind == "null":
            return self.wrong(path, "has no value", f"Write {_noun(kind)}")
        if isinstance(kind, kinds.BoolType):
            if node.kind != "bool":
                return self.wrong(
                    path, "is not true or false", "Write `true` or `false` (yes, no, on and off are words)"
                )
            return node.text.casefold() == "true"
        if isinstance(kind, kinds.LiteralType):
            if node.text in kind.values and node.kind != "bool":
                return node.text
            near = nearest(node.text, [str(value) for value in kind.values])
            choices = ", ".join(map(str, kind.values))
            return self.wrong(
                path, "is none of the choices", f"Did you mean `{near}`?" if near else f"Write one of {choices}"
            )
        if isinstance(kind, kinds.IntType | kinds.FloatType):
            return self.read_number(node, kind, path)
        if node.kind == "bool":
            return self.wrong(path, "is true or false", f"Write {_noun(kind)}, in quotes if it is meant as a word")
        pattern = kind.pattern if isinstance(kind, kinds.StrType) else None
        if pattern is not None and not re.search(pattern, node.text):
            return self.wrong(path, "does not have the right form", f"It must match {pattern}")
        return node.text

    def read_number(self, node: Scalar, kind: kinds.IntType | kinds.FloatType, path: Path) -> Any:
        if node.kind not in ("int", "float"):
            return self.wrong(path, "is not a number", f"Write {_noun(kind)}")
        try:
            exact = decimal(node.text)
        except Unreadable as error:
            return self.wrong(path, f"is {error.what}", error.remedy)
        if isinstance(kind, kinds.IntType) and exact != exact.to_integral_value():
            return self.wrong(path, "is not a whole number", f"Write {_noun(kind)}")
        low = kind.ge if kind.ge is not None else kind.gt
        over = kind.le if kind.le is not None else kind.lt
        if low is not None and (exact < low or (kind.gt is not None and exact <= kind.gt)):
            return self.wrong(path, "is too small", f"Write {_noun(kind)}")
        if over is not None and (exact > over or (kind.lt is not None and exact >= kind.lt)):
            return self.wrong(path, "is too large", f"Write {_noun(kind)}")
        if isinstance(kind, kinds.IntType):
            return int(exact) if exact.adjusted() < 18 else self.wrong(path, "is too large", "Write a smaller number")
        return float(exact)


def _is_number(kind: kinds.Type) -> bool:
    inner = kind.type if isinstance(kind, kinds.Metadata) and not (kind.extra or {}).get("form") else kind
    return isinstance(inner, kinds.IntType | kinds.FloatType)


def _fits(node: Node, kind: kinds.Type) -> bool:
    if isinstance(node, Mapping):
        return isinstance(kind, kinds.StructType | kinds.DictType | kinds.AnyType)
    if isinstance(node, Sequence):
        return isinstance(kind, kinds.VarTupleType | kinds.AnyType)
    if node.kind in ("int", "float") and _is_number(kind):
        return True
    return not isinstance(kind, kinds.StructType | kinds.DictType | kinds.VarTupleType)


_FORM_NOUNS = {
    "number": "a number such as 0.25, or a percentage such as 25%",
    "usd": "dollars, e.g. 2.50",
    "fee": "dollars, e.g. 0.01",
    "price": "US dollars per million tokens, e.g. 0.15",
    "day": "a day as YYYY-MM-DD",
    "clock": 'a time of day as "HH:MM"',
    "secret": "env:NAME, file:PATH or none",
    "scope": "a scope, e.g. key:ci",
    "base_url": "a URL",
    "retention": "none, or hours or days such as 24h or 30d",
    "api_version": "a version, e.g. 2024-10-21",
    "name": "a name",
}


def _noun(kind: kinds.Type) -> str:
    """What to write, in words."""
    if isinstance(kind, kinds.Metadata):
        return _FORM_NOUNS.get((kind.extra or {}).get("form", ""), "") or _noun(kind.type)
    if isinstance(kind, kinds.IntType | kinds.FloatType):
        word = "a whole number" if isinstance(kind, kinds.IntType) else "a number"
        low = f" from {kind.ge}" if kind.ge is not None else f" above {kind.gt}" if kind.gt is not None else ""
        high = f" up to {kind.le}" if kind.le is not None else ""
        return word + low + high
    if isinstance(kind, kinds.LiteralType):
        return "one of " + ", ".join(map(str, kind.values))
    return "true or false" if isinstance(kind, kinds.BoolType) else "text"
