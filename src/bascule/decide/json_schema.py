"""JSON in answers, and whether it fits a JSON Schema. Pure: a schema that refers to another address is refused."""

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import orjson

from bascule.model.errors import BasculeError

if TYPE_CHECKING:
    from jsonschema_rs import Validator

MAX_BACKTRACKS = 100_000
"""Of a pattern in a schema: about a millisecond. Beyond it the text does not match."""
_FENCED = re.compile(r"```[a-zA-Z0-9_-]{0,20}[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)


class GraderError(BasculeError):
    """A grader that cannot be used, whatever the answer. The message says what to change."""


class SchemaCheck:
    """A compiled schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """Raises GraderError for a wrong schema, and where the package is missing."""
        if not can_check_schemas():
            raise GraderError("checking JSON Schema takes the package jsonschema-rs: pip install 'bascule[evaluation]'")
        self._validator = _compiled(schema)

    def mistake(self, value: Any) -> str | None:
        """What is wrong with a value, and where; None where it fits."""
        found = next(iter(self._validator.iter_errors(value)), None)
        if found is None:
            return None
        where = "/".join([str(step) for step in found.instance_path])
        return f"at {where or 'the top'}: {' '.join(found.message.split())[:200]}"


def can_check_schemas() -> bool:
    """Whether the extra `evaluation` is there."""
    return find_spec("jsonschema_rs") is not None


def json_in(answer: str, *, bare: bool = False) -> Any:
    """The JSON that an answer consists of, or the one fenced block in it. Raises ValueError with the reason."""
    text = answer.strip()
    if not bare and not text.startswith(("{", "[")):
        blocks = _FENCED.findall(text)
        if len(blocks) > 1:
            raise ValueError(f"it has {len(blocks)} fenced blocks, one is wanted")
        if blocks:
            text = blocks[0].strip()
    if not text:
        raise ValueError("it is empty")
    return orjson.loads(text)


def _compiled(schema: dict[str, Any]) -> "Validator":
    import jsonschema_rs

    try:
        return jsonschema_rs.validator_for(
            schema,
            validate_formats=True,
            retriever=_refused,
            pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=MAX_BACKTRACKS),
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        why = getattr(error, "message", None) or str(error)
        raise GraderError(f"the JSON Schema is wrong: {' '.join(str(why).split())[:300]}") from error


def _refused(uri: str) -> Any:
    raise ValueError(f"{uri} is not part of the schema, and nothing is fetched; put it under $defs")
