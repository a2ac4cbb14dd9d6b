"""What goes wrong reaches a caller as the exception class that its SDK has for it."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import anthropic
import openai
import pytest
from tests.acceptance.configuration import ANTHROPIC_PRICE, OPENAI_PRICE, PROVIDER_ENV, configuration, model
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider

from bascule.testing.script import Script

pytestmark = pytest.mark.real

KEYS = {"FREE_KEY": "bk-free-4Rt9", "POOR_KEY": "bk-poor-8Vm2", "SLOW_KEY": "bk-slow-1Xc6"}
MANY = 60
"""Models of each type: a test that breaks one opens that one's breaker, so each test takes its own."""
HELLO: Any = [{"role": "user", "content": "Hello."}]


@pytest.fixture(scope="module")
def keyed(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A key that may use some models, one whose budget is gone, one that may ask twice a minute."""
    models = {f"oai-{n}": model("openai-type", f"oai-{n}", OPENAI_PRICE) for n in range(MANY)}
    models |= {f"ant-{n}": model("anthropic-type", f"ant-{n}", ANTHROPIC_PRICE) for n in range(MANY)}
    config = configuration(
        provider.openai_url,
        provider.anthropic_url,
        models=models,
        keys={
            "free": {"secret": "env:FREE_KEY", "models": sorted(models)},
            "poor": {"secret": "env:POOR_KEY"},
            "slow": {"secret": "env:SLOW_KEY", "rate": {"rpm": 2}},
        },
        budgets=[{"scope": "key:poor", "limit_usd": 0.000001, "window": "day", "mode": "strict"}],
        retry={"max_attempts": 1},
    )
    made = Gateway(tmp_path_factory.mktemp("gateway"), config, {**PROVIDER_ENV, **KEYS}).start()
    yield made
    assert made.stop() == 0


NUMBERS = count()


class Caller:
    """One SDK: how it asks, and its family of exceptions."""

    def __init__(self, dialect: str, url: str, number: int) -> None:
        self.number = number
        self.dialect = dialect
        self.errors: Any = openai if dialect == "openai" else anthropic
        self._url = url

    def ask(self, key: str, model: str = "oai", *, stream: bool = False, **more: Any) -> Any:
        """`model`: a type, of which this caller's own is taken, or another name."""
        model = f"{model}-{self.number}" if model in ("oai", "ant") else model
        options: dict[str, Any] = {"api_key": key, "max_retries": 0, "timeout": 20}
        if self.dialect == "openai":
            with openai.OpenAI(base_url=f"{self._url}/v1", **options) as client:
                found = client.chat.completions.create(stream=stream, **{"model": model, "messages": HELLO} | more)
                return list(found) if stream else found
        with anthropic.Anthropic(base_url=self._url, **options) as client:
            sized = {"max_tokens": 50} | more
            answer = client.messages.create(model=model, messages=HELLO, stream=stream, **sized)
            return list(answer) if stream else answer


@pytest.fixture(params=["openai", "anthropic"])
def caller(request: pytest.FixtureRequest, keyed: Gateway) -> Caller:
    return Caller(request.param, keyed.url, next(NUMBERS))


FREE, POOR, SLOW = KEYS.values()


def test_an_unknown_key_is_an_authentication_error(caller: Caller) -> None:
    with pytest.raises(caller.errors.AuthenticationError) as caught:
        caller.ask("bk-nobody")
    assert caught.value.status_code == 401
    assert "bk-nobody" not in str(caught.value)


def test_an_exhausted_budget_is_402_with_both_figures(caller: Caller, provider: Provider) -> None:
    provider.use(Script())
    with pytest.raises(caller.errors.APIStatusError) as caught:
        caller.ask(POOR)
    assert caught.value.status_code == 402
    assert len(re.findall(r"\$0\.\d{9}", str(caught.value))) == 2
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert provider.served == []


def test_a_model_that_the_key_may_not_use_is_a_permission_error(caller: Caller, provider: Provider) -> None:
    provider.use(Script())
    with pytest.raises(caller.errors.PermissionDeniedError):
        caller.ask(FREE, "embed")
    assert provider.served == []


def test_an_unknown_model_is_not_found(caller: Caller) -> None:
    with pytest.raises(caller.errors.NotFoundError) as caught:
        caller.ask(SLOW, "no-such-model")
    assert "no-such-model" in str(caught.value)


def test_a_wrong_type_is_a_bad_request_that_names_the_field(caller: Caller) -> None:
    with pytest.raises(caller.errors.BadRequestError, match="max_tokens"):
        caller.ask(FREE, max_tokens="many")


def test_a_provider_that_refuses_the_request_is_quoted(caller: Caller, provider: Provider) -> None:
    provider.use(Script(status=400, error_message="temperature is deprecated for this model"))
    with pytest.raises(caller.errors.BadRequestError, match="temperature is deprecated"):
        caller.ask(FREE)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["oai", "ant"])
