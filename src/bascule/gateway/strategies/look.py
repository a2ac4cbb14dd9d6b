"""An answer that was withheld as tests and judges see it."""

from bascule.decide.strategies.acceptance import Look
from bascule.dialects.openai_chat.logprobs import logprobs_in
from bascule.gateway.strategies.material import turns
from bascule.gateway.subcalls import Captured
from bascule.gateway.surfaces import provider_dialect
from bascule.model.request import Request, ToolUse
from bascule.model.strategy import Acceptance


def look_at(got: Captured, choice: int, asked: Request, accept: Acceptance | None = None) -> Look:
    """One choice of an answer to `asked`, with what the tests of `accept` need beside the text: the probabilities of
    its tokens, where they were told, and what was asked."""
    contract = None if accept is None else accept.output_contract
    response = got.response.choices[choice]
    wanted = asked.response_format
    return Look(
        text=got.text_of(choice),
        finish_reason=response.finish_reason,
        tool_calls=tuple([block for block in response.content if isinstance(block, ToolUse)]),
        tools=asked.tools,
        schema=None if wanted is None else wanted.schema,
        asked=turns(asked) if contract is not None and contract.from_request else "",
        logprobs=_logprobs(got) if accept is not None and accept.logprob is not None else None,
    )


def _logprobs(got: Captured) -> tuple[float, ...] | None:
    endpoint = got.answered.candidate.endpoint
    if provider_dialect(got.request.surface, endpoint) != "openai_chat":
        return None
    return logprobs_in(got.answered.raw, streamed=got.answered.streamed)


def shown(got: Captured) -> str:
    """A first choice for a judge: its text, and its calls of tools."""
    calls = [block for block in got.response.choices[0].content if isinstance(block, ToolUse)]
    return "\n".join([got.text, *[f"(calls {call.name} with {call.arguments})" for call in calls]]).strip()
