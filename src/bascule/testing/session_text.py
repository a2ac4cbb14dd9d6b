"""Made-up words, tools and arguments for made-up sessions; the same dice give the same."""

import base64
import random
from typing import Any

_TEXT = (
    "amber birch cedar delta ember flint grove hazel inlet jade knoll larch maple north ocean pine quill river slate "
    "tidal umber vale willow xenon yarrow zinc read write parse table index cache queue token bytes frame"
)
_WORDS = tuple(_TEXT.split())
_MOST_WORD_BYTES = 7


def words(dice: random.Random, size_bytes: int) -> str:
    """Text of about this many bytes."""
    return " ".join(dice.choices(_WORDS, k=max(1, size_bytes // _MOST_WORD_BYTES + size_bytes // 40)))


def signature(dice: random.Random) -> str:
    """What looks like the signature of a thinking block."""
    return base64.b64encode(dice.randbytes(192)).decode()


def edits(dice: random.Random) -> dict[str, Any]:
    """Arguments of a call."""
    given: dict[str, Any] = {"file_path": f"/src/{dice.choice(_WORDS)}/{dice.choice(_WORDS)}.py"}
    if dice.random() < 0.4:
        given |= {"old_string": words(dice, 300), "new_string": words(dice, 400), "replace_all": False}
    return given


def tools(count: int) -> list[dict[str, Any]]:
    """Tools with descriptions and schemas, some 60 KB of 28. The first of more are the same as of fewer."""
    made = []
    for number in range(count):
        dice = random.Random(number)  # noqa: S311 - words, not secrets
        properties = {
            f"{name}_{at}": {"type": dice.choice(("string", "number", "boolean")), "description": words(dice, 120)}
            for at, name in enumerate(dice.choices(_WORDS, k=dice.randrange(2, 7)))
        }
        made.append(
            {
                "name": f"Tool{number}",
                "description": words(dice, 1_200),
                "input_schema": {
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    "type": "object",
                    "properties": properties,
                    "required": sorted(properties)[:1],
                    "additionalProperties": False,
                },
            }
        )
    return made
