"""`gemini` as a Dialect value."""

from collections.abc import Mapping

from msgspec import structs

from bascule.dialects.base import Body, ReplyFacts
from bascule.dialects.classify import fault_of
from bascule.dialects.gemini.errors import error_body
from bascule.dialects.gemini.facts import read_facts
from bascule.dialects.gemini.response import read_reply
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.outcome import Fault


class Gemini:
    """`POST /v1beta/models/{model}:generateContent`, and `:streamGenerateContent`."""

    name = "gemini"

    def read_facts(self, body: Body, raw_len: int) -> Facts:
        return read_facts(body, raw_len)

    def error(self, refusal: Refusal, request_id: str) -> tuple[int, bytes]:
        return refusal.http_status, error_body(refusal, request_id)

    def read_reply(self, raw: bytes) -> ReplyFacts | Fault:
        return read_reply(raw)

    def read_fault(self, status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
        """A key that Google does not know is a 400 there, told by the reason among the details."""
        fault = fault_of(status, headers, raw)
        if status == 400 and b"API_KEY_INVALID" in raw:
            return structs.replace(fault, error_class="auth")
        return fault


GEMINI = Gemini()
