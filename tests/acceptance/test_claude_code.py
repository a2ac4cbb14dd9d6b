"""Claude Code, pointed here with `bascule env claude`, works on an OpenAI-type model and is billed per agent."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.claude_code import VERSION, Ran, ask, exported
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.money import billed_nanousd
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider, from_body

from bascule.testing.script import ProviderRequest, Script, ScriptedCall

pytestmark = pytest.mark.real

SECRET = "the bridge opens at 7:40"
Run = Callable[..., Ran]


@pytest.fixture
def gateway(make_gateway: MakeGateway) -> Gateway:
    return make_gateway().start()


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """A file in a project of its own."""
    project = tmp_path / "project"
    project.mkdir()
    file = project / "note.txt"
    file.write_text(SECRET + "\n", encoding="utf-8")
    return file


@pytest.fixture
def run(gateway: Gateway, note: Path, tmp_path: Path) -> Run:
    home = tmp_path / "claude-home"
    home.mkdir()
    printed = gateway.command("env", "claude", "--url", gateway.url, "--model", "oai")
    env = exported(printed.stdout)
    assert env["ANTHROPIC_BASE_URL"] == gateway.url
    return partial(ask, project=note.parent, home=home, env=env)


def last_turn(body: dict[str, Any]) -> dict[str, Any]:
    """The last message that is not a standing instruction."""
    turn: dict[str, Any] = [turn for turn in body["messages"] if turn["role"] in ("user", "assistant", "tool")][-1]
    return turn


def test_a_task_with_a_tool(gateway: Gateway, provider: Provider, note: Path, run: Run) -> None:
    def model(body: dict[str, Any]) -> Script:
        if last_turn(body)["role"] == "tool":
            return Script(text=f"The note says: {SECRET}.")
        return Script(tool_calls=(ScriptedCall("Read", {"file_path": str(note)}),))

    provider.use(from_body(model))
    ran = run(f"What does {note.name} say?", "Read")
    assert ran.result["is_error"] is False
    assert ran.result["result"] == f"The note says: {SECRET}."
    provider.quiet()
    calls = [one for one in provider.served if one.path.endswith("/chat/completions")]
    assert len(calls) >= 2
    result = last_turn(calls[-1].request_body)
    assert SECRET in json.dumps(result)  # the tool was really run
    assert "x-anthropic-billing-header" not in json.dumps([one.request_body for one in calls])
    assert all(one.status == 200 for one in provider.served)
    (session,) = json.loads(gateway.run("sessions", "--json"))
    assert session["session_id"] == ran.result["session_id"]
    assert session["client"].startswith(f"claude-cli/{VERSION}")
    assert nanousd(session["cost_usd"]) == sum(billed_nanousd("oai", one.dialect, one.usage) for one in calls)
    gateway.verify()


@pytest.mark.parametrize("kind", ["general-purpose", "Explore"])
def test_a_sub_agent_has_its_own_bill(gateway: Gateway, provider: Provider, note: Path, run: Run, kind: str) -> None:
    """`Explore` asks for a Haiku model by its own name, which the printed variables lead here."""
    task = "SUBTASK: read the note"

    def model(body: dict[str, Any]) -> Script:
        is_agent = any(task in json.dumps(turn) for turn in body["messages"] if turn["role"] == "user")
        if last_turn(body)["role"] == "tool":
            return Script(text="It opens early." if is_agent else f"My agent found out: {SECRET}.")
        if is_agent:
            return Script(tool_calls=(ScriptedCall("Read", {"file_path": str(note)}),))
        order = {"description": "Read a note", "prompt": task, "subagent_type": kind}
        return Script(tool_calls=(ScriptedCall("Agent", order),))

    provider.use(from_body(model))
    ran = run("Let an agent find out when the bridge opens.", "Read,Agent")
    assert ran.result["result"] == f"My agent found out: {SECRET}."
    (session,) = json.loads(gateway.run("sessions", "--json"))
    costs = {agent["agent_id"]: nanousd(agent["cost_usd"]) for agent in session["agents"]}
    assert len(costs) == 2
    assert all(cost > 0 for cost in costs.values())
    assert sum(costs.values()) == nanousd(session["cost_usd"])
    by_agent: dict[Any, int] = {}
    for row in gateway.rows():
        by_agent[row["agent_id"]] = by_agent.get(row["agent_id"], 0) + row["cost_nanousd"]
    assert sorted(by_agent.values()) == sorted(costs.values())
    assert len([agent for agent in by_agent if agent is not None]) == 1
    assert {one.model for one in provider.served} == {"oai"}


def test_an_answer_that_breaks_off_is_asked_for_again(gateway: Gateway, provider: Provider, run: Run) -> None:
    """Claude Code takes a stream's clean end for success, even an empty one. Told of the error, it asks once more
    without a stream; the ledger has both."""
    provider.use(Script(output_tokens=30, fault="clean_eof"))
    ran = run("Say something.", "Read")
    assert [one.stream for one in provider.served] == [True, False]
    assert ran.result["result"] == provider.last.texts[0]
    assert [row["error_class"] for row in gateway.rows()] == ["truncated", None]


def test_its_own_names_lead_here_and_the_gateway_s_models_can_be_picked(
    make_gateway: MakeGateway, provider: Provider, note: Path, tmp_path: Path
) -> None:
    """Without a model in its environment it asks for Claude by name, and lists what begins like one."""
    gateway = make_gateway(aliases={"claude-*": "oai", "claude-via-anthropic": "ant"}).start()
    provider.use(Script(text="Good morning."))
    printed = gateway.command("env", "claude", "--url", gateway.url)
    wanted = {"CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": ""}
    home = tmp_path / "claude-home"
    home.mkdir()
    ran = ask("Say something.", "Read", project=note.parent, home=home, env={**exported(printed.stdout), **wanted})
    assert ran.result["result"] == "Good morning."
    assert {one.model for one in provider.served} == {"oai"}
    assert all(row["model_requested"].startswith("claude-") for row in gateway.rows())
    found = json.loads((home / ".claude/cache/gateway-models.json").read_text(encoding="utf-8"))
    assert [model["id"] for model in found["models"]] == ["claude-via-anthropic"]


def test_an_error_before_any_content_is_not_its_business(gateway: Gateway, provider: Provider, run: Run) -> None:
    failed: list[int] = []

    def model(request: ProviderRequest) -> Script:
        failed.append(request.number)
        return Script(fault="error_first") if len(failed) == 1 else Script(text="Good morning.")

    provider.use(model)
    assert run("Say something.", "Read").result["result"] == "Good morning."
    assert [(row["attempt_no"], row["error_class"]) for row in gateway.rows()] == [(1, "server_error"), (2, None)]
    assert all(one.stream for one in provider.served)


def nanousd(text: str) -> int:
    return int(text.replace(".", ""))
