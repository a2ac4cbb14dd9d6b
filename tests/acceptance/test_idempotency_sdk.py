"""The official SDKs with an Idempotency-Key: their own retries go through, and a call made again is not paid again."""

import threading
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider

from bascule.testing.script import ProviderRequest, Script

pytestmark = pytest.mark.real

ASKED: list[Any] = [{"role": "user", "content": "Hello."}]
WAITS = {"store_wait_s": 5}

Ask = Callable[..., Any]


def openai_chat(gateway: Gateway, key: str, **more: Any) -> str:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="any", timeout=30, max_retries=3) as client:
        made = client.chat.completions.create(
            model="oai", messages=ASKED, extra_headers={"Idempotency-Key": key}, **more
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in made if chunk.choices) if more else told(made)


def anthropic_messages(gateway: Gateway, key: str, **more: Any) -> str:
    with anthropic.Anthropic(base_url=gateway.url, api_key="any", timeout=30, max_retries=3) as client:
        asked: dict[str, Any] = {"model": "ant", "max_tokens": 50, "messages": ASKED}
        if more:
            with client.messages.stream(**asked, extra_headers={"Idempotency-Key": key}) as stream:
                return stream.get_final_text()
        return str(client.messages.create(**asked, extra_headers={"Idempotency-Key": key}).content[0].text)


def told(completion: Any) -> str:
    return str(completion.choices[0].message.content)


def flaky(request: ProviderRequest) -> Script:
    return Script(status=503) if request.number % 2 else Script(output_tokens=8)


@pytest.fixture(params=[openai_chat, anthropic_messages])
def ask(request: pytest.FixtureRequest) -> Ask:
    chosen: Ask = request.param
    return chosen


@pytest.mark.parametrize("stream", [{}, {"stream": True}])
def test_a_call_made_again_is_answered_by_the_first(
    make_gateway: MakeGateway, provider: Provider, ask: Ask, stream: dict[str, Any]
) -> None:
    provider.use(Script(output_tokens=8))
    gateway = make_gateway(idempotency=WAITS).start()
    first = ask(gateway, "k", **stream)
    assert first
    assert ask(gateway, "k", **stream) == first
    assert len(provider.served) == 1
    assert ask(gateway, "another", **stream)
    assert len(provider.served) == 2


def test_their_own_retries_after_an_unbilled_error_go_through(
    make_gateway: MakeGateway, provider: Provider, ask: Ask
) -> None:
    gateway = make_gateway(idempotency=WAITS, retry={"max_attempts": 1}).start()
    provider.use(flaky)
    assert ask(gateway, "k")
    gateway.settled()
    assert {row["status"] for row in gateway.rows()} >= {200}
    assert {row["idempotency_key"] for row in gateway.rows()} == {"k"}


def test_they_try_again_while_the_first_is_in_progress(make_gateway: MakeGateway, provider: Provider, ask: Ask) -> None:
    provider.use(Script(output_tokens=8, ttft_s=1.5))
    gateway = make_gateway(idempotency={**WAITS, "wait_s": 0}).start()
    answers: list[str] = []
    both = [threading.Thread(target=lambda: answers.append(ask(gateway, "k"))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(answers) == 2
    assert len(set(answers)) == 1
    assert len(provider.served) == 1
