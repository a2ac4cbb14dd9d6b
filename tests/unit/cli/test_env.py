"""Where `env` and `run` think the gateway is, and what of a command line is the other command's own."""

import os
from pathlib import Path
from typing import Any

import pytest

from bascule.cli.env import address_of
from bascule.config.shape import Server


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("BASCULE_URL", "BASCULE_KEY", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def url(run: Any, *arguments: str) -> str:
    found = run("env", "claude", "--json", *arguments)
    assert found.code == 0, found.err
    return str(found.json["ANTHROPIC_BASE_URL"])


def write(name: str, port: int, host: str = "127.0.0.1") -> None:
    Path(name).write_text(f"server: {{host: '{host}', port: {port}}}\nproviders: {{openai: {{}}}}\n")


def test_what_is_named_comes_before_what_lies_about(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert url(run) == "http://127.0.0.1:8787"
    write("bascule.yaml", 9001)
    assert url(run) == "http://127.0.0.1:9001"
    monkeypatch.setenv("BASCULE_URL", "https://gateway.test/")
    assert url(run) == "https://gateway.test"
    write("other.yaml", 9002)
    assert url(run, "-c", "other.yaml") == "http://127.0.0.1:9002"
    assert url(run, "-c", "other.yaml", "--url", "http://x.test:1/") == "http://x.test:1"


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "http://127.0.0.1:8787"), ("::", "http://[::1]:8787"), ("::1", "http://[::1]:8787"),
     ("gateway.internal", "http://gateway.internal:8787")],
)  # fmt: skip
def test_an_address_that_a_client_can_use(host: str, address: str) -> None:
    assert address_of(Server(host=host)) == address


def test_without_a_fixed_port_it_asks(run: Any) -> None:
    write("bascule.yaml", 0)
    found = run("env", "openai")
    assert found.code == 1
    assert "--url" in found.err


def test_a_wrong_file_is_said(run: Any) -> None:
    Path("bascule.yaml").write_text("server: {port: many}\n")
    found = run("env", "openai")
    assert found.code == 2
    assert "bascule.yaml:1" in found.err
    assert run("env", "openai", "-c", "none.yaml").code == 2


class Replaced(Exception):
    """Stands for the process that another program took over."""


def executed(run: Any, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[list[str], dict[str, str]]:
    seen: list[Any] = []

    def take_over(file: str, command: list[str], env: dict[str, str]) -> None:
        seen.extend([command, env])
        raise Replaced

    monkeypatch.setattr(os, "execvpe", take_over)
    with pytest.raises(Replaced):
        run("run", *arguments)
    return seen[0], seen[1]


def test_run_points_everything_there_and_tells_where(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write("other.yaml", 9003)
    command, env = executed(run, monkeypatch, "-c", "other.yaml", "--session", "s1", "--tag", "a=b", "--", "tool", "x")
    assert command == ["tool", "x"]
    assert env["OPENAI_BASE_URL"] == "http://127.0.0.1:9003/v1"
    assert (env["BASCULE_URL"], env["BASCULE_SESSION"]) == ("http://127.0.0.1:9003", "s1")
    assert env["ANTHROPIC_CUSTOM_HEADERS"] == "x-bascule-session: s1\nx-bascule-tag: a=b"


@pytest.mark.parametrize("separator", [(), ("--",)])
def test_the_commands_own_options_stay_its_own(
    run: Any, monkeypatch: pytest.MonkeyPatch, separator: tuple[str, ...]
) -> None:
    command, env = executed(run, monkeypatch, *separator, "claude", "-c", "--model", "opus", "--url", "x", "--help")
    assert command == ["claude", "-c", "--model", "opus", "--url", "x", "--help"]
    assert "ANTHROPIC_MODEL" not in env


@pytest.mark.parametrize("given", [("--session", "a\nb"), ("--tag", "k=a\r\nx-other: 1")])
def test_run_puts_no_line_break_into_a_header(run: Any, given: tuple[str, str]) -> None:
    found = run("run", *given, "--", "true")
    assert found.code == 2
    assert "cannot be sent as a header" in found.err


def test_geminis_clients_get_the_address_without_a_version(run: Any) -> None:
    found = run("env", "gemini", "--json", "--model", "auto")
    assert found.json == {
        "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:8787",
        "GEMINI_API_KEY": "local",
        "GOOGLE_API_KEY": "local",
        "GEMINI_MODEL": "auto",
    }
    assert found.err == ""
