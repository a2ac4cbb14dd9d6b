"""A canonical answer as a response object."""

from typing import Any

import msgspec

from bascule.dialects.openai_responses.names import known_tools, response_id
from bascule.dialects.openai_responses.shell import Shell
from bascule.dialects.openai_responses.usage import render_usage
from bascule.dialects.openai_responses.write_items import Items
from bascule.dialects.translate import Rendering
from bascule.model.response import Response
from bascule.model.usage import Usage

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter", "refusal": "content_filter"}


def incomplete_reason(finish: str | None) -> str | None:
    """Why an answer is not complete; None where it is."""
    return _INCOMPLETE.get(finish or "stop")


def render_response(response: Response, rendering: Rendering, usage: Usage, cost: bytes | None) -> bytes:
    """The first choice; `cost` is a JSON number of dollars."""
    choice = response.choices[0]
    shell = Shell(rendering.body, rendering.model, rendering.created_s, keeps=rendering.keeps)
    shell.id = response_id(response.id)
    items = Items(shell.id, known_tools(rendering.body), rendering.names)
    incomplete = incomplete_reason(choice.finish_reason)
    status = "completed" if incomplete is None else "incomplete"
    output = items.of(choice.content, status, _logprobs(choice.logprobs))
    return msgspec.json.encode(shell.render(status, output, usage=render_usage(usage, cost), incomplete=incomplete))


def _logprobs(given: Any) -> list[Any]:
    """Chat Completions' log probabilities: the entries are the same."""
    content = given.get("content") if type(given) is dict else None
    return content if type(content) is list else []
