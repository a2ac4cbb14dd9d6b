"""Chat Completions to Chat Completions: bytes pass through, patched only where they must be."""

from collections.abc import Sequence

import msgspec

from bascule.dialects.base import NO_CONTEXT, Body, ReplyContext, Target
from bascule.dialects.extensions import extensions_to_drop
from bascule.dialects.openai_chat.quirks import quirk_edits
from bascule.dialects.openai_chat.stream import RelayStream
from bascule.dialects.signed_ids import MARK, with_plain_ids
from bascule.dialects.splice import patch, splice_cost
from bascule.model.errors import Refusal
from bascule.model.facts import Facts

_CAP_FIELDS = ("max_tokens", "max_completion_tokens")


class RelayCodec:
    """The codec of `openai_chat` to `openai_chat`. Stateless."""

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        put: dict[str, bytes] = {}
        drop: list[str] = []
        if facts.model != target.upstream_model:
            put["model"] = msgspec.json.encode(target.upstream_model)
        if target.max_tokens is not None:
            _cap(body, target.max_tokens, target.max_tokens_field, put, drop)
        if facts.stream and not facts.wants_stream_usage and target.stream_usage == "stream_options":
            options = body.get("stream_options")
            asked = {**options, "include_usage": True} if type(options) is dict else {"include_usage": True}
            put["stream_options"] = msgspec.json.encode(asked)
        if MARK in raw:
            body = {**body, "messages": with_plain_ids(body["messages"])}
            put["messages"] = msgspec.json.encode(body["messages"])
        if facts.openrouter:
            drop.extend(extensions_to_drop(facts.openrouter, target.quirks))
        if target.quirks:
            quirk_edits(body, target.quirks, put, drop)
        return patch(raw, put, drop)  # without edits too: of a key given twice only what was judged goes on

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        return raw if cost_nanousd is None else splice_cost(raw, cost_nanousd)

    def stream(self, facts: Facts, model: str, splice_cost: bool, context: ReplyContext = NO_CONTEXT) -> RelayStream:
        no_done = context.target is not None and "no_done" in context.target.quirks
        return RelayStream(facts.wants_stream_usage, splice_cost, no_done)

    def forward_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return []


def _cap(body: Body, cap: int, field: str, put: dict[str, bytes], drop: list[str]) -> None:
    """One cap, in the field that this provider obeys; a provider that ignores the other would run uncapped."""
    other = _CAP_FIELDS[field == _CAP_FIELDS[0]]
    if body.get(field) != cap:
        put[field] = str(cap).encode()
    if body.get(other) is not None:
        drop.append(other)
