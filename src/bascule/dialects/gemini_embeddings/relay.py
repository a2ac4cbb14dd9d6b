"""Google's embeddings to itself: each request keeps its bytes but for the model, which must be the path's."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from bascule.dialects.base import NO_CONTEXT, Body, ReplyContext, StreamCodec, Target
from bascule.dialects.fields import NULL
from bascule.dialects.gemini.splice import spliced
from bascule.dialects.splice import patch
from bascule.model.errors import Refusal
from bascule.model.facts import Facts


class _Requests(msgspec.Struct, gc=False):
    requests: list[Raw] | None = None


class _Reply(msgspec.Struct, gc=False):
    embeddings: list[Raw]
    usageMetadata: Raw = NULL  # noqa: N815  the wire's own name


_REQUESTS = msgspec.json.Decoder(_Requests)
_REPLY = msgspec.json.Decoder(_Reply)


class RelayCodec:
    """The codec of `gemini_embeddings` to itself. Stateless."""

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        model = msgspec.json.encode(f"models/{target.upstream_model}")
        batch = _REQUESTS.decode(raw).requests
        requests = [raw] if batch is None else [bytes(request) for request in batch]
        patched = [patch(request, {"model": model}, ("stream",)) for request in requests]
        return b'{"requests":[' + b",".join(patched) + b"]}"

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        answer = raw
        if context.body is not None and context.body.get("requests") is None:
            found = _REPLY.decode(raw)
            single: dict[str, Raw] = {"embedding": found.embeddings[0]}
            if bytes(found.usageMetadata).startswith(b"{"):
                single["usageMetadata"] = found.usageMetadata
            answer = msgspec.json.encode(single)
        return answer if cost_nanousd is None else spliced(answer, cost_nanousd)

    def stream(self, facts: Facts, model: str, splice_cost: bool, context: ReplyContext = NO_CONTEXT) -> StreamCodec:
        raise TypeError("embeddings have no streams; facts.stream is always False")

    def forward_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return []
