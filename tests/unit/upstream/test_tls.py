"""TLS: trust, names, and the same behaviour as without."""

import asyncio

import pytest

from bascule.model.errors import ConfigError
from bascule.ports import TransportError
from bascule.upstream.tls import client_context


async def always(peer):
    while True:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


async def test_a_trusted_server_is_reached_and_its_connection_kept(serve, make_upstream, server_tls, client_tls):
    async with serve(always, ssl=server_tls) as server:
        upstream = make_upstream(tls=client_tls)
        for _ in range(3):
            assert await (await upstream.send(server.call(bytes(500_000)))).read() == b"ok"
        assert (server.accepted, upstream.idle) == (1, 1)
        upstream.close()
        await asyncio.sleep(0.05)


async def test_an_unknown_certificate_is_a_connect_error(serve, make_upstream, server_tls):
    async with serve(always, ssl=server_tls) as server:
        upstream = make_upstream(tls=client_context())
        with pytest.raises(TransportError, match="not trusted") as caught:
            await upstream.send(server.call())
        assert (caught.value.error_class, caught.value.request_sent) == ("connect", False)
        assert upstream.open_connections == 0


async def test_a_certificate_for_another_name_is_a_connect_error(serve, make_upstream, server_tls, client_tls):
    async with serve(always, ssl=server_tls) as server:
        upstream = make_upstream(tls=client_tls)
        with pytest.raises(TransportError, match="not trusted"):
            await upstream.send(server.call(origin=f"https://localhost:{server.port}"))


async def test_a_server_without_tls_is_a_connect_error(serve, make_upstream, client_tls):
    async with serve(lambda peer: peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        upstream = make_upstream(tls=client_tls)
        with pytest.raises(TransportError, match="TLS failed") as caught:
            await upstream.send(server.call(origin=f"https://127.0.0.1:{server.port}"))
        assert (caught.value.error_class, caught.value.request_sent) == ("connect", False)
        assert upstream.open_connections == 0


async def test_a_handshake_that_hangs_is_ended_by_the_connect_limit(serve, make_upstream, client_tls):
    async with serve(lambda peer: asyncio.sleep(5)) as server:
        upstream = make_upstream(tls=client_tls)
        with pytest.raises(TransportError) as caught:
            await upstream.send(server.call(origin=f"https://127.0.0.1:{server.port}", timeouts={"connect_s": 0.1}))
        assert (caught.value.error_class, caught.value.request_sent) == ("timeout_connect", False)
        assert upstream.open_connections == 0


async def test_a_stream_over_tls_is_held_back_too(serve, make_upstream, server_tls, client_tls):
    async def handler(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 40000000\r\n\r\n")
        for _ in range(40):
            await peer.say(bytes(1_000_000))

    async with serve(handler, ssl=server_tls) as server:
        upstream = make_upstream(tls=client_tls)
        reply = await upstream.send(server.call())
        await asyncio.sleep(0.2)
        assert reply._buffered < 1_000_000
        received = 0
        while chunk := await reply.read_chunk():
            received += len(chunk)
        assert received == 40_000_000
        upstream.close()
        await asyncio.sleep(0.05)


def test_a_ca_file_that_is_none_is_a_configuration_error(tmp_path):
    for path in (tmp_path / "missing.pem", tmp_path):
        with pytest.raises(ConfigError, match="CA file"):
            client_context(path)
    (tmp_path / "bad.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match="CA file"):
        client_context(tmp_path / "bad.pem")
