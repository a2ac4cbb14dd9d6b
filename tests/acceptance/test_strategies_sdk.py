"""Every strategy through both official SDKs, whole and streamed: one answer, and one exact bill for all calls."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from tests.acceptance.configuration import OPENAI_PRICE, PROVIDER_ENV, configuration, model
from tests.acceptance.money import billed_nanousd
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.sdk_clients import AnthropicClient, OpenAIClient

from bascule.testing.script import ProviderRequest, Script, ScriptedCall

pytestmark = pytest.mark.real

KEY = "any-secret-0123456789"
WEATHER = "What is the weather in Paris?"
STRATEGIES: dict[str, dict[str, Any]] = {
    "cascade": {"cascade": {"accept": {"regex": "degrees"}}},
    "judged": {"cascade": {"accept": {"judge": {"model": "judge", "threshold": 0.7}}}},
    "verify": {"verify": {"check": {"model": "judge", "threshold": 0.7}}},
    "best": {"best_of": {"n": 2, "models": ["oai", "ant"], "judge": {"model": "judge"}}},
    "race": {"race": {}},
    "delegate": {"delegate": {"frontier": "ant", "worker": "oai"}},
}


class Ask:
    """One question through one SDK, whole or streamed: the text, what it cost in nano-USD, and the headers."""

    def __init__(self, url: str, sdk: str, streamed: bool) -> None:
        self._openai = OpenAIClient(url, "sync" if streamed else "async", KEY)
        self._anthropic = AnthropicClient(url, "sync" if streamed else "async", KEY)
        self._sdk = sdk
        self.streamed = streamed

    def __call__(self, route: str) -> tuple[str, int, Any]:
        messages = [{"role": "user", "content": WEATHER}]
        if self._sdk == "openai":
            return self._by_openai(route, messages)
        if not self.streamed:
            answer, headers = self._anthropic.message(model=route, messages=messages, max_tokens=500)
            return "".join(block.text for block in answer.content), _nano(answer.usage.cost), headers
        events, answer, headers = self._anthropic.stream(model=route, messages=messages, max_tokens=500)
        (delta,) = [event for event in events if event.type == "message_delta"]
        assert len([event for event in events if event.type == "message_stop"]) == 1
        return "".join(block.text for block in answer.content), _nano(delta.usage.cost), headers

    def _by_openai(self, route: str, messages: list[Any]) -> tuple[str, int, Any]:
        if not self.streamed:
            answer, headers = self._openai.chat(model=route, messages=messages, max_tokens=500)
            return answer.choices[0].message.content, _nano(answer.usage.cost), headers
        options = {"include_usage": True}
        chunks, headers = self._openai.stream(model=route, messages=messages, max_tokens=500, stream_options=options)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert len({chunk.id for chunk in chunks}) == 1
        return text, _nano(chunks[-1].usage.cost), headers


def _nano(usd: float) -> int:
    return round(usd * 1e9)


@pytest.fixture(scope="module")
def strategic(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with a route of each strategy, and a strict budget that all of it fits."""
    config = configuration(
        provider.openai_url,
        provider.anthropic_url,
        models={"judge": model("openai-type", "judge", OPENAI_PRICE)},
        routes={name: {"candidates": ["oai", "ant"], "strategy": one} for name, one in STRATEGIES.items()},
        keys={"ci": {"secret": "env:CI_SECRET"}},
        budgets=[{"scope": "key:ci", "limit_usd": 5, "window": "total", "mode": "strict"}],
    )
    made = Gateway(tmp_path_factory.mktemp("strategic"), config, {**PROVIDER_ENV, "CI_SECRET": KEY})
    made.start()
    yield made
    assert made.stop() == 0, made.output()


