"""Embeddings: OpenAI's format for clients, Cohere's `POST /v2/embed` for the provider."""

from array import array
from base64 import b64encode
from collections.abc import Mapping, Sequence
from sys import byteorder
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bascule.dialects.base import NO_CONTEXT, Body, ReplyContext, ReplyFacts, StreamCodec, Target
from bascule.dialects.classify import not_the_dialect, unreadable
from bascule.dialects.cohere.dialect import COHERE
from bascule.dialects.cohere.usage import read_usage
from bascule.dialects.fields import count, text_or_none, word
from bascule.dialects.splice import usd_number
from bascule.model.errors import MalformedRequest, Refusal
from bascule.model.facts import Facts
from bascule.model.outcome import Fault
from bascule.model.usage import Usage

_MAX_TEXTS = 96
_INPUT_TYPES = frozenset({"search_document", "search_query", "classification", "clustering"})
_FORMATS = frozenset({"float", "base64"})


class _Vectors(Struct):
    float: list[list[float]]


class _Reply(Struct):
    embeddings: _Vectors
    id: Any = None
    meta: Any = None


_DECODER = msgspec.json.Decoder(_Reply)


class CohereEmbed:
    """`POST /v2/embed`."""

    name = "cohere_embed"

    def read_reply(self, raw: bytes) -> ReplyFacts | Fault:
        try:
            reply = _DECODER.decode(raw)
        except msgspec.ValidationError:
            return not_the_dialect(raw, "a list of embeddings", after_content=False)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            return unreadable(raw, problem)
        return ReplyFacts(usage=_usage(reply), response_id=text_or_none(reply.id), finish_reason="stop")

    def read_fault(self, status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
        return COHERE.read_fault(status, headers, raw)


class EmbedCodec:
    """The codec from `openai_embeddings` to `cohere_embed`. Stateless."""

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        """Texts only. `input_type`, which Cohere requires, is the client's own or `search_document`."""
        try:
            rendered = _rendered(body, target)
        except MalformedRequest as problem:
            return Refusal(kind="malformed", message=str(problem), param=problem.param)
        return rendered if isinstance(rendered, Refusal) else msgspec.json.encode(rendered)

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        reply = _DECODER.decode(raw)
        packed = context.body is not None and context.body.get("encoding_format") == "base64"
        usage: Body = {"prompt_tokens": _usage(reply).billed_input, "total_tokens": _usage(reply).billed_input}
        if cost_nanousd is not None:
            usage["cost"] = msgspec.Raw(usd_number(cost_nanousd))
        data = [
            {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector}
            for index, vector in enumerate(reply.embeddings.float)
        ]
        return msgspec.json.encode({"object": "list", "data": data, "model": model, "usage": usage})

    def stream(self, facts: Facts, model: str, splice_cost: bool, context: ReplyContext = NO_CONTEXT) -> StreamCodec:
        raise TypeError("embeddings have no streams; facts.stream is always False")

    def forward_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return []


def _rendered(body: Body, target: Target) -> Body | Refusal:
    given = body["input"]
    texts = [given] if type(given) is str else given
    if any(type(text) is not str for text in texts):
        message = "this model's provider embeds texts only; send them instead of tokens"
        return Refusal(kind="unsupported", message=message, param="input")
    if len(texts) > _MAX_TEXTS:
        message = f"this model's provider embeds at most {_MAX_TEXTS} texts at a time"
        return Refusal(kind="unsupported", message=message, param="input")
    word(body, "encoding_format", _FORMATS)
    rendered: Body = {
        "model": target.upstream_model,
        "texts": texts,
        "input_type": word(body, "input_type", _INPUT_TYPES) or "search_document",
        "embedding_types": ["float"],
    }
    if (size := count(body, "dimensions")) is not None:
        rendered["output_dimension"] = size
    return rendered


def _usage(reply: _Reply) -> Usage:
    """`meta.billed_units`, as an answer has it in `usage`; embeddings have no output tokens to report."""
    meta = reply.meta if type(reply.meta) is dict else {}
    billed = meta.get("billed_units")
    if type(billed) is not dict or billed.get("input_tokens") is None:
        return read_usage(None)
    return replace(read_usage({"billed_units": {**billed, "output_tokens": 0}}), tokens_out=0)


def _packed(vector: list[float]) -> str:
    """Base64 of 32-bit floats, the lowest byte first, as OpenAI's clients unpack them."""
    floats = array("f", vector)
    if byteorder == "big":
        floats.byteswap()
    return b64encode(floats.tobytes()).decode()


COHERE_EMBED = CohereEmbed()
