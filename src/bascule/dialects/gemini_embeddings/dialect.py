"""`gemini_embeddings` as a Dialect value."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.base import Body, ReplyFacts
from bascule.dialects.bounded import GEMINI_EMBEDDING_FIELDS, unlisted
from bascule.dialects.classify import fault_inside_200, protocol_fault, read_error_value, unreadable
from bascule.dialects.fields import NULL, Holder, mapping, model_name, objects, path
from bascule.dialects.gemini.dialect import Gemini
from bascule.dialects.gemini.spelling import camel, refuse_lookalikes
from bascule.dialects.gemini.usage import read_usage
from bascule.model.errors import MalformedRequest
from bascule.model.facts import Facts
from bascule.model.outcome import Fault


class _Reply(Struct):
    embeddings: list[Raw] | None = None
    usageMetadata: Raw = NULL  # noqa: N815  the wire's own name
    error: Any = None


_DECODER = msgspec.json.Decoder(_Reply)
_WHAT = "the provider's answer is JSON, but no list of embeddings"


class GeminiEmbeddings(Gemini):
    """`POST /v1beta/models/{model}:embedContent` and `:batchEmbedContents`."""

    name = "gemini_embeddings"

    def read_facts(self, body: Body, raw_len: int) -> Facts:
        model = model_name(body)
        requests = requests_of(body)
        unbounded: list[str] = []
        for request, where in requests:
            unbounded += unlisted(request, GEMINI_EMBEDDING_FIELDS)
            content = mapping(request, "content", where)
            place = path(where, "content")
            if content is None:
                raise MalformedRequest(f"`{place}` is missing", place)
            for index, part in enumerate(objects(content, "parts", place)):
                if camel(part, f"{place}.parts[{index}]").keys() - {"text"}:
                    unbounded.append("parts[].data")
        return Facts(model=model, text_bytes=raw_len, messages=len(requests), unbounded=tuple(dict.fromkeys(unbounded)))

    def read_reply(self, raw: bytes) -> ReplyFacts | Fault:
        try:
            reply = _DECODER.decode(raw)
        except msgspec.ValidationError:
            return protocol_fault(_WHAT)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            return unreadable(raw, problem)
        if reply.error:
            return fault_inside_200(read_error_value({"error": reply.error}), after_content=False)
        if not reply.embeddings:
            return protocol_fault(_WHAT)
        usage = read_usage(bytes(reply.usageMetadata))
        if usage.source == "reported" and usage.tokens_out is None:
            usage = msgspec.structs.replace(usage, tokens_out=0)  # embeddings have no output tokens to report
        return ReplyFacts(usage=usage, finish_reason="stop")


def requests_of(body: Holder) -> list[tuple[Holder, str]]:
    """The single requests of a body, with their paths: those of `requests`, or the body itself. Raises
    MalformedRequest."""
    body = camel(body)
    refuse_lookalikes(body, ("requests", "content"))
    if body.get("requests") is None:
        return [(body, "")]
    requests = objects(body, "requests")
    if not requests:
        raise MalformedRequest("`requests` must be a list with at least one request", "requests")
    if more := sorted(body.keys() - {"requests", "model", "stream"}):
        raise MalformedRequest(f"`{more[0][:40]}` does not go with `requests`", more[0][:40])
    return [(camel(request, f"requests[{at}]"), f"requests[{at}]") for at, request in enumerate(requests)]


GEMINI_EMBEDDINGS = GeminiEmbeddings()
