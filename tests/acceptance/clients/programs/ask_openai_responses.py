"""openai-python: responses, as `bascule env openai` points it; nothing is kept at the provider."""

import json
from typing import Any

import openai
from pydantic import BaseModel
from told import ANSWER, CALL, CITY, MODEL, PERSON, QUESTION, WEATHER, Told, same

TOOL: Any = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
client = openai.OpenAI(max_retries=0, timeout=30)
told = Told()


class Person(BaseModel):
    name: str
    age: int


def ask(given: Any, **more: Any) -> Any:
    done = client.responses.create(model=MODEL, instructions="Be brief.", input=given, store=False, **more)
    told.used(done.usage.input_tokens, done.usage.output_tokens)
    return done


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def called(done: Any) -> Any:
    (call,) = [item for item in done.output if item.type == "function_call"]
    same((call.name, json.loads(call.arguments)), ("weather", {"city": CITY}))
    return call


def plain() -> None:
    done = ask(QUESTION)
    same((done.output_text, done.status), (ANSWER, "completed"))


def stream() -> None:
    with client.responses.stream(model=MODEL, input=user(QUESTION), store=False) as events:
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        done = events.get_final_response()
    told.used(done.usage.input_tokens, done.usage.output_tokens)
    same((text, done.output_text), (ANSWER, ANSWER))


def tools() -> None:
    given = user(CALL)
    first = ask(given, tools=[TOOL])
    call = called(first)
    given += [*first.output, {"type": "function_call_output", "call_id": call.call_id, "output": WEATHER}]
    same(ask(given, tools=[TOOL]).output_text, ANSWER)
    with client.responses.stream(model=MODEL, input=user(CALL), tools=[TOOL], store=False) as events:
        called(events.get_final_response())


def schema() -> None:
    done = client.responses.parse(model=MODEL, input=user(QUESTION), text_format=Person, store=False)
    same(done.output_parsed, Person(**PERSON))


for step in (plain, stream, tools, schema):
    told.step(step.__name__, step)
told.end()
