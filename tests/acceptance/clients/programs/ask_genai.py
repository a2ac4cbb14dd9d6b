"""google-genai, as `bascule env gemini` points it."""

from typing import Any

from google import genai
from google.genai import types
from pydantic import BaseModel
from told import ANSWER, CALL, CITY, MODEL, PERSON, QUESTION, WEATHER, Told, same

client = genai.Client()
told = Told()
WEATHER_TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather",
            description="The weather in a city",
            parameters_json_schema={
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        )
    ]
)


class Person(BaseModel):
    name: str
    age: int


def config(**more: Any) -> types.GenerateContentConfig:
    off = types.AutomaticFunctionCallingConfig(disable=True)
    return types.GenerateContentConfig(system_instruction="Be brief.", automatic_function_calling=off, **more)


def used(done: types.GenerateContentResponse) -> None:
    usage = done.usage_metadata
    assert usage is not None
    told.used(usage.prompt_token_count, (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0))


def ask(contents: Any, **more: Any) -> types.GenerateContentResponse:
    done = client.models.generate_content(model=MODEL, contents=contents, config=config(**more))
    used(done)
    return done


def called(done: Any) -> None:
    (call,) = done.function_calls
    same((call.name, call.args), ("weather", {"city": CITY}))


def plain() -> None:
    done = ask(QUESTION)
    assert done.candidates
    same((done.text, done.candidates[0].finish_reason), (ANSWER, types.FinishReason.STOP))


def stream() -> None:
    chunks = list(client.models.generate_content_stream(model=MODEL, contents=QUESTION, config=config()))
    used(chunks[-1])
    same("".join(chunk.text or "" for chunk in chunks), ANSWER)


def tools() -> None:
    contents = [types.Content(role="user", parts=[types.Part(text=CALL)])]
    first = ask(contents, tools=[WEATHER_TOOL])
    called(first)
    assert first.candidates
    assert first.candidates[0].content
    result = types.Part.from_function_response(name="weather", response={"result": WEATHER})
    contents += [first.candidates[0].content, types.Content(role="user", parts=[result])]
    same(ask(contents, tools=[WEATHER_TOOL]).text, ANSWER)
    chunks = client.models.generate_content_stream(model=MODEL, contents=CALL, config=config(tools=[WEATHER_TOOL]))
    (streamed,) = [chunk for chunk in chunks if chunk.function_calls]
    called(streamed)


def schema() -> None:
    done = ask(QUESTION, response_mime_type="application/json", response_schema=Person)
    same(done.parsed, Person(**PERSON))


def count() -> None:
    counted = client.models.count_tokens(model=MODEL, contents=QUESTION)
    assert (counted.total_tokens or 0) > 0


for step in (plain, stream, tools, schema, count):
    told.step(step.__name__, step)
told.end()
