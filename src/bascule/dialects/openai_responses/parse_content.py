"""The parts of one item of the Responses format to canonical blocks."""

from typing import Any

from bascule.dialects.fields import mapping, objects, required_text, text, untranslatable, wrong
from bascule.dialects.media import data_url, is_address
from bascule.model.request import Audio, Block, Document, Image, RefusalText, Text

_TEXTS = ("input_text", "output_text", "text")


def parse_content(item: dict[str, Any], name: str, where: str) -> tuple[Block, ...]:
    """The blocks of `content` or `output`: text or a list of parts. Empty text is left out. Raises MalformedRequest."""
    given = item.get(name)
    if type(given) is str:
        return (Text(text=given),) if given else ()
    if type(given) is not list:
        wrong(where, name, "text or a list of parts")
    parts = objects(item, name, where)
    return tuple([_part(part, f"{where}.{name}[{at}]") for at, part in enumerate(parts)])


def _part(part: dict[str, Any], where: str) -> Block:
    kind = required_text(part, "type", where)
    if kind in _TEXTS:
        given = text(part, "text", where)
        if given is None:
            wrong(where, "text", "text, and may not be missing")
        return Text(text=given)
    if kind == "input_image":
        return _image(part, where)
    if kind == "input_file":
        return _file(part, where)
    if kind == "refusal":
        return RefusalText(text=required_text(part, "refusal", where))
    if kind != "input_audio":
        untranslatable(f"{where}.type", f"a part of type {kind[:40]!r}")
    audio = mapping(part, "input_audio", where) or {}
    at = f"{where}.input_audio"
    return Audio(data=required_text(audio, "data", at), format=required_text(audio, "format", at))


def _image(part: dict[str, Any], where: str) -> Image:
    detail = text(part, "detail", where)
    if (file_id := text(part, "file_id", where)) is not None:
        return Image(file_id=file_id, detail=detail)
    url = required_text(part, "image_url", where)
    media_type, data = data_url(url)
    if data is None:
        if not is_address(url):
            wrong(where, "image_url", "an http or https address, or a data URL")
        return Image(url=url, detail=detail)
    return Image(data=data, media_type=media_type, detail=detail)


def _file(part: dict[str, Any], where: str) -> Document:
    name = text(part, "filename", where)
    if (data := text(part, "file_data", where)) is not None:
        media_type, payload = data_url(data)
        return Document(data=payload or data, media_type=media_type or "application/pdf", name=name)
    if (url := text(part, "file_url", where)) is not None:
        return Document(url=url, name=name)
    return Document(file_id=required_text(part, "file_id", where), name=name)
