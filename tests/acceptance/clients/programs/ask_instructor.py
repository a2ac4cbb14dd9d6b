"""instructor: what it is for is structured output, by a tool's call or by a schema, whole and streamed in parts."""

from collections.abc import Callable
from typing import Any

import instructor
from pydantic import BaseModel
from told import KEY, MODEL, PERSON, PERSON_CALL, QUESTION, SURFACE, URL, Told, same

told = Told()
Made = Callable[[instructor.Mode], Any]


def chat(mode: instructor.Mode) -> Any:
    import openai

    return instructor.from_openai(openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0), mode=mode)


def anthropic(mode: instructor.Mode) -> Any:
    from anthropic import Anthropic

    return instructor.from_anthropic(Anthropic(base_url=URL, api_key=KEY, max_retries=0), mode=mode)


def google(mode: instructor.Mode) -> Any:
    from google import genai

    options = genai.types.HttpOptions(base_url=URL)
    return instructor.from_genai(genai.Client(api_key=KEY, http_options=options), mode=mode)


class Person(BaseModel):
    name: str
    age: int


Modes = tuple[Made, instructor.Mode, instructor.Mode | None]
BY_SURFACE: dict[str, Modes] = {
    "openai_chat": (chat, instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA),
    "openai_responses": (chat, instructor.Mode.RESPONSES_TOOLS, None),
    "anthropic_messages": (anthropic, instructor.Mode.ANTHROPIC_TOOLS, None),
    "gemini": (google, instructor.Mode.GENAI_TOOLS, instructor.Mode.GENAI_STRUCTURED_OUTPUTS),
}
made, TOOLS, SCHEMA = BY_SURFACE[SURFACE]
MORE: dict[str, Any] = {"max_tokens": 500} if SURFACE == "anthropic_messages" else {}


def asked(text: str) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], "max_retries": 0, **MORE}


def extract() -> None:
    same(made(TOOLS).create(response_model=Person, **asked(PERSON_CALL)).model_dump(), PERSON)


def schema() -> None:
    assert SCHEMA is not None
    same(made(SCHEMA).create(response_model=Person, **asked(QUESTION)).model_dump(), PERSON)


def stream() -> None:
    prompt = PERSON_CALL.replace("Person", "PartialPerson")
    same(list(made(TOOLS).create_partial(response_model=Person, **asked(prompt)))[-1].model_dump(), PERSON)


for step in (extract, stream, *([schema] if SCHEMA is not None else [])):
    told.step(step.__name__, step)
told.end()
