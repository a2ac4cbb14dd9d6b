"""Signed requests: AWS's own signer, recomputing from what arrived, comes to the same signature."""

from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.unit.upstream.conftest import Peer

from bascule.config.secret import Secret
from bascule.ports import TransportError
from bascule.providers.registry import preset
from bascule.providers.request import request_target
from bascule.providers.signing import AwsKeys, SigV4

KEY_ID, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjEXAMPLE"
MODELS = [
    "us.anthropic.claude-sonnet-5-v1:0",
    "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2",
    "a model/with ü+~",
]


def keys(token: str | None = None) -> AwsKeys:
    return AwsKeys(
        access_key_id=Secret(KEY_ID.encode()),
        secret_access_key=Secret(SECRET.encode()),
        session_token=None if token is None else Secret(token.encode()),
    )


def target_of(model: str) -> str:
    spec = preset("bedrock")
    assert spec is not None
    return request_target(spec, "chat_stream", "", model)


class Arrived:
    """One request as the server got it."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode().rstrip("\r\n").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.headers = dict(line.split(": ", 1) for line in lines)
        self.body = body

    @property
    def signature(self) -> str:
        return self.headers["authorization"].rpartition("Signature=")[2]

    def expected(self, token: str | None, region: str = "eu-central-1") -> str:
        """What AWS would come to: its signer over the signed headers that arrived, at the time that they say."""
        signed = self.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        request = AWSRequest(
            method=self.method,
            url=f"http://{self.headers['host']}{self.target}",
            data=self.body,
            headers={name: self.headers[name] for name in signed if name != "host"},
        )
        request.context["timestamp"] = self.headers["x-amz-date"]
        signer = SigV4Auth(Credentials(KEY_ID, SECRET, token), "bedrock", region)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return str(signer.signature(text, request))


async def exchanged(serve, make_upstream, signing, target, body=b'{"messages": []}'):
    arrived: list[Arrived] = []

    async def handler(peer: Peer) -> None:
        while True:
            arrived.append(Arrived(*await peer.request()))
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    headers = ((b"content-type", b"application/json"), (b"x-proxied", b"1"))
    async with serve(handler) as server:
        upstream = make_upstream()
        for _ in range(2):
            reply = await upstream.send(server.call(body, target=target, headers=headers, signing=signing))
            assert await reply.read() == b"{}"
            reply.close()
    return arrived


@pytest.mark.parametrize("model", MODELS)
async def test_the_signature_is_the_one_that_aws_computes(serve, make_upstream, model):
    signing = SigV4(region="eu-central-1", keys=keys())
    for request in await exchanged(serve, make_upstream, signing, target_of(model)):
        assert request.signature == request.expected(None)
        assert f"Credential={KEY_ID}/" in request.headers["authorization"]
        assert "/eu-central-1/bedrock/aws4_request" in request.headers["authorization"]
        assert "x-amz-security-token" not in request.headers
        assert request.headers["x-proxied"] == "1"


async def test_a_session_token_is_sent_and_signed(serve, make_upstream):
    signing = SigV4(region="eu-central-1", keys=keys(TOKEN))
    request, _ = await exchanged(serve, make_upstream, signing, target_of("m"))
    assert request.headers["x-amz-security-token"] == TOKEN
    assert "x-amz-security-token" in request.headers["authorization"]
    assert request.signature == request.expected(TOKEN)


async def test_the_body_is_signed(serve, make_upstream):
    signing = SigV4(region="eu-central-1", keys=keys())
    request, _ = await exchanged(serve, make_upstream, signing, target_of("m"), b'{"a": "\xc3\xa4"}')
    good = request.expected(None)
    request.body += b" "
    assert request.expected(None) != good == request.signature


async def test_credentials_of_a_profile_are_found(serve, make_upstream, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    path: Path = tmp_path / "credentials"
    path.write_text(f"[work]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    for request in await exchanged(serve, make_upstream, SigV4(region="eu-central-1"), target_of("m")):
        assert request.signature == request.expected(None)


async def test_without_credentials_nothing_is_sent(serve, make_upstream, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(TransportError, match="AWS_ACCESS_KEY_ID") as raised:
        await exchanged(serve, make_upstream, SigV4(region="eu-central-1"), target_of("m"))
    assert (raised.value.error_class, raised.value.request_sent) == ("auth", False)


def test_a_signing_tells_no_secret():
    shown = repr(SigV4(region="eu-central-1", keys=keys(TOKEN)))
    assert not any(secret in shown for secret in (KEY_ID, SECRET, TOKEN))
