"""anthropic-python, as `bascule env anthropic` points it."""

from typing import Any

import anthropic
from pydantic import BaseModel
from told import ANSWER, CALL, CITY, MODEL, PERSON, QUESTION, WEATHER, Told, same

TOOL: Any = {
    "name": "weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
client = anthropic.Anthropic(max_retries=0, timeout=30)
told = Told()


class Person(BaseModel):
    name: str
    age: int


def ask(messages: list[Any], **more: Any) -> Any:
    done = client.messages.create(model=MODEL, max_tokens=500, system="Be brief.", messages=messages, **more)
    told.used(done.usage.input_tokens, done.usage.output_tokens)
    return done


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def plain() -> None:
    done = ask(user(QUESTION))
    same(([block.text for block in done.content], done.stop_reason), ([ANSWER], "end_turn"))


def stream() -> None:
    with client.messages.stream(model=MODEL, max_tokens=500, messages=user(QUESTION)) as events:
        text = "".join(events.text_stream)
        done = events.get_final_message()
    told.used(done.usage.input_tokens, done.usage.output_tokens)
    same((text, done.content[0].text), (ANSWER, ANSWER))


def tools() -> None:
    messages = user(CALL)
    done = ask(messages, tools=[TOOL])
    (call,) = [block for block in done.content if block.type == "tool_use"]
    same((call.name, call.input, done.stop_reason), ("weather", {"city": CITY}, "tool_use"))
    result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": WEATHER}]}
    messages += [{"role": "assistant", "content": done.content}, {"role": "user", "content": [result]}]
    same(ask(messages, tools=[TOOL]).content[0].text, ANSWER)
    with client.messages.stream(model=MODEL, max_tokens=500, messages=user(CALL), tools=[TOOL]) as events:
        (streamed,) = [block for block in events.get_final_message().content if block.type == "tool_use"]
    same((streamed.name, streamed.input), ("weather", {"city": CITY}))


def schema() -> None:
    done = client.messages.parse(model=MODEL, max_tokens=500, messages=user(QUESTION), output_format=Person)
    same(done.parsed_output, Person(**PERSON))


def count() -> None:
    counted = client.messages.count_tokens(model=MODEL, messages=user(QUESTION), tools=[TOOL])
    assert counted.input_tokens > 10


def models() -> None:
    assert MODEL in {model.id for model in client.models.list()}


for step in (plain, stream, tools, schema, count, models):
    told.step(step.__name__, step)
told.end()
