"""Responses to Responses: bytes pass through, patched only where they must be."""

from collections.abc import Sequence
from typing import Any

import msgspec

from bascule.dialects.base import NO_CONTEXT, Body, ReplyContext, StreamCodec, Target
from bascule.dialects.extensions import extensions_to_drop
from bascule.dialects.names import split_call_id
from bascule.dialects.openai_responses.least_output import refuse_less
from bascule.dialects.openai_responses.shell import Shell
from bascule.dialects.openai_responses.signature import is_ours
from bascule.dialects.openai_responses.stream import RelayStream
from bascule.dialects.splice import patch, splice_cost
from bascule.model.errors import Refusal
from bascule.model.facts import Facts


class RelayCodec:
    """The codec of `openai_responses` to itself. Stateless."""

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        if (refusal := refuse_less(target)) is not None:
            return refusal
        put: dict[str, bytes] = {}
        drop: list[str] = []
        if facts.model != target.upstream_model:
            put["model"] = msgspec.json.encode(target.upstream_model)
        if target.max_tokens is not None and facts.max_tokens != target.max_tokens:
            put["max_output_tokens"] = str(target.max_tokens).encode()
        if facts.openrouter:
            drop.extend(extensions_to_drop(facts.openrouter, target.quirks))
        kept = without_foreign(body.get("input"))
        if kept is not None:
            put["input"] = msgspec.json.encode(kept)
        return patch(raw, put, drop)  # without edits too: of a key given twice only what was judged goes on

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        return raw if cost_nanousd is None else splice_cost(raw, cost_nanousd)

    def stream(self, facts: Facts, model: str, splice_cost: bool, context: ReplyContext = NO_CONTEXT) -> StreamCodec:
        return RelayStream(splice_cost, Shell(context.body, model, context.now_s))

    def forward_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return []


def without_foreign(items: Any) -> list[Any] | None:
    """The items as OpenAI takes them, or None where they are so already.

    A session that moves between vendors brings along reasoning of the others, which OpenAI cannot find or decrypt, and
    call ids with a signature in them, which are too long for it.
    """
    if type(items) is not list:
        return None
    changed = False
    kept: list[Any] = []
    for item in items:
        if item.get("type") == "reasoning" and is_ours(item):
            changed = True
            continue
        call = item.get("call_id")
        if type(call) is str and (plain := split_call_id(call)[0]) != call:
            item = {**item, "call_id": plain}
            changed = True
        kept.append(item)
    return kept if changed else None
