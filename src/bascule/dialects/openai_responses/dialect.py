"""`openai_responses` as a Dialect value."""

from collections.abc import Mapping

from bascule.dialects.base import Body, ReplyFacts
from bascule.dialects.classify import fault_of
from bascule.dialects.openai_chat.errors import error_body
from bascule.dialects.openai_responses.facts import read_facts
from bascule.dialects.openai_responses.response import read_reply
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.outcome import Fault


class OpenAIResponses:
    """`POST /v1/responses`."""

    name = "openai_responses"

    def read_facts(self, body: Body, raw_len: int) -> Facts:
        return read_facts(body, raw_len)

    def error(self, refusal: Refusal, request_id: str) -> tuple[int, bytes]:
        return refusal.http_status, error_body(refusal, request_id)

    def read_reply(self, raw: bytes) -> ReplyFacts | Fault:
        return read_reply(raw)

    def read_fault(self, status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
        return fault_of(status, headers, raw)


OPENAI_RESPONSES = OpenAIResponses()
