"""A conversation in canonical form, written in a dialect and read back, loses only what the matrix says it does."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.cells.ask import PDF, PNG

from bascule.dialects.base import Target
from bascule.dialects.matrix import shipped_matrix
from bascule.dialects.registry import CLIENT_DIALECTS, PROVIDER_DIALECTS, client_side, provider_side
from bascule.model.errors import Refusal
from bascule.model.request import (
    Block,
    Document,
    Image,
    Message,
    Reasoning,
    Request,
    ResponseFormat,
    Text,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
)

BOTH = [name for name in CLIENT_DIALECTS if name in PROVIDER_DIALECTS]
TARGET = Target(upstream_model="m", quirks=frozenset({"reasoning_effort", "adaptive_thinking"}))
WORDS = st.text("abcdefgh ÄÖ雨\n", min_size=1, max_size=12).map(lambda text: f"w{text}w")
NAMES = st.sampled_from(["read", "write_down", "list-all"])
ARGUMENTS = st.dictionaries(WORDS, st.integers(-9, 9) | WORDS, max_size=2)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOSED = {**SCHEMA, "additionalProperties": False}

texts = WORDS.map(lambda text: Text(text=text))
images = st.sampled_from([Image(data=PNG, media_type="image/png"), Image(url="https://pictures.example/cat.png")])
documents = st.just(Document(data=PDF, media_type="application/pdf", name="report.pdf"))


@st.composite
def exchanges(draw: st.DrawFn, number: int) -> list[Message]:
    """Calls and their results, or a question and its answer."""
    if draw(st.booleans()):
        asked = draw(st.lists(texts | images | documents, min_size=1, max_size=2))
        return [
            Message(role="user", content=(draw(texts), *asked)),
            Message(role="assistant", content=(draw(texts),)),
        ]
    count = draw(st.integers(1, 3))
    calls = [
        ToolUse(id=f"call_{number}x{place}", name=draw(NAMES), arguments=json.dumps(draw(ARGUMENTS)))
        for place in range(count)
    ]
    results = [ToolResult(tool_use_id=call.id, content=(draw(texts),)) for call in calls]
    said: list[Block] = [draw(texts)] if draw(st.booleans()) else []
    return [Message(role="assistant", content=(*said, *calls)), Message(role="user", content=tuple(results))]


@st.composite
def requests(draw: st.DrawFn) -> Request:
    messages = [Message(role="user", content=(draw(texts),))]
    for number in range(draw(st.integers(0, 4))):
        messages += draw(exchanges(number))
    tools = tuple(
        [Tool(name=name, description="does it", schema=SCHEMA) for name in ("read", "write_down", "list-all")]
    )
    optional: dict[str, Any] = {
        "instructions": tuple(draw(st.lists(texts, min_size=1, max_size=2))),
        "tool_choice": ToolChoice(mode=draw(st.sampled_from(["auto", "none", "required"]))),
        "temperature": draw(st.sampled_from([0.0, 0.25, 1.0])),
        "stop": (draw(WORDS),),
        "response_format": ResponseFormat(kind="json_schema", schema=CLOSED, name="verdict", strict=True),
        "reasoning": Reasoning(enabled=True, effort=draw(st.sampled_from(["low", "medium", "high"]))),
        "user": "ann",
    }
    chosen = {key: value for key, value in optional.items() if draw(st.booleans())}
    if "reasoning" in chosen:  # thinking takes no temperature and no forced call at some vendors
        chosen.pop("temperature", None)
        chosen.pop("tool_choice", None)
    return Request(model="m", messages=tuple(messages), tools=tools, max_tokens=5_000, **chosen)


def features(request: Request) -> dict[str, Any]:
    """What was said, by the matrix's names of features, whatever way blocks are grouped and blank space is set."""
    blocks = [block for message in request.messages for block in message.content]
    results = [block for block in blocks if isinstance(block, ToolResult)]
    said = [block.text for block in blocks if isinstance(block, Text)]
    calls = [block for block in blocks if isinstance(block, ToolUse)]
    pictures = [block for block in blocks if isinstance(block, Image)]
    return {
        "text": "\n".join(said).split(),
        "system prompt": "\n".join([text.text for text in request.instructions]).split(),
        "image as data": Counter(picture.data for picture in pictures if picture.data is not None),
        "image by URL": Counter(picture.url for picture in pictures if picture.url is not None),
        "document (PDF)": [block.data for block in blocks if isinstance(block, Document)],
        "tools": [(tool.name, tool.description, tool.schema) for tool in request.tools],
        "a call is required": request.tool_choice is not None and request.tool_choice.mode == "required",
        "parallel calls and results": (
            [(call.id, call.name, json.loads(call.arguments)) for call in calls],
            [
                (result.tool_use_id, [part.text for part in result.content if isinstance(part, Text)])
                for result in results
            ],
        ),
        "JSON schema": None if request.response_format is None else request.response_format.schema,
        "stop sequence": request.stop,
        "temperature": request.temperature,
        "output cap": request.max_tokens,
        "reasoning effort": None if request.reasoning is None else request.reasoning.effort,
        "end user": request.user,
    }


def may_be_lost(provider: str) -> set[str]:
    """Features that this provider's dialect has no place for, by the matrix."""
    found: dict[str, set[str]] = {}
    for cell in shipped_matrix().cells:
        if cell.provider == provider and cell.client != provider:
            for name, verdict in cell.features.items():
                found.setdefault(name, set()).add(verdict)
    return {name for name, verdicts in found.items() if "kept" not in verdicts}


@pytest.mark.parametrize("name", BOTH)
@given(request=requests())
def test_only_what_the_matrix_says_is_lost(name: str, request: Request) -> None:
    written = provider_side(name).render_request(request, TARGET)
    lost = may_be_lost(name)
    if isinstance(written, Refusal):
        assert lost, written
        return
    body = json.loads(written)
    body.setdefault("model", "m")
    body.setdefault("stream", False)
    read = features(client_side(name).parse_request(body))
    for feature, said in features(request).items():
        if feature not in lost:
            assert read[feature] == said, feature
