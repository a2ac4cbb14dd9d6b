"""Codex works on every type of provider: a command that it really runs, a bill that adds up, one session."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.codex import ask
from tests.acceptance.conftest import MakeGateway
from tests.acceptance.money import billed_nanousd
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider, from_body

from bascule.testing.script import Script, ScriptedCall

pytestmark = pytest.mark.real

SECRET = "the bridge opens at 7:40"


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


def last_turn(body: dict[str, Any]) -> str:
    turns: list[Any] = body["input"] if "input" in body else body["messages"]
    return json.dumps(turns[-1])


@pytest.mark.parametrize("model", ["oai", "ant", "res"])
def test_a_task_with_a_command(gateway: Gateway, provider: Provider, note: Path, tmp_path: Path, model: str) -> None:
    def answer(body: dict[str, Any]) -> Script:
        if SECRET in last_turn(body):
            return Script(text=f"The note says: {SECRET}.")
        call = ScriptedCall("exec_command", {"cmd": f"cat {note.name}"})
        return Script(thinking="I must read it.", tool_calls=(call,))

    provider.use(from_body(answer))
    home = tmp_path / "codex-home"
    home.mkdir()
    ran = ask(f"What does {note.name} say?", url=gateway.url, model=model, project=note.parent, home=home)
    (command,) = ran.items("command_execution")
    assert (command["exit_code"], command["aggregated_output"].strip()) == (0, SECRET)
    assert ran.items("reasoning")[0]["text"] == "I must read it."
    assert ran.items("agent_message")[-1]["text"] == f"The note says: {SECRET}."
    provider.quiet()
    assert [served.status for served in provider.served] == [200, 200]
    rows = gateway.rows()
    assert [(row["status"], row.get("error_class"), row["usage_source"]) for row in rows] == [
        (200, None, "reported")
    ] * 2
    (session,) = json.loads(gateway.run("sessions", "--json"))
    assert session["client"].startswith("codex_exec/")
    billed = [billed_nanousd(model, served.dialect, served.usage) for served in provider.served]
    assert [row["cost_nanousd"] for row in rows] == billed
    gateway.verify()


def test_a_full_context_window_is_said_as_such(
    gateway: Gateway, provider: Provider, note: Path, tmp_path: Path
) -> None:
    provider.use(Script(status=400, error_message="prompt is too long: 9 tokens > 5 maximum"))
    home = tmp_path / "codex-home"
    home.mkdir()
    with pytest.raises(AssertionError, match="ran out of room in the model's context window"):
        ask("Hi.", url=gateway.url, model="ant", project=note.parent, home=home)
    assert len(provider.served) == 1
