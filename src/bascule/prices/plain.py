"""A YAML or JSON file as plain values: decimals exactly as they are written, and where each mapping stands."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from bascule.config.document import Mapping, Node, Scalar, Sequence, parse
from bascule.model.errors import ConfigError, Problem

LINE = "__line__"
"""Under this key each mapping carries the line that it begins on; no file can use it for anything else here."""


def read_plain(path: Path) -> Any:
    """The document's root: dict, list, str, Decimal, bool or None. Raises ConfigError with what is wrong and where."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problem = Problem(str(path), f"cannot be read: {error.strerror or 'error'}", "Name an existing file")
        raise ConfigError((problem,)) from error
    except UnicodeDecodeError as error:
        raise ConfigError((Problem(str(path), "not UTF-8", "Save the file as UTF-8"),)) from error
    root, problems = parse(text, str(path))
    if problems:
        raise ConfigError(problems)
    return None if root is None else _plain(root)


def _plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return _scalar(node)
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    assert isinstance(node, Mapping)
    return {LINE: node.mark.line, **{key.text: _plain(value) for key, value in node.pairs}}


def _scalar(node: Scalar) -> Any:
    if node.kind == "null":
        return None
    if node.kind == "bool":
        return node.text.lower() == "true"
    if node.kind in ("int", "float"):
        try:
            return Decimal(node.text)
        except InvalidOperation:
            return node.text  # 0x10, .inf: no price and no date
    return node.text
