"""What a gateway may lose between two dialects: one entry a feature, with how it is asked for and how it is missed."""

import json
from collections.abc import Callable
from typing import Literal

from msgspec import Struct
from tests.wire.cells.ask import IMAGE_URL, PDF, PNG, Ask, Body, Call
from tests.wire.cells.cell import Outcome
from tests.wire.cells.told import Told

from bascule.testing.script import Script, ScriptedCall

Kind = Literal["asked", "answered"]
TOOL = "look_up"
OTHER_TOOL = "write_down"
CALLS = (Call("call_a1", TOOL, '{"city_of_call": "Bern"}', "rain in Bern"),
         Call("call_b2", TOOL, '{"city_of_call": "Rome"}', "sun in Rome"))  # fmt: skip


class Feature(Struct, frozen=True, kw_only=True):
    """`asked`: must reach the provider. `answered`: must reach the client."""

    name: str
    kind: Kind
    ask: Ask
    kept: Callable[[Outcome], bool]
    script: Script = Script(text="Mild and dry.")
    no_word: frozenset[str] = frozenset()
    """Client dialects that have no field to be told it in."""


def _has(*marks: str) -> Callable[[Outcome], bool]:
    def kept(outcome: Outcome) -> bool:
        text = json.dumps(outcome.seen)
        return all(mark in text for mark in marks)

    return kept


def _keys(value: object) -> set[str]:
    """All keys below a value."""
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in _keys(inner)}
    return {key for inner in value for key in _keys(inner)} if isinstance(value, list) else set()


def _has_key(*names: str) -> Callable[[Outcome], bool]:
    """Under whichever of these names the provider's dialect has it."""
    return lambda outcome: not _keys(outcome.seen).isdisjoint(names)


def _told(check: Callable[[Told], bool]) -> Callable[[Outcome], bool]:
    return lambda outcome: outcome.told is not None and check(outcome.told)


def _forced(outcome: Outcome) -> bool:
    """That the model must call."""
    seen: Body = outcome.seen
    words = json.dumps([seen.get("tool_choice"), seen.get("toolConfig"), seen.get("tool_config")])
    return any(word in words for word in ("required", "REQUIRED", '"any"', "ANY"))


TWO_CALLS = Script(tool_calls=(ScriptedCall(TOOL, {"city_of_call": "Oslo"}),
                               ScriptedCall(OTHER_TOOL, {"city_of_call": "Kyiv"})))  # fmt: skip
_TOOLS = (TOOL, OTHER_TOOL)

FEATURES = (
    Feature(name="text", kind="asked", ask=Ask(text="mark of text"), kept=_has("mark of text")),
    Feature(name="system prompt", kind="asked", ask=Ask(system="mark of system"), kept=_has("mark of system")),
    Feature(
        name="system message in the middle",
        kind="asked",
        ask=Ask(late_system="mark of late system"),
        kept=_has("mark of late system"),
    ),
    Feature(name="image as data", kind="asked", ask=Ask(image="data"), kept=_has(PNG)),
    Feature(name="image by URL", kind="asked", ask=Ask(image="url"), kept=_has(IMAGE_URL)),
    Feature(name="document (PDF)", kind="asked", ask=Ask(document=True), kept=_has(PDF)),
    Feature(name="tools", kind="asked", ask=Ask(tools=_TOOLS), kept=_has(*_TOOLS, "city_of_call")),
    Feature(name="custom tool", kind="asked", ask=Ask(custom_tool="say_freely"), kept=_has("say_freely")),
    Feature(name="a call is required", kind="asked", ask=Ask(tools=_TOOLS, choice="required"), kept=_forced),
    Feature(
        name="parallel calls and results",
        kind="asked",
        ask=Ask(tools=_TOOLS, calls=CALLS),
        kept=_has("Bern", "Rome", "rain in Bern", "sun in Rome"),
    ),
    Feature(
        name="image in a tool's result",
        kind="asked",
        ask=Ask(tools=_TOOLS, calls=CALLS, result_image=True),
        kept=_has(PNG, "rain in Bern"),
    ),
    Feature(
        name="failed tool",
        kind="asked",
        ask=Ask(tools=_TOOLS, calls=CALLS, result_error=True),
        kept=_has_key("is_error", "status"),
    ),
    Feature(name="JSON schema", kind="asked", ask=Ask(schema=True), kept=_has("verdict_of_schema")),
    Feature(name="stop sequence", kind="asked", ask=Ask(stop="HALT"), kept=_has("HALT")),
    Feature(name="temperature", kind="asked", ask=Ask(temperature=0.25), kept=_has("0.25")),
    Feature(name="output cap", kind="asked", ask=Ask(max_tokens=321), kept=_has("321")),
    Feature(
        name="reasoning effort",
        kind="asked",
        ask=Ask(effort="high", max_tokens=5_000),
        kept=_has_key("reasoning_effort", "reasoning", "effort", "thinking", "thinkingConfig"),
    ),
    Feature(name="end user", kind="asked", ask=Ask(user="user-of-mark"), kept=_has("user-of-mark")),
    Feature(
        name="text of an answer", kind="answered", ask=Ask(), kept=_told(lambda told: told.text == "Mild and dry.")
    ),
    Feature(
        name="parallel calls",
        kind="answered",
        ask=Ask(tools=_TOOLS),
        script=TWO_CALLS,
        kept=_told(
            lambda told: told.calls == ((TOOL, {"city_of_call": "Oslo"}), (OTHER_TOOL, {"city_of_call": "Kyiv"}))
        ),
    ),
    Feature(
        name="reasoning",
        kind="answered",
        ask=Ask(effort="high", max_tokens=5_000),
        script=Script(thinking="Weighing clouds.", text="Rain."),
        kept=_told(lambda told: told.thinking == "Weighing clouds." and told.text == "Rain."),
    ),
    Feature(
        name="cached tokens",
        kind="answered",
        ask=Ask(),
        script=Script(text="Rain.", input_tokens=1_200, cached_tokens=1_024),
        kept=_told(lambda told: (told.tokens_in, told.tokens_cached) == (1_200, 1_024)),
    ),
    Feature(
        name="output tokens",
        kind="answered",
        ask=Ask(),
        script=Script(output_tokens=37),
        kept=_told(lambda told: told.tokens_out == 37),
    ),
    Feature(
        name="reasoning tokens",
        kind="answered",
        no_word=frozenset({"anthropic_messages"}),
        ask=Ask(),
        script=Script(text="Rain.", reasoning_tokens=40),
        kept=_told(lambda told: told.tokens_out == 41 and told.tokens_reasoning == 40),
    ),
    Feature(
        name="cut by its cap",
        kind="answered",
        ask=Ask(max_tokens=20),
        script=Script(output_tokens=50),
        kept=_told(lambda told: told.finish in ("length", "max_tokens", "max_output_tokens", "MAX_TOKENS")),
    ),
)
