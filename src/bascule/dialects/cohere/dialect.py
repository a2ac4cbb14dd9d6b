"""`cohere` as a provider's dialect."""

from collections.abc import Mapping

from msgspec.structs import replace

from bascule.dialects.base import ReplyFacts
from bascule.dialects.classify import fault_of
from bascule.dialects.cohere.response import read_reply
from bascule.model.outcome import Fault

_DENIED_WORDS = 498
"""A request or an answer holds a term that is not allowed (docs.cohere.com, "Errors")."""


class Cohere:
    """`POST /v2/chat`."""

    name = "cohere"

    def read_reply(self, raw: bytes) -> ReplyFacts | Fault:
        return read_reply(raw)

    def read_fault(self, status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
        """Errors are `{"message": …}`."""
        fault = fault_of(status, headers, raw)
        if status == _DENIED_WORDS:
            return replace(fault, error_class="content_filter")
        if status == 429 and "calls / month" in fault.message.lower():
            return replace(fault, error_class="quota_exhausted")  # a trial key that is used up
        return fault


COHERE = Cohere()
