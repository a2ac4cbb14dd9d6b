"""`anthropic_messages` and `anthropic_count_tokens` as Dialect values."""

from collections.abc import Mapping

import msgspec
from msgspec import structs

from bascule.dialects.anthropic_messages.errors import error_body
from bascule.dialects.anthropic_messages.facts import read_facts
from bascule.dialects.anthropic_messages.response import read_reply
from bascule.dialects.base import Body, ReplyFacts
from bascule.dialects.classify import fault_of, protocol_fault, unreadable
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.outcome import Fault
from bascule.model.usage import Usage


class AnthropicMessages:
    """`POST /v1/messages`."""

    name = "anthropic_messages"

    def read_facts(self, body: Body, raw_len: int) -> Facts:
        return read_facts(body, raw_len)

    def error(self, refusal: Refusal, request_id: str) -> tuple[int, bytes]:
        return refusal.http_status, error_body(refusal, request_id)

    def read_reply(self, raw: bytes) -> ReplyFacts | Fault:
        return read_reply(raw)

    def read_fault(self, status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
        return fault_of(status, headers, raw)


class AnthropicCountTokens(AnthropicMessages):
    """`POST /v1/messages/count_tokens`: the same request without an answer. It is not billed."""

    name = "anthropic_count_tokens"

    def read_facts(self, body: Body, raw_len: int) -> Facts:
        """A count comes whole, whatever `stream` says: the API takes no such field."""
        return structs.replace(read_facts(body, raw_len), stream=False)

    def read_reply(self, raw: bytes) -> ReplyFacts | Fault:
        """The count goes to `usage.tokens_in` with source `counted`."""
        try:
            counted = msgspec.json.decode(raw, type=_Count).input_tokens
        except msgspec.ValidationError:
            return protocol_fault("the provider's answer is JSON, but no token count")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            return unreadable(raw, problem)
        return ReplyFacts(usage=Usage(tokens_in=counted, tokens_out=0, source="counted"))


class _Count(msgspec.Struct):
    input_tokens: int


ANTHROPIC_MESSAGES = AnthropicMessages()
ANTHROPIC_COUNT_TOKENS = AnthropicCountTokens()
