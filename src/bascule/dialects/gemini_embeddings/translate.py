"""Embeddings between Google's and OpenAI's format. Vectors are floats in both, in OpenAI's also base64 of them."""

from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from sys import byteorder
from typing import Any

import msgspec
from msgspec import Raw

from bascule.dialects.base import NO_CONTEXT, Body, ReplyContext, StreamCodec, Target
from bascule.dialects.fields import Holder, count, mapping, objects, path, text, untranslatable, word, wrong
from bascule.dialects.gemini.spelling import camel
from bascule.dialects.gemini.usage import read_usage as read_google
from bascule.dialects.gemini_embeddings.dialect import requests_of
from bascule.dialects.openai_chat.usage import read_usage as read_openai
from bascule.dialects.out_of_range import decode_answer
from bascule.dialects.splice import usd_number
from bascule.model.errors import MalformedRequest, Refusal, Untranslatable
from bascule.model.facts import Facts
from bascule.model.usage import Usage

_ENCODINGS = frozenset({"float", "base64"})


class _Translation:
    """What both directions share."""

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        try:
            return msgspec.json.encode(self._request(body, target))
        except MalformedRequest as problem:
            return Refusal(kind="malformed", message=str(problem), param=problem.param)
        except Untranslatable as problem:
            return Refusal(kind="unsupported", message=str(problem), param=problem.param)

    def stream(self, facts: Facts, model: str, splice_cost: bool, context: ReplyContext = NO_CONTEXT) -> StreamCodec:
        raise TypeError("embeddings have no streams; facts.stream is always False")

    def forward_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return []

    def _request(self, body: Body, target: Target) -> Body:
        raise NotImplementedError


class FromOpenAI(_Translation):
    """The codec from `openai_embeddings` clients to `gemini_embeddings` providers. Stateless."""

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        reply: Body = decode_answer(raw)
        as_base64 = context.body is not None and context.body.get("encoding_format") == "base64"
        data: list[Body] = []
        for at, embedding in enumerate(reply["embeddings"]):
            values = _floats(embedding.get("values") if type(embedding) is dict else None)
            data.append({"object": "embedding", "index": at, "embedding": _packed(values) if as_base64 else values})
        usage = read_google(msgspec.json.encode(reply.get("usageMetadata")))
        tokens = _input_tokens(usage)
        # The SDK's type requires both counts; what Google did not report is 0 there.
        told: Body = {"prompt_tokens": tokens or 0, "total_tokens": tokens or 0}
        if cost_nanousd is not None:
            told["cost"] = Raw(usd_number(cost_nanousd))
        return msgspec.json.encode({"object": "list", "data": data, "model": model, "usage": told})

    def _request(self, body: Body, target: Target) -> Body:
        word(body, "encoding_format", _ENCODINGS)
        dimensions = count(body, "dimensions")
        given = body["input"]
        requests: list[Body] = []
        for at, item in enumerate([given] if type(given) is str else given):
            if type(item) is not str:
                untranslatable(f"input[{at}]", "an input of tokens")
            request: Body = {"model": f"models/{target.upstream_model}", "content": {"parts": [{"text": item}]}}
            requests.append(request if dimensions is None else {**request, "outputDimensionality": dimensions})
        return {"requests": requests}


class ToOpenAI(_Translation):
    """The codec from `gemini_embeddings` clients to `openai_embeddings` providers. Stateless.

    What a vector is for (`taskType`, `title`) is a hint that OpenAI's format has no word for.
    """

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        reply: Body = decode_answer(raw)
        found = [item for item in reply["data"] if type(item) is dict]
        found.sort(key=_index)
        embeddings = [{"values": _floats(item.get("embedding"))} for item in found]
        usage = read_openai(msgspec.json.encode(reply.get("usage")))
        answer: Body
        if context.body is None or context.body.get("requests") is not None:
            answer = {"embeddings": embeddings}
        else:
            answer = {"embedding": embeddings[0] if embeddings else {"values": []}}
        if (tokens := _input_tokens(usage)) is not None:
            told: Body = {"promptTokenCount": tokens, "totalTokenCount": tokens}
            if cost_nanousd is not None:
                told["cost"] = Raw(usd_number(cost_nanousd))
            answer["usageMetadata"] = told
        return msgspec.json.encode(answer)

    def _request(self, body: Body, target: Target) -> Body:
        texts: list[str] = []
        sizes: set[int | None] = set()
        for request, where in requests_of(body):
            texts.append(_text(request, where))
            sizes.add(count(request, "outputDimensionality", where))
        if len(sizes) > 1:
            untranslatable("requests", "vectors of several lengths in one request")
        (dimensions,) = sizes
        sent: Body = {"model": target.upstream_model, "input": texts, "encoding_format": "float"}
        return sent if dimensions is None else {**sent, "dimensions": dimensions}


def _text(request: Holder, where: str) -> str:
    at = path(where, "content")
    texts: list[str] = []
    for position, given in enumerate(objects(mapping(request, "content", where) or {}, "parts", at)):
        place = f"{at}.parts[{position}]"
        said = text(camel(given, place), "text", place)
        if said is None:
            untranslatable(place, "a vector of more than text")
        texts.append(said)
    if not any(texts):
        wrong(at, "parts", "a list with some text")
    return "\n".join(texts)


def _input_tokens(usage: Usage) -> int | None:
    return None if usage.source == "none" else usage.tier_input


def _index(item: Body) -> int:
    index = item.get("index")
    return index if type(index) is int else 0


def _floats(given: Any) -> list[float]:
    """A vector: numbers, or base64 of little-endian floats of four bytes; what is neither is empty."""
    if type(given) is list:
        return [float(value) for value in given if type(value) is float or type(value) is int]
    if type(given) is not str:
        return []
    try:
        packed = b64decode(given, validate=True)
    except ValueError:
        return []
    values = array("f", packed[: len(packed) - len(packed) % 4])
    if byteorder == "big":
        values.byteswap()
    return values.tolist()


def _packed(values: list[float]) -> str:
    numbers = array("f", values)
    if byteorder == "big":
        numbers.byteswap()
    return b64encode(numbers.tobytes()).decode()
