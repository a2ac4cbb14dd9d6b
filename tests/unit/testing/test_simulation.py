"""Simulated models: the same words for the same request, told at each model's own length."""

from typing import Any

import pytest

from bascule.testing.prompt import input_tokens
from bascule.testing.script import ProviderRequest, Script, ScriptedCall
from bascule.testing.simulation import SimulatedModel, Simulation, Trouble, WrittenAnswer, simulated

CALL = ScriptedCall("run", {"command": "pytest"})
SIMULATION = Simulation(
    models={
        "terse": SimulatedModel(verbosity=0.5, reasoning_tokens=7),
        "wordy": SimulatedModel(verbosity=1.5),
        "cached": SimulatedModel(caches_from_tokens=10, reports_usage=False),
    },
    answers=(
        WrittenAnswer(when="weather", sentences=("It rains.", "It is cold.")),
        WrittenAnswer(when="test", sentences=("I run it.",), tool_calls=(CALL,)),
        WrittenAnswer(sentences=("I do not know.",)),
    ),
    troubles=(Trouble(model="terse", when="[500]", script=Script(status=500)),),
)
TOOLS = [{"name": "run", "input_schema": {}}]


def told(model: str, *messages: Any, number: int = 1, **body: Any) -> Script:
    said = [{"role": "user", "content": message} if isinstance(message, str) else message for message in messages]
    request = ProviderRequest(
        number=number,
        dialect="openai",
        path="/v1/chat/completions",
        model=model,
        stream=False,
        headers={},
        body={"model": model, "messages": said, **body},
    )
    return simulated(SIMULATION)(request)


@pytest.mark.parametrize(
    ("model", "text"), [("terse", "It rains."), ("wordy", "It rains. It is cold. It rains."), ("cached", None)]
)
def test_verbosity_is_the_share_of_sentences_that_is_said(model: str, text: str | None) -> None:
    assert told(model, "the weather?").text == (text or "It rains. It is cold.")


def test_the_last_message_chooses_the_answer_and_the_order_of_arrival_does_not() -> None:
    assert told("wordy", "the weather?", "and who are you?").text == "I do not know. I do not know."
    assert told("terse", "the weather?", number=1) == told("terse", "the weather?", number=99)


def test_trouble_comes_to_its_model_alone() -> None:
    assert told("terse", "the weather? [500]").status == 500
    assert told("wordy", "the weather? [500]").status == 200


def test_a_model_that_is_not_simulated_is_not_found() -> None:
    assert told("other", "the weather?").status == 404


def test_tools_are_called_where_the_request_has_them_and_the_user_spoke_last() -> None:
    assert told("terse", "run the test", tools=TOOLS).tool_calls == (CALL,)
    assert told("terse", "run the test").tool_calls == ()
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "test failed"}]}
    answered = told("terse", "run the test", {"role": "assistant", "content": "…"}, result, tools=TOOLS)
    assert (answered.tool_calls, answered.text) == ((), "I run it.")


def test_the_cache_gives_what_the_conversation_had_sent_before() -> None:
    long = "word " * 20
    assert told("cached", long).cached_tokens == 0
    script = told("cached", long, {"role": "assistant", "content": "ok"}, "go on")
    assert script.cached_tokens == input_tokens({"messages": [{"role": "user", "content": long}]}) >= 10
    assert told("wordy", long, {"role": "assistant", "content": "ok"}, "go on").cached_tokens == 0


def test_usage_and_reasoning_are_the_model_s() -> None:
    assert told("cached", "x").usage_fault == "none"
    assert told("terse", "x").reasoning_tokens == 7
