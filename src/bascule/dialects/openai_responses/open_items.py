"""Items of a streamed answer while they are being written."""

from bascule.dialects.openai_responses.names import Known, custom_input
from bascule.dialects.openai_responses.write_items import Item
from bascule.model.request import Signature


class OpenMessage:
    """An open message: the parts that are whole, and the pieces of the one that is being written."""

    __slots__ = ("id", "index", "is_refusal", "parts", "pieces")

    def __init__(self, index: int, item_id: str) -> None:
        self.index = index
        self.id = item_id
        self.parts: list[Item] = []
        self.pieces: list[str] | None = None
        self.is_refusal = False


class OpenReasoning:
    __slots__ = ("id", "index", "pieces", "signature")

    def __init__(self, index: int, item_id: str) -> None:
        self.index = index
        self.id = item_id
        self.pieces: list[str] = []
        self.signature: Signature | None = None


class OpenCall:
    __slots__ = ("call_id", "id", "index", "kind", "pieces", "tool")

    def __init__(self, index: int, item_id: str, call_id: str, tool: Known, kind: str) -> None:
        self.index = index
        self.id = item_id
        self.call_id = call_id
        self.tool = tool
        self.kind = kind
        self.pieces: list[str] = []

    def written(self) -> str:
        """What the client gets: arguments, or the free text that was wrapped into them."""
        text = "".join(self.pieces)
        if not self.tool.custom:
            return text or "{}"
        return text if self.kind == "custom" else custom_input(text)
