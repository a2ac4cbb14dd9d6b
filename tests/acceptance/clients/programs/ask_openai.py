"""openai-python: chat completions, as `bascule env openai` points it."""

import json
from typing import Any

import openai
from pydantic import BaseModel
from told import ANSWER, CALL, CITY, MODEL, PERSON, QUESTION, WEATHER, Told, same

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
client = openai.OpenAI(max_retries=0, timeout=30)
told = Told()


class Person(BaseModel):
    name: str
    age: int


def ask(messages: list[Any], **more: Any) -> Any:
    done = client.chat.completions.create(model=MODEL, messages=messages, **more)
    told.used(done.usage.prompt_tokens, done.usage.completion_tokens)
    return done.choices[0]


def user(text: str) -> list[Any]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]


def called(call: Any) -> tuple[str, Any]:
    return call.function.name, json.loads(call.function.arguments)


def plain() -> None:
    choice = ask(user(QUESTION))
    same((choice.message.content, choice.finish_reason), (ANSWER, "stop"))


def stream() -> None:
    with client.chat.completions.stream(
        model=MODEL, messages=user(QUESTION), stream_options={"include_usage": True}
    ) as events:
        done = events.get_final_completion()
    told.used(done.usage.prompt_tokens, done.usage.completion_tokens)
    same(done.choices[0].message.content, ANSWER)


def tools() -> None:
    messages = user(CALL)
    choice = ask(messages, tools=[TOOL])
    (call,) = choice.message.tool_calls
    same((called(call), choice.finish_reason), (("weather", {"city": CITY}), "tool_calls"))
    messages += [choice.message, {"role": "tool", "tool_call_id": call.id, "content": WEATHER}]
    same(ask(messages, tools=[TOOL]).message.content, ANSWER)
    with client.chat.completions.stream(model=MODEL, messages=user(CALL), tools=[TOOL]) as events:
        (streamed,) = events.get_final_completion().choices[0].message.tool_calls
    same(called(streamed), ("weather", {"city": CITY}))


def schema() -> None:
    done = client.chat.completions.parse(model=MODEL, messages=user(QUESTION), response_format=Person)
    same(done.choices[0].message.parsed, Person(**PERSON))


def embeddings() -> None:
    """The upstream of embeddings is OpenAI's, whatever the chat's is."""
    done = client.embeddings.create(model="embed", input=[QUESTION, ANSWER])
    same([len(one.embedding) for one in done.data], [8, 8])


def models() -> None:
    assert MODEL in {model.id for model in client.models.list()}


for step in (plain, stream, tools, schema, embeddings, models):
    told.step(step.__name__, step)
told.end()
