"""How much work a client's JSON Schema can make: it is written by a stranger, and is checked where others wait. Pure.

A schema whose references double at every level takes a validator years, though it has forty lines. So what a schema
comes to with its references followed is counted first, and what is recursive, or comes to too much for the answer at
hand, is not checked: then nothing is known of the answer. Schemas of the operator's own are checked as they are.
"""

from typing import Any

import orjson

from bascule.decide.grade import Graded, Schema, Score, prepare
from bascule.decide.json_schema import GraderError

MAX_SCHEMA_BYTES = 64 * 1024
MAX_UNFOLDED = 20_000
"""Subschemas that one value may have to be held against."""
MAX_WORK = 5_000_000
"""Subschemas times bytes of the answer: a tenth of a second, at 20 ns for each."""
PATTERN_WORK = 500
"""A pattern, in subschemas: it may go back a hundred thousand times before it is given up."""
_OF_SCHEMAS = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
_NOT_APPLIED = frozenset({"$defs", "definitions", "enum", "const", "default", "examples", "example", "required"})
_DYNAMIC = ("$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$recursiveAnchor", "$anchor", "$id", "id")


def of_a_client(schema: dict[str, Any]) -> Graded:
    """The grader of a client's schema. Raises GraderError where it is wrong, or where checking it could take long."""
    work = unfolded(schema)
    graded = prepare(Schema(schema=schema))

    def score(answer: str) -> Score:
        if work * len(answer.encode("utf-8", "replace")) > MAX_WORK:
            raise GraderError("the schema and the answer are too large to be checked while others wait")
        return graded(answer)

    return score


def unfolded(schema: dict[str, Any]) -> int:
    """How many subschemas one value may be held against, with references followed. Raises GraderError where there is
    no bound, or too high a one."""
    if len(orjson.dumps(schema)) > MAX_SCHEMA_BYTES:
        raise GraderError(f"the schema has more than {MAX_SCHEMA_BYTES} bytes")
    try:
        return _Counting(schema).of(schema)
    except RecursionError:
        raise GraderError("the schema is nested too deeply") from None


class _Counting:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._known: dict[int, int] = {}
        self._open: set[int] = set()

    def of(self, node: Any) -> int:
        """Of one schema; what is no object is one that says yes or no."""
        if not isinstance(node, dict):
            return 1
        known = self._known.get(id(node))
        if known is not None:
            return known
        if id(node) in self._open:
            raise GraderError("the schema is recursive, so there is no bound to what checking it takes")
        self._open.add(id(node))
        total = 1
        for key, value in node.items():
            total += self._of_keyword(key, value, node)
            if total > MAX_UNFOLDED:
                raise GraderError(f"the schema comes to more than {MAX_UNFOLDED} subschemas")
        self._open.remove(id(node))
        self._known[id(node)] = total
        return total

    def _of_keyword(self, key: str, value: Any, node: dict[str, Any]) -> int:
        if key == "$ref" and isinstance(value, str):
            return self.of(self._target(value))
        if key in _DYNAMIC and isinstance(value, str) and node is not self._root:
            raise GraderError(f"`{key}` inside of the schema is not followed")
        if key in ("$dynamicRef", "$recursiveRef"):
            raise GraderError(f"`{key}` is not followed")
        if key in _NOT_APPLIED:
            return 0
        if key == "pattern":
            return PATTERN_WORK
        if key in _OF_SCHEMAS and isinstance(value, dict):
            patterns = PATTERN_WORK * len(value) if key == "patternProperties" else 0
            return patterns + sum([self.of(one) for one in value.values()])
        if isinstance(value, dict):
            return self.of(value)
        return sum([self.of(one) for one in value if isinstance(one, dict)]) if isinstance(value, list) else 0

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#/") and reference != "#":
            raise GraderError("a reference leads out of the schema, or to a name in it; write #/$defs/…")
        found: Any = self._root
        for step in reference.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                raise GraderError("a reference leads nowhere")
        return found
