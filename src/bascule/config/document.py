"""Text to a tree of nodes that know their line: YAML 1.2 (and so JSON), nothing interpreted yet."""

import re
from typing import Literal

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode
from ruamel.yaml.reader import ReaderError

from bascule.model.errors import Problem

MAX_BYTES = 4 * 1024 * 1024
MAX_NODES = 200_000
MAX_DEPTH = 64

ScalarKind = Literal["null", "bool", "int", "float", "str", "other"]

_KINDS: dict[str, ScalarKind] = {
    "tag:yaml.org,2002:null": "null",
    "tag:yaml.org,2002:bool": "bool",
    "tag:yaml.org,2002:int": "int",
    "tag:yaml.org,2002:float": "float",
    "tag:yaml.org,2002:str": "str",
    # Words of YAML 1.1 that mean nothing special in 1.2's core schema: plain text.
    "tag:yaml.org,2002:timestamp": "str",
    "tag:yaml.org,2002:merge": "str",
    "tag:yaml.org,2002:value": "str",
}
_OTHER_VERSION = re.compile(r"^%YAML\s+(?!1\.2\b)", re.MULTILINE)


class Mark(Struct, frozen=True):
    """A place in the file, counted from 1."""

    line: int
    column: int


class Scalar(Struct, frozen=True):
    mark: Mark
    kind: ScalarKind
    text: str
    """As written (unquoted), so that decimals are never floats on the way."""


class Sequence(Struct, frozen=True):
    mark: Mark
    items: tuple["Node", ...]


class Mapping(Struct, frozen=True):
    mark: Mark
    pairs: tuple[tuple[Scalar, "Node"], ...]
    """In the file's order; a key may stand twice, which the decoder reports."""


Node = Scalar | Sequence | Mapping


class _Reader:
    """Turns the YAML library's nodes into ours. Aliases are expanded, with a bound on what they may grow to."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.count = 0

    def problem(self, mark: Mark, what: str, remedy: str) -> None:
        self.problems.append(Problem(f"{self.file}:{mark.line}:{mark.column}", what, remedy))

    def read(self, node: YamlNode, depth: int = 0) -> Node | None:
        self.count += 1
        mark = Mark(node.start_mark.line + 1, node.start_mark.column + 1)
        if depth > MAX_DEPTH or self.count > MAX_NODES:
            if not self.problems or "too deep" not in self.problems[-1].what:
                self.problem(mark, "the document is too deep or too large", "Remove nested aliases and deep nesting")
            return None
        if isinstance(node, ScalarNode):
            kind = _KINDS.get(str(node.tag), "other")
            return Scalar(mark, kind, str(node.value))
        if isinstance(node, SequenceNode):
            items = [self.read(item, depth + 1) for item in node.value]
            return Sequence(mark, tuple([item for item in items if item is not None]))
        assert isinstance(node, MappingNode)
        pairs: list[tuple[Scalar, Node]] = []
        for key_node, value_node in node.value:
            key, value = self.read(key_node, depth + 1), self.read(value_node, depth + 1)
            if isinstance(key, Scalar) and not (key.kind == "null" and not key.text):
                if value is not None:
                    pairs.append((key, value))
            elif key is not None:
                self.problem(key.mark, "a key must be a single word or text", "Give it a name before the colon")
        return Mapping(mark, tuple(pairs))


def parse(text: str, file: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """The document's root and what is wrong with its syntax; (None, ()) for an empty document."""
    if len(text) > MAX_BYTES:
        return None, (Problem(file, f"larger than {MAX_BYTES} bytes", "A configuration is never that long"),)
    other = _OTHER_VERSION.search(text)
    if other:
        line = text.count("\n", 0, other.start()) + 1
        return None, (Problem(f"{file}:{line}:1", "asks for another YAML version", "Remove the %YAML line: it is 1.2"),)
    reader = _Reader(file)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        node = reader.read(root) if root is not None else None
    except MarkedYAMLError as error:
        return None, (_syntax_problem(file, error),)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        remedy = "Save the file as UTF-8 text without control characters"
        return None, (Problem(f"{file}:{line}:1", "holds a character that YAML does not allow", remedy),)
    except (YAMLError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else "not YAML"
        return None, (Problem(file, what, "Compare it with `bascule init --print`"),)
    return node, tuple(reader.problems)


def _syntax_problem(file: str, error: MarkedYAMLError) -> Problem:
    """The library's short message and place; never its excerpt of the line, which may hold a secret."""
    mark = error.problem_mark or error.context_mark
    where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark is not None else file
    what = " ".join(str(error.problem or error.context or "not YAML").split())
    if "\\t" in what:
        return Problem(where, "a tab is used for indentation", "Indent with spaces")
    if "another document" in what or "single document" in str(error.context or ""):
        return Problem(where, "holds more than one document", "Keep one and remove the `---` line")
    return Problem(
        where, f"not YAML: {what}", "Check quotes, colons, brackets and indentation on this line and the one before"
    )
