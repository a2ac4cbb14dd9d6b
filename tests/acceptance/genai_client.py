"""Google's official SDK, synchronous and asynchronous, behind one way to call it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from google import genai
from google.genai import types
from tests.acceptance.sdk_clients import Mode


class GenaiClient:
    """`generate`: a whole answer. `stream`: the responses of all events. `converse`: a chat that calls functions by
    itself."""

    def __init__(self, url: str, mode: Mode, key: str = "any") -> None:
        self._options: dict[str, Any] = {
            "api_key": key,
            "http_options": types.HttpOptions(base_url=url, timeout=30_000),
        }
        self._mode = mode

    def generate(self, **request: Any) -> tuple[types.GenerateContentResponse, Mapping[str, str]]:
        answer = self._call("generate_content", request)
        return answer, answer.sdk_http_response.headers

    def stream(self, **request: Any) -> list[types.GenerateContentResponse]:
        if self._mode == "sync":
            with genai.Client(**self._options) as client:
                return list(client.models.generate_content_stream(**request))

        async def call() -> list[types.GenerateContentResponse]:
            async with genai.Client(**self._options).aio as client:
                return [event async for event in await client.models.generate_content_stream(**request)]

        return asyncio.run(call())

    def converse(
        self, model: str, functions: list[Callable[..., Any]], *said: str, streamed: bool = False
    ) -> list[str]:
        """What the model said to each of `said`, after the functions that it called."""
        config = types.GenerateContentConfig(tools=functions)
        if self._mode == "sync":
            with genai.Client(**self._options) as client:
                chat = client.chats.create(model=model, config=config)
                if streamed:
                    return ["".join(event.text or "" for event in chat.send_message_stream(text)) for text in said]
                return [chat.send_message(text).text or "" for text in said]

        async def call() -> list[str]:
            async with genai.Client(**self._options).aio as client:
                chat = client.chats.create(model=model, config=config)
                answers: list[str] = []
                for text in said:
                    if streamed:
                        events = [event async for event in await chat.send_message_stream(text)]
                        answers.append("".join(event.text or "" for event in events))
                    else:
                        answers.append((await chat.send_message(text)).text or "")
                return answers

        return asyncio.run(call())

    def count(self, **request: Any) -> int:
        return int(self._call("count_tokens", request).total_tokens)

    def embed(self, **request: Any) -> types.EmbedContentResponse:
        found: types.EmbedContentResponse = self._call("embed_content", request)
        return found

    def models(self) -> list[types.Model]:
        if self._mode == "sync":
            with genai.Client(**self._options) as client:
                return list(client.models.list())

        async def call() -> list[types.Model]:
            async with genai.Client(**self._options).aio as client:
                return [model async for model in await client.models.list()]

        return asyncio.run(call())

    def _call(self, method: str, request: dict[str, Any]) -> Any:
        if self._mode == "sync":
            with genai.Client(**self._options) as client:
                return getattr(client.models, method)(**request)

        async def call() -> Any:
            async with genai.Client(**self._options).aio as client:
                return await getattr(client.models, method)(**request)

        return asyncio.run(call())
