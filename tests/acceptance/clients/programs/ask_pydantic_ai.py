"""pydantic-ai: agents with a tool and with structured output, over each of its models."""

from typing import Any

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from told import ANSWER, CALL, CITY, KEY, MODEL, PERSON, PERSON_CALL, QUESTION, SURFACE, URL, WEATHER, Told, same

told = Told()


def chosen() -> Any:
    if SURFACE in ("openai_chat", "openai_responses"):
        from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
        from pydantic_ai.providers.openai import OpenAIProvider

        kind = OpenAIChatModel if SURFACE == "openai_chat" else OpenAIResponsesModel
        return kind(MODEL, provider=OpenAIProvider(base_url=f"{URL}/v1", api_key=KEY))
    if SURFACE == "anthropic_messages":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicModel(MODEL, provider=AnthropicProvider(base_url=URL, api_key=KEY))
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return GoogleModel(MODEL, provider=GoogleProvider(base_url=URL, api_key=KEY))


class Person(BaseModel):
    name: str
    age: int


model = chosen()


def weather(city: str) -> str:
    """The weather in a city."""
    same(city, CITY)
    return WEATHER


def plain() -> None:
    done = Agent(model, instructions="Be brief.").run_sync(QUESTION)
    told.used(done.usage.input_tokens, done.usage.output_tokens)
    same(done.output, ANSWER)


def stream() -> None:
    done = Agent(model).run_stream_sync(QUESTION)
    text = list(done.stream_text())[-1]
    same(text, ANSWER)
    told.used(done.usage.input_tokens, done.usage.output_tokens)


def tools() -> None:
    agent = Agent(model, tools=[weather])
    same(agent.run_sync(CALL).output, ANSWER)
    same(list(agent.run_stream_sync(CALL).stream_text())[-1], ANSWER)


def schema() -> None:
    """By the tool `final_result`; and by a schema, which pydantic-ai sends to Anthropic's known models alone."""
    prompt = PERSON_CALL.replace("Person", "final_result")
    same(Agent(model, output_type=Person).run_sync(prompt).output, Person(**PERSON))
    if SURFACE != "anthropic_messages":
        same(Agent(model, output_type=NativeOutput(Person)).run_sync(QUESTION).output, Person(**PERSON))


for step in (plain, stream, tools, schema):
    told.step(step.__name__, step)
told.end()