def test_a_limited_provider_is_a_rate_limit_error(caller: Caller, provider: Provider, model: str, stream: bool) -> None:
    provider.use(Script(status=429, retry_after="7"))
    with pytest.raises(caller.errors.RateLimitError) as caught:
        caller.ask(FREE, model, stream=stream)
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 7


def test_our_own_limit_says_when_to_come_back(keyed: Gateway, provider: Provider) -> None:
    provider.use(Script())
    caller = Caller("openai", keyed.url, next(NUMBERS))
    caller.ask(SLOW)
    caller.ask(SLOW)
    with pytest.raises(openai.RateLimitError) as caught:
        caller.ask(SLOW)
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60
    assert len(provider.served) == 2


@pytest.mark.parametrize("status", [500, 503, 529])
def test_a_failing_provider_is_a_server_error(caller: Caller, provider: Provider, status: int) -> None:
    provider.use(Script(status=status))
    with pytest.raises(caller.errors.APIStatusError) as caught:
        caller.ask(FREE)
    assert caught.value.status_code >= 500


def test_a_providers_own_key_trouble_is_not_the_callers(caller: Caller, provider: Provider) -> None:
    provider.use(Script(status=401, error_message="Incorrect API key provided: sk-upstr****tLr4"))
    with pytest.raises(caller.errors.APIStatusError) as caught:
        caller.ask(FREE)
    assert caught.value.status_code in (500, 502)
    assert "sk-upstr" not in str(caught.value)


@pytest.mark.parametrize("model", ["oai", "ant"])
@pytest.mark.parametrize("fault", ["error_mid", "clean_eof", "reset_mid", "truncated_event"])
def test_a_stream_that_breaks_off_never_looks_complete(
    caller: Caller, provider: Provider, model: str, fault: Any
) -> None:
    provider.use(Script(output_tokens=30, fault=fault))
    with pytest.raises(caller.errors.APIError):
        caller.ask(FREE, model, stream=True)


@pytest.mark.parametrize("fault", ["truncated_json", "empty_body", "null_body", "html_200"])
def test_a_whole_answer_that_is_none_is_502(caller: Caller, provider: Provider, fault: Any) -> None:
    provider.use(Script(fault=fault))
    with pytest.raises(caller.errors.InternalServerError) as caught:
        caller.ask(FREE)
    assert caught.value.status_code == 502


def test_a_retrying_sdk_gets_its_answer(keyed: Gateway, provider: Provider) -> None:
    """The SDK's own retries, against a gateway that makes none."""
    scripts = iter([Script(status=500), Script(status=500)])
    provider.use(lambda request: next(scripts, Script(text="At last.")))
    with openai.OpenAI(base_url=f"{keyed.url}/v1", api_key=FREE, max_retries=2, timeout=20) as client:
        answer = client.chat.completions.create(model=f"oai-{next(NUMBERS)}", messages=HELLO)
    assert answer.choices[0].message.content == "At last."
    assert len(provider.served) == 3


def test_an_image_by_url_is_refused_under_a_strict_budget(keyed: Gateway, provider: Provider) -> None:
    provider.use(Script())
    parts: Any = [{"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}]
    caller = Caller("openai", keyed.url, next(NUMBERS))
    with pytest.raises(openai.APIStatusError) as caught:
        caller.ask(POOR, messages=[{"role": "user", "content": parts}])
    assert caught.value.status_code == 402
    assert provider.served == []
