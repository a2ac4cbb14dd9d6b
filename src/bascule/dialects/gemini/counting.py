"""`gemini_count_tokens`: `POST /v1beta/models/{model}:countTokens`.

The body holds the contents alone, or under `generateContentRequest` a whole request.
"""

import msgspec
from msgspec import Raw

from bascule.dialects.base import NO_CONTEXT, Body, ReplyContext, ReplyFacts, Target
from bascule.dialects.classify import protocol_fault, unreadable
from bascule.dialects.fields import mapping
from bascule.dialects.gemini.dialect import Gemini
from bascule.dialects.gemini.facts import read_facts
from bascule.dialects.gemini.relay import RelayCodec
from bascule.dialects.gemini.spelling import camel, refuse_lookalikes
from bascule.dialects.splice import patch
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.outcome import Fault
from bascule.model.usage import Usage

_WRAPPED = "generateContentRequest"
_COUNTED = ("contents", "systemInstruction", "tools", "toolConfig")
"""What of a request is input."""


class _Count(msgspec.Struct):
    totalTokens: int  # noqa: N815  the wire's own name


class GeminiCountTokens(Gemini):
    """The same request without an answer. It is not billed."""

    name = "gemini_count_tokens"

    def read_facts(self, body: Body, raw_len: int) -> Facts:
        refuse_lookalikes(camel(body), (_WRAPPED,))
        return read_facts(counted_request(body), raw_len)

    def read_reply(self, raw: bytes) -> ReplyFacts | Fault:
        """The count goes to `usage.tokens_in` with source `counted`."""
        try:
            counted = msgspec.json.decode(raw, type=_Count).totalTokens
        except msgspec.ValidationError:
            return protocol_fault("the provider's answer is JSON, but no token count")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            return unreadable(raw, problem)
        return ReplyFacts(usage=Usage(tokens_in=counted, tokens_out=0, source="counted"))


def counted_request(body: Body) -> Body:
    """The request whose tokens are counted, as `generateContent` would get it. Raises MalformedRequest."""
    inner = mapping(camel(body), _WRAPPED)
    if inner is None:
        return body
    return {**inner, "model": body.get("model"), "stream": False}


def render_count(tokens: int) -> bytes:
    """The body of an answer."""
    return msgspec.json.encode({"totalTokens": tokens})


def as_count(rendered: bytes, target: Target) -> bytes:
    """A `generateContent` body as a request to count it."""
    members = msgspec.json.decode(rendered, type=dict[str, Raw])
    request = {"model": f"models/{target.upstream_model}"} | {key: members[key] for key in _COUNTED if key in members}
    return msgspec.json.encode({_WRAPPED: request})


class CountTokensCodec(RelayCodec):
    """The codec of `gemini_count_tokens` to itself: no cap, no cost, no stream. A request inside names the model
    again, which must be the path's."""

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        sent = super().request(body, raw, facts, msgspec.structs.replace(target, max_tokens=None))
        if isinstance(sent, Refusal):
            return sent
        members = msgspec.json.decode(sent, type=dict[str, Raw])
        for name in (_WRAPPED, "generate_content_request"):
            inner = bytes(members.get(name, b"null"))
            if inner.startswith(b"{"):
                model = msgspec.json.encode(f"models/{target.upstream_model}")
                return patch(sent, {name: patch(inner, {"model": model}, ("stream",))})
        return sent

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        return raw


GEMINI_COUNT_TOKENS = GeminiCountTokens()