@pytest.fixture(params=["openai", "anthropic"])
def sdk(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def ask(request: pytest.FixtureRequest, strategic: Gateway, sdk: str) -> Ask:
    return Ask(strategic.url, sdk, request.param)


def by_model(**answers: str | Script | Callable[[ProviderRequest], Script]) -> Callable[[ProviderRequest], Script]:
    def choose(request: ProviderRequest) -> Script:
        answer = answers[request.model]
        if isinstance(answer, str):
            return Script(text=answer)
        return answer(request) if callable(answer) else answer

    return choose


def assert_billed(gateway: Gateway, provider: Provider, headers: Any, cost: int, roles: list[str]) -> None:
    """The client's cost, the ledger's and the provider's own count are one sum, to the nano-dollar."""
    provider.quiet()
    request_id = headers["x-bascule-request-id"]
    rows = [row for row in gateway.rows() if row["request_id"] == request_id]
    assert sorted(row["role"] for row in rows) == sorted(roles)
    billed = sum(billed_nanousd(_tariff(one.model), one.dialect, one.usage) for one in provider.served)
    assert sum(row["cost_nanousd"] for row in rows) == billed == cost
    assert [row["attempt_no"] for row in sorted(rows, key=lambda row: row["attempt_no"])] == [*range(1, len(rows) + 1)]


def _tariff(name: str) -> str:
    return "oai" if name == "judge" else name


def test_a_cascade_accepts(strategic: Gateway, provider: Provider, ask: Ask) -> None:
    provider.use(by_model(oai="It is 20 degrees."))
    text, cost, headers = ask("cascade")
    assert text == "It is 20 degrees."
    assert headers["x-bascule-model"] == "oai"
    assert_billed(strategic, provider, headers, cost, ["primary"])


def test_a_cascade_escalates(strategic: Gateway, provider: Provider, ask: Ask) -> None:
    provider.use(by_model(oai="I do not know.", ant="It is 21 degrees there."))
    text, cost, headers = ask("cascade")
    assert text == "It is 21 degrees there."
    assert headers["x-bascule-model"] == "ant"
    assert headers["x-bascule-reason"] == "escalation: oai not accepted (regex not met)"
    assert_billed(strategic, provider, headers, cost, ["primary", "escalation"])


@pytest.mark.parametrize("score", [9, 2])
def test_a_judge_in_a_cascade(strategic: Gateway, provider: Provider, ask: Ask, score: int) -> None:
    verdict = json.dumps({"reason": "as it is", "score": score})
    provider.use(by_model(oai="Warm.", ant="It is 21 degrees there.", judge=verdict))
    text, cost, headers = ask("judged")
    assert text == ("Warm." if score == 9 else "It is 21 degrees there.")
    assert_billed(strategic, provider, headers, cost, ["primary", "judge", *(["escalation"] if score == 2 else [])])


@pytest.mark.parametrize("sound", [True, False])
def test_verify(strategic: Gateway, provider: Provider, ask: Ask, sound: bool) -> None:
    mistakes = [] if sound else [{"kind": "error", "what": "it is colder"}]
    check = json.dumps({"mistakes": mistakes, "score": 9})
    provider.use(by_model(oai="It is 30 degrees.", ant="It is 10 degrees.", judge=check))
    text, cost, headers = ask("verify")
    assert text == ("It is 30 degrees." if sound else "It is 10 degrees.")
    assert_billed(strategic, provider, headers, cost, ["primary", "verify", *([] if sound else ["escalation"])])


def test_best_of(strategic: Gateway, provider: Provider, ask: Ask) -> None:
    def judge(request: ProviderRequest) -> Script:
        said = json.dumps(request.body["messages"])
        first = said.index("20 degrees") < said.index("21 degrees")
        return Script(text=json.dumps({"reason": "closer", "verdict": "second" if first else "first"}))

    provider.use(by_model(oai="It is 20 degrees.", ant="It is 21 degrees.", judge=judge))
    text, cost, headers = ask("best")
    assert text == "It is 21 degrees."
    assert_billed(strategic, provider, headers, cost, ["primary", "primary", "judge", "judge"])


def test_a_race(strategic: Gateway, provider: Provider, ask: Ask) -> None:
    provider.use(by_model(oai=Script(status=400, error_message="no"), ant="It is 21 degrees."))
    text, cost, headers = ask("race")
    assert text == "It is 21 degrees."
    assert headers["x-bascule-model"] == "ant"
    assert_billed(strategic, provider, headers, cost, ["primary", "hedge"])


def test_delegate(strategic: Gateway, provider: Provider, ask: Ask) -> None:
    handed = ScriptedCall("delegate", {"task": "Read the thermometer", "context": "It shows 21."})

    def frontier(request: ProviderRequest) -> Script:
        said = json.dumps(request.body["messages"])
        if "tool_result" not in said:
            assert [tool["name"] for tool in request.body["tools"]] == ["delegate"]
            return Script(tool_calls=(handed,), text=None)
        assert "21 degrees" in said
        return Script(text="It is 21 degrees in Paris.")

    def worker(request: ProviderRequest) -> Script:
        said = json.dumps(request.body["messages"])
        assert "It shows 21." in said
        assert WEATHER not in said
        return Script(text="21 degrees")

    provider.use(by_model(ant=frontier, oai=worker))
    text, cost, headers = ask("delegate")
    assert text == "It is 21 degrees in Paris."
    assert headers["x-bascule-reason"] == "delegate: ant answered; 1 calls of oai"
    assert_billed(strategic, provider, headers, cost, ["primary", "worker", "primary"])


def test_what_the_sum_does_not_fit_is_402_in_both_dialects(
    make_gateway: Callable[..., Gateway], provider: Provider
) -> None:
    gateway = make_gateway(
        {"CI_SECRET": KEY},
        routes={"cascade": {"candidates": ["oai", "ant"], "strategy": STRATEGIES["cascade"]}},
        keys={"ci": {"secret": "env:CI_SECRET"}},
        budgets=[{"scope": "key:ci", "limit_usd": 0.002, "window": "total", "mode": "strict"}],
    ).start()
    provider.use(Script(text="never"))
    messages: Any = [{"role": "user", "content": WEATHER}]
    with (
        openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as client,
        pytest.raises(openai.APIStatusError) as refused,
    ):
        client.chat.completions.create(model="cascade", messages=messages, max_tokens=500)
    assert refused.value.status_code == 402
    with (
        anthropic.Anthropic(base_url=gateway.url, api_key=KEY, max_retries=0) as other,
        pytest.raises(anthropic.APIStatusError) as also,
    ):
        other.messages.create(model="cascade", messages=messages, max_tokens=500)
    assert also.value.status_code == 402
    assert provider.served == []
    assert gateway.rows() == []


def test_workers_that_share_a_budget_hold_sums_too(make_gateway: Callable[..., Gateway], provider: Provider) -> None:
    """Sixty cascades and bests at once on two workers, of which the budget takes some: none of it is exceeded."""
    limit_usd = "0.12"
    gateway = make_gateway(
        {"CI_SECRET": KEY},
        server={"workers": 2},
        models={"judge": model("openai-type", "judge", OPENAI_PRICE)},
        routes={
            name: {"candidates": ["oai", "ant"], "strategy": STRATEGIES[name]} for name in ("cascade", "best", "race")
        },
        keys={"ci": {"secret": "env:CI_SECRET"}},
        budgets=[{"scope": "key:ci", "limit_usd": limit_usd, "window": "total", "mode": "strict"}],
    ).start()
    provider.use(by_model(oai="I do not know.", ant="21 degrees", judge='{"reason": "", "verdict": "first"}'))

    async def all_at_once() -> list[int]:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0, timeout=60) as client:

            async def one(route: str) -> int:
                messages: Any = [{"role": "user", "content": WEATHER}]
                try:
                    await client.chat.completions.create(model=route, messages=messages, max_tokens=300)
                except openai.APIStatusError as error:
                    return error.status_code
                return 200

            return await asyncio.gather(*[one(("cascade", "best", "race")[at % 3]) for at in range(60)])

    statuses = asyncio.run(all_at_once())
    provider.quiet()
    assert set(statuses) <= {200, 402, 503}
    assert statuses.count(200) >= 2
    assert 402 in statuses
    rows = gateway.rows()
    charged = sum(row["cost_nanousd"] for row in rows)
    billed = sum(billed_nanousd(_tariff(one.model), one.dialect, one.usage) for one in provider.served)
    assert billed <= charged <= int(float(limit_usd) * 1e9)
    (state,) = [one for one in json.loads(gateway.run("budgets", "show", "--json")) if one["scope"] == "key:ci"]
    assert float(state["held_usd"]) == 0
    assert charged <= round(float(state["settled_usd"]) * 1e9) <= int(float(limit_usd) * 1e9)
    gateway.verify()
