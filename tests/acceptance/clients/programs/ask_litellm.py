"""LiteLLM as a client: its own translation from OpenAI's words to each vendor's dialect, pointed here."""

import json
import os
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it fetches a list of prices before anything else

import litellm
from pydantic import BaseModel
from told import ANSWER, CALL, CITY, KEY, MODEL, PERSON, PERSON_CALL, QUESTION, SURFACE, URL, WEATHER, Told, same

told = Told()
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "The weather in a city", "parameters": PARAMETERS},
}
WHERE: dict[str, tuple[str, str]] = {
    "openai_chat": (f"openai/{MODEL}", f"{URL}/v1"),
    "openai_responses": (f"openai/{MODEL}", f"{URL}/v1"),
    "anthropic_messages": (f"anthropic/{MODEL}", URL),
    "gemini": (f"gemini/{MODEL}", f"{URL}/v1beta"),
}
NAME, BASE = WHERE[SURFACE]
OPTIONS: dict[str, Any] = {"api_base": BASE, "api_key": KEY, "num_retries": 0, "timeout": 30}


class Person(BaseModel):
    name: str
    age: int


def ask(messages: list[Any], **more: Any) -> Any:
    return litellm.completion(model=NAME, messages=messages, **OPTIONS, **more)


def used(done: Any) -> Any:
    told.used(done.usage.prompt_tokens, done.usage.completion_tokens)
    return done.choices[0].message


def called(message: Any) -> Any:
    (call,) = message.tool_calls
    same((call.function.name, json.loads(call.function.arguments)), ("weather", {"city": CITY}))
    return call


def user(text: str) -> list[Any]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]


def plain() -> None:
    same(used(ask(user(QUESTION))).content, ANSWER)


def stream() -> None:
    chunks = list(ask(user(QUESTION), stream=True, stream_options={"include_usage": True}))
    same(used(litellm.stream_chunk_builder(chunks)).content, ANSWER)


def tools() -> None:
    messages = user(CALL)
    message = used(ask(messages, tools=[TOOL]))
    call = called(message)
    messages += [message.model_dump(), {"role": "tool", "tool_call_id": call.id, "content": WEATHER}]
    same(used(ask(messages, tools=[TOOL])).content, ANSWER)
    chunks = list(ask(user(CALL), tools=[TOOL], stream=True))
    called(litellm.stream_chunk_builder(chunks).choices[0].message)


def schema() -> None:
    """For Anthropic's models that it does not know it forces a tool of its own."""
    prompt = PERSON_CALL.replace("Person", "json_tool_call")
    message = ask(user(prompt), response_format=Person).choices[0].message
    same(Person.model_validate_json(message.content), Person(**PERSON))


def respond(given: Any, **more: Any) -> Any:
    return litellm.responses(model=NAME, input=given, store=False, **OPTIONS, **more)


def text_of(done: Any) -> str:
    told.used(done.usage.input_tokens, done.usage.output_tokens)
    return "".join(part.text for item in done.output if item.type == "message" for part in item.content)


def plain_response() -> None:
    same(text_of(respond(QUESTION)), ANSWER)


def stream_response() -> None:
    events = list(respond(QUESTION, stream=True))
    same("".join(event.delta for event in events if event.type == "response.output_text.delta"), ANSWER)


def tools_response() -> None:
    flat = {"type": "function", **TOOL["function"]}  # type: ignore[dict-item]
    given: list[Any] = [{"role": "user", "content": CALL}]
    first = respond(given, tools=[flat])
    (call,) = [item for item in first.output if item.type == "function_call"]
    same((call.name, json.loads(call.arguments)), ("weather", {"city": CITY}))
    echo = {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
    given += [echo, {"type": "function_call_output", "call_id": call.call_id, "output": WEATHER}]
    same(text_of(respond(given, tools=[flat])), ANSWER)


if SURFACE == "openai_responses":
    steps = {"plain": plain_response, "stream": stream_response, "tools": tools_response}
else:
    steps = {"plain": plain, "stream": stream, "tools": tools}
    if SURFACE != "gemini":  # for Google's models that it does not know it writes the schema into the prompt
        steps["schema"] = schema
for name, step in steps.items():
    told.step(name, step)
told.end()
