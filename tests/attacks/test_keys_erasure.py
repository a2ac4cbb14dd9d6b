"""What was erased is looked for on the disk, while other workers still had it to write, and after all have ended."""

import asyncio
from pathlib import Path

import pytest
from tests.acceptance.conftest import MakeGateway, make_gateway, provider  # noqa: F401
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.wire import post, raw

from bascule.testing.script import Script

KEY, ADMIN = "bk-member-0123456789abcdef", "bk-admin-0123456789abcdef"
ASKED, ANSWERED = "the-canary-that-was-asked", "the-canary-that-was-answered"
CALLS = 16

pytestmark = pytest.mark.real


def remains(gateway: Gateway) -> list[Path]:
    files = [path for path in gateway.folder.rglob("*") if path.is_file() and path != gateway.file]
    return [path for path in files if any(word.encode() in path.read_bytes() for word in (ASKED, ANSWERED))]


async def ask(gateway: Gateway, number: int) -> None:
    """Each has a connection of its own, so that all workers get some."""
    body = {"model": "oai", "max_tokens": 50, "messages": [{"role": "user", "content": f"{ASKED} {number}"}]}
    seen = await post(
        gateway.url,
        "/v1/chat/completions",
        body,
        {"authorization": f"Bearer {KEY}", "idempotency-key": f"once-{number}"},
    )
    assert seen.status == 200, seen.body


def test_no_worker_writes_what_another_has_erased(make_gateway: MakeGateway, provider: Provider) -> None:  # noqa: F811
    provider.use(Script(text=ANSWERED))
    gateway = make_gateway(
        {"MEMBER": KEY, "ADMIN": ADMIN},
        keys={"member": {"secret": "env:MEMBER", "user": "ann"}},
        admin={"secret": "env:ADMIN"},
        privacy={"record_content": "full", "encryption": "off"},
        server={"workers": 2},
    ).start()

    async def attack() -> None:
        await ask(gateway, 0)
        await asyncio.sleep(0.5)
        assert remains(gateway), "nothing is recorded, so nothing is proved"
        await asyncio.gather(*[ask(gateway, number) for number in range(1, CALLS)])
        erase = "DELETE /bascule/api/content?user=ann HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
        seen = await raw(gateway.url, f"{erase}authorization: Bearer {ADMIN}\r\n\r\n".encode())
        assert seen.status == 200, seen.body

    asyncio.run(attack())
    assert gateway.stop() == 0, gateway.output()
    assert remains(gateway) == []
