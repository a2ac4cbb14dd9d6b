"""Documents and images as Converse takes them: bytes in base64 with a format, documents under a name of their own."""

import re
from base64 import b64encode

from bascule.dialects.base import Body
from bascule.dialects.bedrock_converse.family import Family
from bascule.model.errors import Untranslatable
from bascule.model.request import Document, Image

_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_OFFICE = "application/vnd.openxmlformats-officedocument"
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/plain": "txt",
    "text/markdown": "md",
    "text/csv": "csv",
    "text/html": "html",
    "application/json": "txt",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    f"{_OFFICE}.wordprocessingml.document": "docx",
    f"{_OFFICE}.spreadsheetml.sheet": "xlsx",
}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9\-()\[\] ]+")
_BLANKS = re.compile(r" {2,}")
_NAME_CHARS = 200


class DocumentNames:
    """Names for the documents of one request: in the letters that Converse allows, no two the same."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def name(self, wanted: str | None) -> str:
        """The same for the same documents in the same order, so that a longer conversation keeps its prefix."""
        clean = _BLANKS.sub(" ", _NOT_IN_NAMES.sub(" ", wanted or "")).strip()[: _NAME_CHARS - 8].strip() or "document"
        name, number = clean, 1
        while name in self._given:
            number += 1
            name = f"{clean} {number}"
        self._given.add(name)
        return name


def image_block(block: Image) -> Body:
    """Raises Untranslatable: an image by its address or in another format cannot be sent."""
    if block.data is None:
        raise Untranslatable(
            "Bedrock reads no addresses and no other vendor's files; send the image's data", "messages"
        )
    form = _IMAGES.get((block.media_type or "").lower())
    if form is None:
        raise Untranslatable("Bedrock takes images as PNG, JPEG, GIF or WebP only", "messages")
    return {"image": {"format": form, "source": {"bytes": block.data}}}


def document_block(block: Document, names: DocumentNames, family: Family) -> Body:
    """Raises Untranslatable: a document by its address or in another format cannot be sent."""
    if block.text is not None:
        form: str | None = "txt"
        data = b64encode(block.text.encode("utf-8", "replace")).decode()
    elif block.data is not None:
        form = _DOCUMENTS.get((block.media_type or "application/pdf").partition(";")[0].strip().lower())
        data = block.data
    else:
        raise Untranslatable(
            "Bedrock reads no addresses and no other vendor's files; send the document's data", "messages"
        )
    if form is None:
        raise Untranslatable(f"Bedrock takes no documents of type {(block.media_type or '')[:80]!r}", "messages")
    document: Body = {"format": form, "name": names.name(block.name), "source": {"bytes": data}}
    if family == "claude":
        if block.context is not None:
            document["context"] = block.context
        if block.carried.get("anthropic_messages", {}).get("citations", {}).get("enabled") is True:
            # Without them a PDF is read as its text alone (userguide, "Citations", Converse).
            document["citations"] = {"enabled": True}
    return {"document": document}
