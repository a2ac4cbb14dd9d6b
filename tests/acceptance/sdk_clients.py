"""The official SDKs, synchronous and asynchronous, behind one way to call them: a test is written once, run twice."""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import anthropic
import openai

Mode = Literal["sync", "async"]


class OpenAIClient:
    """`chat`: a whole answer. `stream`: all chunks. Each returns what the SDK parsed, and the response's headers."""

    def __init__(self, url: str, mode: Mode, key: str = "any") -> None:
        self._options: dict[str, Any] = {"base_url": f"{url}/v1", "api_key": key, "max_retries": 0, "timeout": 30}
        self._mode = mode

    def chat(self, **request: Any) -> tuple[Any, Mapping[str, str]]:
        return self._raw("chat.completions", request)

    def parse(self, **request: Any) -> Any:
        """Structured output: the SDK makes the schema from a type and parses the answer into it."""
        if self._mode == "sync":
            with openai.OpenAI(**self._options) as client:
                return client.chat.completions.parse(**request)

        async def call() -> Any:
            async with openai.AsyncOpenAI(**self._options) as client:
                return await client.chat.completions.parse(**request)

        return asyncio.run(call())

    def embed(self, **request: Any) -> tuple[Any, Mapping[str, str]]:
        return self._raw("embeddings", request)

    def models(self) -> list[Any]:
        if self._mode == "sync":
            with openai.OpenAI(**self._options) as client:
                return list(client.models.list())

        async def call() -> list[Any]:
            async with openai.AsyncOpenAI(**self._options) as client:
                return [model async for model in client.models.list()]

        return asyncio.run(call())

    def stream(self, **request: Any) -> tuple[list[Any], Mapping[str, str]]:
        request["stream"] = True
        if self._mode == "sync":
            with openai.OpenAI(**self._options) as client:
                raw = client.chat.completions.with_raw_response.create(**request)
                with raw.parse() as stream:
                    return list(stream), raw.headers

        async def call() -> tuple[list[Any], Mapping[str, str]]:
            async with openai.AsyncOpenAI(**self._options) as client:
                raw = await client.chat.completions.with_raw_response.create(**request)
                async with raw.parse() as stream:
                    return [chunk async for chunk in stream], raw.headers

        return asyncio.run(call())

    def accumulate(self, **request: Any) -> Any:
        """The SDK's own accumulated completion of a stream."""
        if self._mode == "sync":
            with openai.OpenAI(**self._options) as client, client.chat.completions.stream(**request) as stream:
                return stream.get_final_completion()

        async def call() -> Any:
            async with (
                openai.AsyncOpenAI(**self._options) as client,
                client.chat.completions.stream(**request) as stream,
            ):
                return await stream.get_final_completion()

        return asyncio.run(call())

    def _raw(self, resource: str, request: dict[str, Any]) -> tuple[Any, Mapping[str, str]]:
        if self._mode == "sync":
            with openai.OpenAI(**self._options) as client:
                raw = _at(client, resource).with_raw_response.create(**request)
                return raw.parse(), raw.headers

        async def call() -> tuple[Any, Mapping[str, str]]:
            async with openai.AsyncOpenAI(**self._options) as client:
                raw = await _at(client, resource).with_raw_response.create(**request)
                return raw.parse(), raw.headers

        return asyncio.run(call())


class ResponsesClient:
    """`create`: a whole response. `stream`: all events, then the SDK's accumulated response. `parse`: by a type."""

    def __init__(self, url: str, mode: Mode, key: str = "any") -> None:
        self._options: dict[str, Any] = {"base_url": f"{url}/v1", "api_key": key, "max_retries": 0, "timeout": 30}
        self._mode = mode

    def create(self, **request: Any) -> tuple[Any, Mapping[str, str]]:
        if self._mode == "sync":
            with openai.OpenAI(**self._options) as client:
                raw = client.responses.with_raw_response.create(**request)
                return raw.parse(), raw.headers

        async def call() -> tuple[Any, Mapping[str, str]]:
            async with openai.AsyncOpenAI(**self._options) as client:
                raw = await client.responses.with_raw_response.create(**request)
                return raw.parse(), raw.headers

        return asyncio.run(call())

    def stream(self, **request: Any) -> tuple[list[Any], Any]:
        if self._mode == "sync":
            with openai.OpenAI(**self._options) as client, client.responses.stream(**request) as stream:
                return list(stream), stream.get_final_response()

        async def call() -> tuple[list[Any], Any]:
            async with (
                openai.AsyncOpenAI(**self._options) as client,
                client.responses.stream(**request) as stream,
            ):
                return [event async for event in stream], await stream.get_final_response()

        return asyncio.run(call())

    def parse(self, **request: Any) -> Any:
        if self._mode == "sync":
            with openai.OpenAI(**self._options) as client:
                return client.responses.parse(**request)

        async def call() -> Any:
            async with openai.AsyncOpenAI(**self._options) as client:
                return await client.responses.parse(**request)

        return asyncio.run(call())


class AnthropicClient:
    """`message`: a whole answer. `stream`: all events, then the SDK's accumulated message."""

    def __init__(self, url: str, mode: Mode, key: str = "any") -> None:
        self._options: dict[str, Any] = {"base_url": url, "api_key": key, "max_retries": 0, "timeout": 30}
        self._mode = mode

    def message(self, **request: Any) -> tuple[Any, Mapping[str, str]]:
        if self._mode == "sync":
            with anthropic.Anthropic(**self._options) as client:
                raw = client.messages.with_raw_response.create(**request)
                return raw.parse(), raw.headers

        async def call() -> tuple[Any, Mapping[str, str]]:
            async with anthropic.AsyncAnthropic(**self._options) as client:
                raw = await client.messages.with_raw_response.create(**request)
                return await _awaited(raw.parse()), raw.headers

        return asyncio.run(call())

    def stream(self, **request: Any) -> tuple[list[Any], Any, Mapping[str, str]]:
        if self._mode == "sync":
            with anthropic.Anthropic(**self._options) as client, client.messages.stream(**request) as stream:
                return list(stream), stream.get_final_message(), stream.response.headers

        async def call() -> tuple[list[Any], Any, Mapping[str, str]]:
            async with (
                anthropic.AsyncAnthropic(**self._options) as client,
                client.messages.stream(**request) as stream,
            ):
                events = [event async for event in stream]
                return events, await stream.get_final_message(), stream.response.headers

        return asyncio.run(call())

    def count(self, **request: Any) -> int:
        if self._mode == "sync":
            with anthropic.Anthropic(**self._options) as client:
                return client.messages.count_tokens(**request).input_tokens

        async def call() -> int:
            async with anthropic.AsyncAnthropic(**self._options) as client:
                return (await client.messages.count_tokens(**request)).input_tokens

        return asyncio.run(call())

    def models(self) -> list[Any]:
        if self._mode == "sync":
            with anthropic.Anthropic(**self._options) as client:
                return list(client.models.list())

        async def call() -> list[Any]:
            async with anthropic.AsyncAnthropic(**self._options) as client:
                return [model async for model in client.models.list()]

        return asyncio.run(call())


def _at(client: Any, resource: str) -> Any:
    for name in resource.split("."):
        client = getattr(client, name)
    return client


async def _awaited(value: Any) -> Any:
    return await value if asyncio.iscoroutine(value) else value
