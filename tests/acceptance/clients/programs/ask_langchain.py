"""LangChain's chat models of three vendors, and an agent's tool loop by hand."""

from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel
from told import ANSWER, CALL, CITY, KEY, MODEL, PERSON, QUESTION, SURFACE, URL, WEATHER, Told, same

told = Told()


def chat() -> Any:
    if SURFACE in ("openai_chat", "openai_responses"):
        from langchain_openai import ChatOpenAI

        responses = SURFACE == "openai_responses"
        more: dict[str, Any] = {"use_responses_api": True, "store": False} if responses else {"stream_usage": True}
        return ChatOpenAI(model=MODEL, base_url=f"{URL}/v1", api_key=KEY, max_retries=0, **more)
    if SURFACE == "anthropic_messages":
        from langchain_anthropic import ChatAnthropic

        return ChatAnthropic(model=MODEL, base_url=URL, api_key=KEY, max_retries=0, max_tokens=500)
    from langchain_google_genai import ChatGoogleGenerativeAI

    return ChatGoogleGenerativeAI(model=MODEL, base_url=URL, google_api_key=KEY, max_retries=1)


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    same(city, CITY)
    return WEATHER


model = chat()
ASKED = [SystemMessage("Be brief."), HumanMessage(QUESTION)]


def used(message: Any) -> None:
    told.used(message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"])


def plain() -> None:
    done = model.invoke(ASKED)
    used(done)
    same(done.text, ANSWER)


def stream() -> None:
    whole: Any = None
    for chunk in model.stream(ASKED):
        whole = chunk if whole is None else whole + chunk
    used(whole)
    same(whole.text, ANSWER)


def tools() -> None:
    bound = model.bind_tools([weather])
    messages: list[Any] = [HumanMessage(CALL)]
    first = bound.invoke(messages)
    used(first)
    (call,) = first.tool_calls
    same((call["name"], call["args"]), ("weather", {"city": CITY}))
    result = weather.invoke(call)
    assert isinstance(result, ToolMessage)
    messages += [first, result]
    done = bound.invoke(messages)
    used(done)
    same(done.text, ANSWER)
    whole: Any = None
    for chunk in bound.stream([HumanMessage(CALL)]):
        whole = chunk if whole is None else whole + chunk
    same([(call["name"], call["args"]) for call in whole.tool_calls], [("weather", {"city": CITY})])


def schema() -> None:
    structured = model.with_structured_output(Person, method="json_schema")
    same(structured.invoke(QUESTION), Person(**PERSON))


for step in (plain, stream, tools, schema):
    told.step(step.__name__, step)
told.end()
