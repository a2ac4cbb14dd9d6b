"""A whole gateway over real connections whose ledger lines are written at the end of each round."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bascule.compose import Gateway, data_dir_of, key_ring, open_store, snapshot_of
from bascule.config.load import load_text
from bascule.gateway.exchange import Incoming
from bascule.model.entry import Decision, Intent, Settlement, decision_of
from bascule.model.headers import Headers
from bascule.storage.journal.read import Reading, read_chain
from bascule.storage.journal.segments import segments_by_chain
from bascule.testing.exchange import ListExchange

CONFIG = """
data_dir: {folder}
providers:
  local: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
models:
  small: {{endpoints: [{{provider: local, model: up}}], price: {{input: 1, output: 2}}}}
budgets:
  - {{scope: "project:*", limit_usd: 1, window: total}}
  - {{scope: "user:*", limit_usd: 1, window: total}}
"""
ANSWER = {
    "id": "x",
    "model": "up",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}


class Provider:
    """Counts what it answers."""

    def __init__(self) -> None:
        self.asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = json.dumps(ANSWER).encode()
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().split(b"content-length:")[1].split(b"\r\n")[0]
                await reader.readexactly(int(length))
                self.asked += 1
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[tuple[Gateway, Provider]]:
    provider = Provider()
    listener = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    document = load_text(CONFIG.format(folder=tmp_path / "data", port=port))
    snapshot = snapshot_of(document, {}, stored_keys=False)
    store = open_store(data_dir_of(document), document.config)
    gateway = Gateway(snapshot, store, key_ring(store, snapshot))
    gateway.open()
    yield gateway, provider
    gateway.close()
    listener.close()
    await asyncio.sleep(0.01)  # the connections see that they are over


def ask() -> ListExchange:
    body = {"model": "small", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 5, "user": "ann"}
    return ListExchange(
        Incoming(surface="openai_chat", headers=Headers([]), body=json.dumps(body).encode(), secret=b"any")
    )


async def all_of(gateway: Gateway, number: int) -> list[ListExchange]:
    exchanges = [ask() for _ in range(number)]
    await asyncio.gather(*[gateway.engine.handle(exchange) for exchange in exchanges])
    return exchanges


def journalled(gateway: Gateway) -> list[Any]:
    gateway.outbox.flush()
    directory, chain = gateway.journal.directory, gateway.journal.chain_id
    return [line.line for line in read_chain(chain, segments_by_chain(directory)[chain], Reading())]


async def test_requests_of_one_round_share_their_writes(
    world: tuple[Gateway, Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, provider = world
    await all_of(gateway, 8)  # opens the connections
    writes: list[bytes] = []
    real = os.write

    def write(fd: int, data: bytes) -> int:
        writes.append(data)
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    exchanges = await all_of(gateway, 8)
    lines = journalled(gateway)
    assert [exchange.status for exchange in exchanges] == [200] * 8
    assert provider.asked == 16
    assert writes[0].count(b'"type":"intent"') == 8
    assert len(lines) == 16 * 2
    assert all(isinstance(decision_of(line), Decision) for line in lines if isinstance(line, Intent))
    for kind in (Intent, Settlement):
        assert len([line for line in lines if isinstance(line, kind)]) == 16
    assert gateway.authority.open_holds == 0


@pytest.mark.parametrize("pooled", [False, True])
async def test_a_full_disk_refuses_and_asks_nobody(
    world: tuple[Gateway, Provider], monkeypatch: pytest.MonkeyPatch, pooled: bool
) -> None:
    gateway, provider = world
    if pooled:
        await all_of(gateway, 4)
    asked = provider.asked

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        exchanges = await all_of(gateway, 4)
    assert [exchange.status for exchange in exchanges] == [503] * 4
    assert "ledger" in exchanges[0].error["message"]
    assert provider.asked == asked
    assert gateway.authority.open_holds == 0
    (after,) = await all_of(gateway, 1)
    assert after.status == 200
    lines = journalled(gateway)
    assert len([line for line in lines if isinstance(line, Intent)]) == asked + 1
    assert len([line for line in lines if isinstance(line, Settlement)]) == asked + 1
    spent = sum(line.cost_nanousd or 0 for line in lines if isinstance(line, Settlement))
    assert sum(state.settled_nanousd for state in gateway.authority.states(gateway.clock.now_ms())) == spent
