"""Messages to Messages: bytes pass through, betas and all, patched only where they must be."""

from collections.abc import Sequence

import msgspec

from bascule.dialects.anthropic_messages.stream import RelayStream
from bascule.dialects.anthropic_messages.unsigned import thinking_must_go, without_unsigned_thinking
from bascule.dialects.base import NO_CONTEXT, Body, ReplyContext, StreamCodec, Target
from bascule.dialects.cache_marks import is_too_short, marked
from bascule.dialects.extensions import extensions_to_drop
from bascule.dialects.signed_ids import MARK, with_plain_ids
from bascule.dialects.splice import patch, splice_cost
from bascule.model.errors import Refusal
from bascule.model.facts import Facts

_FORWARDED = frozenset({b"anthropic-beta", b"anthropic-version"})


class RelayCodec:
    """The codec of `anthropic_messages` to itself. Stateless.

    Quirk `unsigned_thinking`: the target takes thinking blocks without Anthropic's signature.
    """

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        put: dict[str, bytes] = {}
        drop: list[str] = []
        if facts.model != target.upstream_model:
            put["model"] = msgspec.json.encode(target.upstream_model)
        if target.max_tokens is not None and facts.max_tokens != target.max_tokens:
            put["max_tokens"] = str(target.max_tokens).encode()
        if facts.openrouter:
            drop.extend(extensions_to_drop(facts.openrouter, target.quirks))
        if MARK in raw:
            body = {**body, "messages": with_plain_ids(body["messages"])}
            put["messages"] = msgspec.json.encode(body["messages"])
        if b'thinking"' in raw and "unsigned_thinking" not in target.quirks:
            _drop_unsigned(body, put, drop)
        if (
            target.cache_marks == "always"
            and b'"cache_control"' not in raw
            and not is_too_short(len(raw), target.upstream_model)
        ):
            _put_marks(body, put)
        return patch(raw, put, drop)  # without edits too: of a key given twice only what was judged goes on

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        return raw if cost_nanousd is None else splice_cost(raw, cost_nanousd)

    def stream(self, facts: Facts, model: str, splice_cost: bool, context: ReplyContext = NO_CONTEXT) -> StreamCodec:
        no_done = context.target is not None and "no_done" in context.target.quirks
        return RelayStream(splice_cost, no_done)

    def forward_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [header for header in headers if header[0].lower() in _FORWARDED]


class CountTokensCodec(RelayCodec):
    """The codec of `anthropic_count_tokens` to itself: no cap, no cost, no stream."""

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        return super().request(body, raw, facts, msgspec.structs.replace(target, max_tokens=None, cache_marks="off"))

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        return raw


def _put_marks(body: Body, put: dict[str, bytes]) -> None:
    """Marks on what is sent, of which unsigned thinking may have been left out."""
    sent = {**body, "messages": msgspec.json.decode(put["messages"])} if "messages" in put else body
    given = marked(sent, "always")
    for name in () if given is None else ("tools", "system", "messages"):
        if given is not None and given.get(name) is not sent.get(name):
            put[name] = msgspec.json.encode(given[name])


def _drop_unsigned(body: Body, put: dict[str, bytes], drop: list[str]) -> None:
    kept = without_unsigned_thinking(body["messages"])
    if kept is None:
        return
    put["messages"] = msgspec.json.encode(kept)
    thinking = body.get("thinking")
    if type(thinking) is dict and thinking.get("type") == "enabled" and thinking_must_go(kept):
        drop.append("thinking")
