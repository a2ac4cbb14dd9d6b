"""Which dialect a request out of a file is in."""

from typing import Any

import orjson
import pytest

from bascule.offline.bodies import Asked, dialect_of, read_line

CONTENTS = [{"role": "user", "parts": [{"text": "Hello."}]}]


@pytest.mark.parametrize(
    ("body", "dialect"),
    [
        ({"messages": []}, "openai_chat"),
        ({"messages": [], "system": "s"}, "anthropic_messages"),
        ({"messages": [], "contents": []}, "openai_chat"),
        ({"contents": CONTENTS, "tools": []}, "gemini"),
        ({"input": "a"}, "openai_embeddings"),
        ({"input": "a", "store": False}, "openai_responses"),
    ],
)
def test_by_its_fields(body: dict[str, Any], dialect: str) -> None:
    assert dialect_of(body) == dialect


@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent?alt=sse"])
def test_by_its_url(verb: str) -> None:
    assert dialect_of({}, f"/v1beta/models/m:{verb}") == "gemini"


def test_a_gemini_line_is_read_with_the_model_beside_it() -> None:
    found = read_line(1, orjson.dumps({"contents": CONTENTS}), model="m")
    assert isinstance(found, Asked)
    assert (found.dialect, found.facts.model) == ("gemini", "m")
