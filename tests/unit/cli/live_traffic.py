"""Requests as clients send them, through a gateway of the data directory that commands look at afterwards."""

import asyncio
import os
from pathlib import Path
from typing import Any

import orjson

from bascule.cli.certifying import Collected
from bascule.compose import Gateway, key_ring, open_store, read_document, snapshot_of
from bascule.gateway.exchange import Incoming
from bascule.model.headers import Headers

KEY = "a-key-of-thirty-two-characters-00"


def body_of(surface: str, prompt: str) -> dict[str, Any]:
    """In the words of a client of that dialect."""
    message = {"role": "user", "content": prompt}
    bodies: dict[str, dict[str, Any]] = {
        "openai_chat": {"messages": [message], "max_tokens": 100},
        "anthropic_messages": {"messages": [message], "max_tokens": 100},
        "openai_responses": {"input": prompt, "max_output_tokens": 100},
        "gemini": {"contents": [{"role": "user", "parts": [{"text": prompt}]}]},
    }
    return bodies[surface]


def traffic(prompts: list[str], surface: Any = "openai_chat", model: str = "big", **more: Any) -> None:
    """Every other one is streamed."""
    document = read_document(None, os.environ)
    snapshot = snapshot_of(document, os.environ, stored_keys=True)
    store = open_store(Path("data"), document.config)
    gateway = Gateway(snapshot, store, key_ring(store, snapshot))
    gateway.open()

    async def ask() -> None:
        for number, prompt in enumerate(prompts):
            stream = number % 2 == 1
            body = body_of(surface, prompt) | more
            if surface != "gemini":
                body |= {"model": model, "stream": stream}
            incoming = Incoming(
                surface=surface,
                headers=Headers([(b"x-bascule-task", b"chat"), (b"anthropic-version", b"2023-06-01")]),
                body=orjson.dumps(body),
                secret=KEY.encode(),
                model=model if surface == "gemini" else None,
                stream=stream if surface == "gemini" else None,
                query="alt=sse" if surface == "gemini" else "",
            )
            exchange = Collected(incoming)
            await gateway.engine.handle(exchange)
            assert exchange.status == 200, exchange.body
        gateway.outbox.flush()
        gateway.upstream.close()
        await asyncio.sleep(0)

    try:
        asyncio.run(ask())
    finally:
        gateway.close()
