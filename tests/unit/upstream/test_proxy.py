"""Who goes through which proxy, and the way through it."""

import asyncio

import pytest

from bascule.model.errors import ConfigError
from bascule.ports import TransportError, UpstreamCall
from bascule.upstream.proxy import Proxy, ProxySettings, parse_proxy, proxy_settings
from bascule.upstream.request import parse_origin


def origin(text: str):
    return parse_origin(text)


def test_settings_come_from_the_environment_lower_case_first():
    settings = proxy_settings(
        {
            "HTTP_PROXY": "http://upper:1",
            "http_proxy": "http://lower:1",
            "HTTPS_PROXY": "https://user:p%40ss@proxy.example",
            "NO_PROXY": "a.example, .b.example,10.0.0.0/8,c.example:8443",
        }
    )
    assert settings.http == Proxy(False, "lower", 1)
    assert settings.https == Proxy(True, "proxy.example", 443, b"Basic dXNlcjpwQHNz")
    assert "dXNl" not in repr(settings)


@pytest.mark.parametrize(
    ("target", "goes"),
    [
        ("https://api.example", True),
        ("https://a.example", False),
        ("https://x.a.example", False),
        ("https://nota.example", True),
        ("https://b.example", False),
        ("https://x.b.example", False),
        ("https://c.example", True),
        ("https://c.example:8443", False),
        ("https://10.1.2.3", False),
        ("https://11.1.2.3", True),
        ("https://localhost", False),
        ("https://127.0.0.1:9", False),
        ("https://[::1]:9", False),
        ("http://api.example", False),
    ],
)
def test_who_goes_without(target, goes):
    settings = proxy_settings({"HTTPS_PROXY": "p:1", "NO_PROXY": "a.example, .b.example,10.0.0.0/8,c.example:8443"})
    assert (settings.for_origin(origin(target)) is not None) is goes


def test_a_star_means_nobody():
    assert proxy_settings({"HTTPS_PROXY": "p:1", "NO_PROXY": "*"}).for_origin(origin("https://x.example")) is None


@pytest.mark.parametrize("url", ["socks5://u:secret@x:1", "http://", "http://u:secret@x:99999", "http://u:secret@"])
def test_what_is_no_proxy_is_a_configuration_error_without_its_secret(url):
    with pytest.raises(ConfigError) as caught:
        parse_proxy(url, "HTTPS_PROXY")
    assert "HTTPS_PROXY" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_plain_http_goes_to_the_proxy_in_absolute_form(serve, make_upstream):
    heads = []

    async def handler(peer):
        while True:
            heads.append((await peer.request())[0])
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    async with serve(handler) as server:
        proxy = parse_proxy(f"http://user:pass@127.0.0.1:{server.port}", "test")
        upstream = make_upstream(proxies=ProxySettings(http=proxy))
        call = UpstreamCall(origin="http://models.example:81", method="POST", target="/v1", headers=(), body=b"{}")
        for _ in range(2):
            assert await (await upstream.send(call)).read() == b"ok"
        assert server.accepted == 1
    assert heads[0].startswith(b"POST http://models.example:81/v1 HTTP/1.1\r\nhost: models.example:81\r\n")
    assert b"\r\nproxy-authorization: Basic dXNlcjpwYXNz\r\n" in heads[0]


class ConnectProxy:
    """A tiny CONNECT proxy that goes to a fixed port whatever name is asked for."""

    def __init__(self, port: int, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
        self.port = port
        self.answer = answer
        self.heads: list[bytes] = []

    async def __call__(self, peer):
        self.heads.append(await peer.reader.readuntil(b"\r\n\r\n"))
        await peer.say(self.answer)
        if not self.answer.startswith(b"HTTP/1.1 200"):
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        await asyncio.gather(pump(peer.reader, writer), pump(reader, peer.writer))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        return
    finally:
        writer.close()


async def always(peer):
    while True:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


@pytest.mark.parametrize("secure_proxy", [False, True])
async def test_https_goes_through_a_tunnel_with_its_own_tls(serve, make_upstream, server_tls, client_tls, secure_proxy):
    async with serve(always, ssl=server_tls) as server:
        proxy_handler = ConnectProxy(server.port)
        options = {"ssl": server_tls} if secure_proxy else {}
        async with serve(proxy_handler, **options) as proxy:
            scheme = "https" if secure_proxy else "http"
            told = parse_proxy(f"{scheme}://u:p@127.0.0.1:{proxy.port}", "test")
            upstream = make_upstream(tls=client_tls, proxies=ProxySettings(https=told))
            call = UpstreamCall(origin="https://models.example", method="POST", target="/", headers=(), body=b"{}")
            for _ in range(2):
                assert await (await upstream.send(call)).read() == b"ok"
            assert (proxy.accepted, server.accepted) == (1, 1)
            upstream.close()
    assert proxy_handler.heads == [
        b"CONNECT models.example:443 HTTP/1.1\r\nhost: models.example:443\r\nproxy-authorization: Basic dTpw\r\n\r\n"
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", "407"),
        (b"nonsense\r\n\r\n", "not HTTP"),
        (b"", "closed the connection"),
        (b"x" * 20_000, "not HTTP"),
    ],
)
async def test_a_refusing_proxy_is_a_connect_error(serve, make_upstream, client_tls, answer, said):
    async with serve(ConnectProxy(0, answer)) as proxy:
        upstream = make_upstream(
            tls=client_tls, proxies=ProxySettings(https=parse_proxy(f"http://u:hidden@127.0.0.1:{proxy.port}", "test"))
        )
        call = UpstreamCall(origin="https://models.example", method="GET", target="/", headers=(), body=b"")
        with pytest.raises(TransportError, match=said) as caught:
            await upstream.send(call)
        assert (caught.value.error_class, caught.value.request_sent) == ("connect", False)
        assert "hidden" not in str(caught.value)
        assert upstream.open_connections == 0
