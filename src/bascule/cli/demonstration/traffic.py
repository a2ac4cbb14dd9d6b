"""The traffic, sent through the real SDKs of OpenAI and Anthropic."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anthropic
import openai
from msgspec import Struct

from bascule.cli.demonstration.scenario import Conversation, Sdk, Turn

TIMEOUT_S = 30.0
SDK_VERSIONS = {"openai": openai.__version__, "anthropic": anthropic.__version__}

_Messages = list[dict[str, Any]]
_NO_PROXY = {"all://127.0.0.1": None}
"""Loopback never goes through a proxy, whatever the environment says."""


class Sent(Struct, frozen=True, kw_only=True):
    """One request as the client saw it. `status` None: no answer, or a stream that broke off."""

    key: str
    sdk: Sdk
    status: int | None
    request_id: str | None = None
    error: str | None = None


class _Said(Struct, frozen=True):
    """An answer: what goes into the history, and the tools that it calls by id."""

    message: dict[str, Any]
    calls: tuple[str, ...] = ()


async def send(
    conversations: Sequence[Conversation],
    address: str,
    secrets: Mapping[str, str],
    *,
    concurrency: int,
    told: Callable[[Sent], None],
) -> None:
    """Hold all conversations, `concurrency` at a time; `told` hears of each request as it ends."""
    waiting = iter(conversations)
    async with (
        openai.DefaultAsyncHttpxClient(mounts=_NO_PROXY) as openai_connection,
        anthropic.DefaultAsyncHttpxClient(mounts=_NO_PROXY) as anthropic_connection,
    ):
        clients = _clients(address, secrets, openai_connection, anthropic_connection)

        async def hold() -> None:
            for conversation in waiting:
                await _hold(conversation, clients, told)

        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(hold())


class _Clients(Struct, frozen=True):
    """A client of each SDK for each key."""

    for_openai: dict[str, openai.AsyncOpenAI]
    for_anthropic: dict[str, anthropic.AsyncAnthropic]


def _clients(address: str, secrets: Mapping[str, str], openai_connection: Any, anthropic_connection: Any) -> _Clients:
    """They share connections, and do not retry: that is the gateway's work."""
    given: dict[str, Any] = {"max_retries": 0, "timeout": TIMEOUT_S}
    return _Clients(
        for_openai={
            key: openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=secret, http_client=openai_connection, **given)
            for key, secret in secrets.items()
        },
        for_anthropic={
            key: anthropic.AsyncAnthropic(base_url=address, api_key=secret, http_client=anthropic_connection, **given)
            for key, secret in secrets.items()
        },
    )


async def _hold(conversation: Conversation, clients: _Clients, told: Callable[[Sent], None]) -> None:
    history: _Messages = []
    for turn in conversation.turns:
        messages = [*history, {"role": "user", "content": turn.text}]
        messages = await _take_turn(conversation, turn, messages, clients, told)
        if conversation.remembers:
            history = messages


async def _take_turn(
    conversation: Conversation, turn: Turn, messages: _Messages, clients: _Clients, told: Callable[[Sent], None]
) -> _Messages:
    """Ask, give the tool's output where one was called, and return the history with all of it."""
    said = await _ask(conversation, messages, clients, told)
    if said is None:
        return messages[:-1]
    messages = [*messages, said.message]
    if not said.calls or turn.tool_output is None:
        return messages
    results = [{"type": "tool_result", "tool_use_id": call, "content": turn.tool_output} for call in said.calls]
    messages = [*messages, {"role": "user", "content": results}]
    said = await _ask(conversation, messages, clients, told)
    return messages[:-2] if said is None else [*messages, said.message]


async def _ask(
    conversation: Conversation, messages: _Messages, clients: _Clients, told: Callable[[Sent], None]
) -> _Said | None:
    """One request; None where it was refused."""
    key, sdk = conversation.key, conversation.sdk
    try:
        if sdk == "openai":
            said = await _ask_openai(clients.for_openai[key], conversation, messages)
        else:
            said = await _ask_anthropic(clients.for_anthropic[key], conversation, messages)
    except (openai.APIStatusError, anthropic.APIStatusError) as error:
        request_id = error.response.headers.get("x-bascule-request-id")
        told(Sent(key=key, sdk=sdk, status=error.status_code, request_id=request_id, error=error.message))
        return None
    except (openai.APIError, anthropic.APIError) as error:
        told(Sent(key=key, sdk=sdk, status=None, error=f"{type(error).__name__}: {error}"))
        return None
    told(Sent(key=key, sdk=sdk, status=200))
    return said


async def _ask_openai(client: openai.AsyncOpenAI, conversation: Conversation, messages: _Messages) -> _Said:
    create: Any = client.chat.completions.create
    given = _given(conversation)
    if conversation.system is not None:
        messages = [{"role": "system", "content": conversation.system}, *messages]
    if not conversation.stream:
        answer = await create(messages=messages, **given)
        return _Said({"role": "assistant", "content": answer.choices[0].message.content})
    text = ""
    async for chunk in await create(messages=messages, stream=True, **given):
        if chunk.choices and chunk.choices[0].delta.content:
            text += chunk.choices[0].delta.content
    return _Said({"role": "assistant", "content": text})


async def _ask_anthropic(client: anthropic.AsyncAnthropic, conversation: Conversation, messages: _Messages) -> _Said:
    given = _given(conversation)
    if conversation.system is not None:
        given["system"] = conversation.system
    if conversation.tools:
        given["tools"] = conversation.tools
    if conversation.stream:
        stream: Any = client.messages.stream
        async with stream(messages=messages, **given) as events:
            answer = await events.get_final_message()
    else:
        create: Any = client.messages.create
        answer = await create(messages=messages, **given)
    blocks = [block.model_dump(exclude_none=True) for block in answer.content]
    return _Said(
        {"role": "assistant", "content": blocks},
        tuple([block["id"] for block in blocks if block["type"] == "tool_use"]),
    )


def _given(conversation: Conversation) -> dict[str, Any]:
    given: dict[str, Any] = {"model": conversation.model, "extra_headers": conversation.headers}
    if conversation.max_tokens is not None:
        given["max_tokens"] = conversation.max_tokens
    if conversation.temperature is not None:
        given["temperature"] = conversation.temperature
    return given
