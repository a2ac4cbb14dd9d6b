"""What a client asks for, before any dialect: one value, said by each client dialect in its own words."""

from typing import Any, Literal

from msgspec import Struct

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""One pixel."""
PDF = "JVBERi0xLjQKMSAwIG9iago8PC9UeXBlL0NhdGFsb2c+PgplbmRvYmoKdHJhaWxlcjw8L1Jvb3QgMSAwIFI+Pgo="
IMAGE_URL = "https://pictures.example/cat.png"
SCHEMA = {
    "type": "object",
    "properties": {"verdict_of_schema": {"type": "string"}},
    "required": ["verdict_of_schema"],
    "additionalProperties": False,
}
PARAMETERS = {"type": "object", "properties": {"city_of_call": {"type": "string"}}, "required": ["city_of_call"]}


class Call(Struct, frozen=True):
    """A call in the history, with its result."""

    id: str
    name: str
    arguments: str
    result: str


class Ask(Struct, frozen=True, kw_only=True):
    """One request. Fields that are not set are not said."""

    text: str = "Tell me of the weather."
    system: str | None = None
    late_system: str | None = None
    """A system message after an earlier turn of both sides."""
    image: Literal["data", "url"] | None = None
    document: bool = False
    tools: tuple[str, ...] = ()
    custom_tool: str | None = None
    """A tool that takes free text."""
    choice: str | None = None
    """`required`, `none`, or the name of a tool."""
    calls: tuple[Call, ...] = ()
    """An earlier turn in which all of them were called at once, answered before `text`."""
    result_image: bool = False
    """The first result is a picture too."""
    result_error: bool = False
    """The first result says that the tool failed."""
    one_call: bool = False
    """At most one call a turn."""
    schema: bool = False
    stop: str | None = None
    effort: str | None = None
    user: str | None = None
    temperature: float | None = None
    max_tokens: int = 500
    stream: bool = False


Body = dict[str, Any]
