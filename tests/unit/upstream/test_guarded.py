"""The guarded connector reaches the address that it judged, under the name that it was given, and reads one line."""

import asyncio
import ssl

import pytest

from bascule.decide.addresses import as_network
from bascule.model.receiver import Receiver
from bascule.ports import NotDelivered
from bascule.upstream.guarded import MAX_ADDRESSES, GuardedConnector

LOOPBACK = (as_network("127.0.0.0/8"),)


def receiver(port: int, host: str = "models.example", *, secure: bool = False, allowed=LOOPBACK) -> Receiver:
    return Receiver(
        host=host, port=port, secure=secure, target="/hook?t=1", authority=f"{host}:{port}", allowed=allowed
    )


def connector(*addresses: str, tls: ssl.SSLContext | None = None, timeout_s: float = 2.0) -> GuardedConnector:
    async def resolve(host: str, port: int):
        return addresses

    return GuardedConnector(timeout_s=timeout_s, tls=tls, resolve=resolve)


async def no_content(peer):
    peer.head, peer.body = await peer.request()
    seen.append((peer.head, peer.body))
    await peer.say(b"HTTP/1.1 204 No Content\r\n\r\n")


seen: list[tuple[bytes, bytes]] = []


@pytest.fixture(autouse=True)
def forget():
    seen.clear()


async def test_the_name_stays_in_host_header_and_certificate(serve, server_tls, client_tls):
    async with serve(no_content, ssl=server_tls) as server:
        status = await connector("127.0.0.1", tls=client_tls).post(
            receiver(server.port, secure=True), [(b"webhook-id", b"m1")], b'{"a": 1}'
        )
    assert status == 204
    ((head, body),) = seen
    assert head.startswith(b"POST /hook?t=1 HTTP/1.1\r\nhost: models.example:")
    assert b"\r\nwebhook-id: m1\r\n" in head
    assert body == b'{"a": 1}'


async def test_a_certificate_for_another_name_is_refused(serve, server_tls, client_tls):
    async with serve(no_content, ssl=server_tls) as server:
        with pytest.raises(NotDelivered, match="TLS failed"):
            await connector("127.0.0.1", tls=client_tls).post(
                receiver(server.port, "elsewhere.example", secure=True), [], b""
            )
    assert seen == []


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("8.8.8.8", "127.0.0.1"),
        ("::ffff:127.0.0.1",),
        ("64:ff9b::7f00:1",),
        ("10.0.0.1",),
        ("fe80::1%1",),
    ],
)
async def test_one_address_inside_condemns_all(serve, addresses):
    async with serve(no_content) as server:
        with pytest.raises(NotDelivered, match="which is inside") as caught:
            await connector(*addresses).post(receiver(server.port, secure=True, allowed=()), [], b"")
        assert caught.value.forbidden
        assert server.accepted == 0


async def test_plain_http_goes_to_a_named_network_only(serve):
    async with serve(no_content) as server:
        assert await connector("127.0.0.1").post(receiver(server.port), [], b"") == 204
        with pytest.raises(NotDelivered, match="must be https"):
            await connector("8.8.8.8").post(receiver(server.port), [], b"")


async def test_the_next_address_is_tried_where_one_refuses(serve):
    async with serve(no_content) as server:
        status = await connector("127.0.0.9", "127.0.0.1").post(receiver(server.port), [], b"")
    assert (status, len(seen)) == (204, 1)


@pytest.mark.parametrize(
    "answer", [b"", b"\r\n", b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 abc\r\n", b"x" * 100_000, b"HTTP/1.1 2000 OK\r\n"]
)
async def test_what_is_no_http_is_not_delivered(serve, answer):
    async def odd(peer):
        await peer.request()
        await peer.say(answer)

    async with serve(odd) as server:
        with pytest.raises(NotDelivered):
            await connector("127.0.0.1").post(receiver(server.port), [], b"")


async def test_an_endless_answer_is_not_read(serve):
    async def endless(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n")
        while True:
            await peer.say(b"secret " * 10_000)

    async with serve(endless) as server:
        assert await connector("127.0.0.1").post(receiver(server.port), [], b"") == 200


async def test_silence_ends(serve):
    async def silent(peer):
        await asyncio.sleep(60)

    async with serve(silent) as server:
        with pytest.raises(NotDelivered, match=r"no answer within 0\.1 s"):
            await connector("127.0.0.1", timeout_s=0.1).post(receiver(server.port), [], b"")


async def test_names_that_lead_nowhere_or_everywhere(serve):
    async def unknown(host: str, port: int):
        raise OSError("no such name")

    with pytest.raises(NotDelivered, match="cannot be resolved"):
        await GuardedConnector(timeout_s=1, resolve=unknown).post(receiver(9), [], b"")
    for addresses in ((), ("8.8.8.8",) * (MAX_ADDRESSES + 1)):
        with pytest.raises(NotDelivered, match="addresses"):
            await connector(*addresses).post(receiver(9), [], b"")
