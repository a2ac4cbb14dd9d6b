"""`bedrock_converse` as a provider's dialect."""

from collections.abc import Mapping

from bascule.dialects.base import ReplyFacts
from bascule.dialects.bedrock_converse.errors import status_fault
from bascule.dialects.bedrock_converse.response import read_reply
from bascule.model.outcome import Fault


class BedrockConverse:
    """`POST /model/{modelId}/converse` and `/converse-stream`."""

    name = "bedrock_converse"

    def read_reply(self, raw: bytes) -> ReplyFacts | Fault:
        return read_reply(raw)

    def read_fault(self, status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
        return status_fault(status, headers, raw)


BEDROCK_CONVERSE = BedrockConverse()
