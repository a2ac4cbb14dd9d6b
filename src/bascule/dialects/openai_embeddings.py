"""The OpenAI Embeddings format: pass-through only."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.base import NO_CONTEXT, Body, ReplyContext, ReplyFacts, StreamCodec, Target
from bascule.dialects.bounded import EMBEDDINGS_FIELDS, unlisted
from bascule.dialects.classify import fault_inside_200, fault_of, protocol_fault, read_error_value, unreadable
from bascule.dialects.fields import NULL, model_name, refuse_case_variants, text, text_or_none
from bascule.dialects.openai_chat.errors import error_body
from bascule.dialects.openai_chat.usage import read_usage
from bascule.dialects.splice import patch, splice_cost
from bascule.model.errors import MalformedRequest, Refusal
from bascule.model.facts import Facts
from bascule.model.outcome import Fault


class _Reply(Struct):
    data: list[Raw] | None = None
    model: Any = None
    usage: Raw = NULL
    error: Any = None


_KEYS_THAT_MATTER = frozenset({"model", "input", "user", "dimensions", "encoding_format"})
_DECODER = msgspec.json.Decoder(_Reply)


class OpenAIEmbeddings:
    """`POST /v1/embeddings`."""

    name = "openai_embeddings"

    def read_facts(self, body: Body, raw_len: int) -> Facts:
        model = model_name(body)
        refuse_case_variants(body, _KEYS_THAT_MATTER)
        given = body.get("input")
        if not isinstance(given, str | list) or not given:
            raise MalformedRequest("`input` must be text, or a list of texts or of tokens", "input")
        inputs = 1 if type(given) is str or type(given[0]) is int else len(given)
        unbounded = [] if EMBEDDINGS_FIELDS.issuperset(body) else unlisted(body, EMBEDDINGS_FIELDS)
        if type(given) is list and not _is_text_or_tokens(given):
            unbounded.append("input")
        return Facts(
            model=model,
            text_bytes=raw_len,
            messages=inputs,
            unbounded=tuple(unbounded),
            end_user=text(body, "user"),
        )

    def error(self, refusal: Refusal, request_id: str) -> tuple[int, bytes]:
        return refusal.http_status, error_body(refusal, request_id)

    def read_reply(self, raw: bytes) -> ReplyFacts | Fault:
        try:
            reply = _DECODER.decode(raw)
        except msgspec.ValidationError:
            return protocol_fault("the provider's answer is JSON, but no list of embeddings")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            return unreadable(raw, problem)
        if reply.error:
            return fault_inside_200(read_error_value({"error": reply.error}), after_content=False)
        if not reply.data:
            return protocol_fault("the provider's answer is JSON, but no list of embeddings")
        usage = read_usage(bytes(reply.usage))
        if usage.source == "reported" and usage.tokens_out is None:
            usage = msgspec.structs.replace(usage, tokens_out=0)  # embeddings have no output tokens to report
        return ReplyFacts(usage=usage, model=text_or_none(reply.model), finish_reason="stop")

    def read_fault(self, status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
        return fault_of(status, headers, raw)


def _is_text_or_tokens(given: list[Any]) -> bool:
    """Texts, tokens or lists of tokens; an object may be an image, or an address of one."""
    kinds = set(map(type, given))
    if kinds == {str} or kinds == {int}:
        return True
    return kinds == {list} and {type(token) for tokens in given for token in tokens} <= {int}


class EmbeddingsCodec:
    """The codec of `openai_embeddings` to itself. Stateless."""

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        if facts.model == target.upstream_model:
            return raw
        return patch(raw, {"model": msgspec.json.encode(target.upstream_model)})

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        return raw if cost_nanousd is None else splice_cost(raw, cost_nanousd)

    def stream(self, facts: Facts, model: str, splice_cost: bool, context: ReplyContext = NO_CONTEXT) -> StreamCodec:
        raise TypeError("embeddings have no streams; facts.stream is always False")

    def forward_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return []


OPENAI_EMBEDDINGS = OpenAIEmbeddings()
