"""Refusals in each dialect's words, and providers' errors in classes."""

import json
from typing import Any, get_args

import httpx2
import openai
import pytest
from anthropic import Anthropic
from anthropic import APIStatusError as AnthropicError

from bascule.dialects.classify import ErrorWords, bounded, fault_inside_200, read_retry_after
from bascule.dialects.registry import codec, dialect
from bascule.model.errors import STATUS_OF, Refusal, RefusalKind

KINDS: list[RefusalKind] = list(get_args(RefusalKind))


def body(name: str, refusal: Refusal) -> tuple[int, dict[str, Any]]:
    status, raw = dialect(name).error(refusal, "req_1")
    return status, json.loads(raw)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name",
    ["openai_chat", "openai_responses", "anthropic_messages", "openai_embeddings", "anthropic_count_tokens"],
)
def test_every_kind_has_words_and_its_status(name: str, kind: RefusalKind) -> None:
    status, error = body(name, Refusal(kind=kind, message="why"))
    assert status == STATUS_OF[kind]
    assert "why" in error["error"]["message"]
    assert error["error"]["type"]
    assert error["request_id"] == "req_1"


def test_context_length_is_said_as_clients_know_it() -> None:
    refusal = Refusal(kind="context_length", message="210000 tokens do not fit", code="string_above_max_length")
    _, theirs = body("openai_chat", refusal)
    assert theirs["error"]["code"] == "context_length_exceeded"
    assert "maximum context length" in theirs["error"]["message"]
    _, ours = body("anthropic_messages", refusal)
    assert ours["error"]["type"] == "invalid_request_error"
    assert ours["error"]["message"].startswith("prompt is too long: ")


def test_budget_refusals_say_both_figures() -> None:
    refusal = Refusal(kind="budget_exhausted", message="spent", needed_nanousd=5, left_nanousd=3, scope="key:ci")
    for name in ("openai_chat", "anthropic_messages"):
        status, error = body(name, refusal)
        assert status == 402
        assert (error["error"]["needed_usd"], error["error"]["left_usd"]) == ("0.000000005", "0.000000003")
    assert body("anthropic_messages", refusal)[1]["error"]["type"] == "billing_error"


@pytest.mark.parametrize("kind", KINDS)
def test_the_official_clients_raise_them(kind: RefusalKind) -> None:
    refusal = Refusal(kind=kind, message="why")

    def answer(name: str) -> httpx2.MockTransport:
        status, raw = dialect(name).error(refusal, "req_1")
        return httpx2.MockTransport(lambda _: httpx2.Response(status, content=raw))

    chat = openai.OpenAI(
        api_key="k", max_retries=0, http_client=openai.DefaultHttpxClient(transport=answer("openai_chat"))
    )
    with pytest.raises(openai.APIStatusError) as theirs:
        chat.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
    assert "why" in theirs.value.message
    with (
        Anthropic(
            api_key="k", max_retries=0, http_client=httpx2.Client(transport=answer("anthropic_messages"))
        ) as client,
        pytest.raises(AnthropicError) as ours,
    ):
        client.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": "x"}])
    assert "why" in ours.value.message


@pytest.mark.parametrize("client", ["openai_chat", "anthropic_messages"])
@pytest.mark.parametrize("provider", ["openai_chat", "anthropic_messages"])
def test_a_failed_stream_ends_in_an_error_event_and_nothing_else(client: str, provider: str) -> None:
    request = {"model": "m", "max_tokens": 5, "stream": True, "messages": [{"role": "user", "content": "x"}]}
    stream = codec(client, provider).stream(dialect(client).read_facts(request, 10), "m", True)
    text = stream.fail(Refusal(kind="upstream_failed", message="cut")).decode()
    assert text.count("\n\n") == 1
    assert "DONE" not in text
    assert "message_stop" not in text
    assert text.startswith("event: error\ndata: {" if client == "anthropic_messages" else 'data: {"error"')


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "99999999999"}, 99999999999.0),
        ({"retry-after": "Thu, 01 Jan 2026 00:01:00 GMT", "date": "Wed, 31 Dec 2025 23:59:30 GMT"}, 90.0),
        ({"retry-after": "Sun, 01 Mar 2026 00:00:00 GMT", "date": "Sat, 28 Feb 2026 23:59:59 GMT"}, 1.0),
        ({"retry-after": "Fri, 01 Mar 2024 00:00:00 GMT", "date": "Wed, 28 Feb 2024 00:00:00 GMT"}, 172800.0),
        ({"retry-after": "Thu, 01 Jan 2026 00:00:00 GMT", "date": "Thu, 01 Jan 2026 00:05:00 GMT"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 2026 00:01:00 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after(headers) == seconds


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnopqrstuv",
        "sk-ant-api03-abcdefghijklmnop",
        "AIzaSyA1234567890abcdefg",
        "gsk_abcdefghijklmnop",
    ],
)
def test_credentials_in_a_providers_words_do_not_go_on(secret: str) -> None:
    fault = dialect("openai_chat").read_fault(
        401, {}, json.dumps({"error": {"message": f"Bad key {secret}, or Bearer {secret}!"}}).encode()
    )
    assert secret[8:] not in fault.message
    assert fault.error_class == "auth"


def test_messages_are_bounded() -> None:
    assert len(bounded("x" * 100_000)) == 500


def test_deep_bodies_are_faults_not_crashes() -> None:
    deep = b'{"error":' + b"[" * 100_000
    for name in ("openai_chat", "anthropic_messages", "openai_embeddings", "anthropic_count_tokens"):
        assert dialect(name).read_fault(500, {}, deep).error_class == "server_error"
        reply = dialect(name).read_reply(b"[" * 100_000)
        assert getattr(reply, "error_class", None) == "protocol"


@pytest.mark.parametrize(
    ("kind", "maybe_billed"),
    [
        ("overloaded_error", False),
        ("rate_limit_error", False),
        ("invalid_request_error", False),
        ("authentication_error", False),
        ("api_error", True),
        ("server_error", True),
        ("never_heard_of", True),
    ],
)
def test_an_error_inside_a_200_costs_nothing_only_where_its_class_says_so(kind: str, maybe_billed: bool) -> None:
    words = ErrorWords(message="no", type=kind)
    assert fault_inside_200(words, after_content=False).maybe_billed is maybe_billed
    assert fault_inside_200(words, after_content=True).maybe_billed
