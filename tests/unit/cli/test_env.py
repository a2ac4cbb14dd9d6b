"""Where `env` and `run` think the gateway is, and what of a command line is the other command's own."""

import json
import os
import subprocess
import tomllib
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


def test_a_gateway_with_keys_asks_for_one(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write("bascule.yaml", 9001)
    assert run("env", "claude").err == ""
    with Path("bascule.yaml").open("a") as file:
        file.write("keys: {ci: {secret: env:CI_KEY}}\n")
    assert "BASCULE_KEY" in run("env", "claude").err
    assert "BASCULE_KEY" in run("env", "claude", "--json", "-c", "bascule.yaml", "--url", "http://x.test:1").err
    assert run("env", "claude", "--key", "k").err == ""
    # What lies about need not be the configuration of a gateway elsewhere.
    assert run("env", "claude", "--url", "http://x.test:1").err == ""
    monkeypatch.setenv("BASCULE_KEY", "k")
    assert run("env", "claude").err == ""


def test_keys_made_by_command_count_too(run: Any) -> None:
    write("bascule.yaml", 9001)
    assert run("keys", "create", "laptop").code == 0
    assert "BASCULE_KEY" in run("env", "claude").err


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
    assert env["GEMINI_CLI_CUSTOM_HEADERS"] == "x-bascule-session: s1, x-bascule-tag: a=b"


def test_codex_takes_its_address_from_arguments_alone(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    where = ("--url", "http://x.test:1", "--model", 'o"dd', "--session", "s1", "--tag", "a=b", "--tag", "c=d")
    (name, *words), env = executed(run, monkeypatch, *where, "--", "/opt/bin/codex", "exec", "hi")
    assert (name, words[-2:], set(words[:-2:2])) == ("/opt/bin/codex", ["exec", "hi"], {"-c"})
    found = tomllib.loads("\n".join(words[1:-2:2]))
    assert (found["model_provider"], found["model"]) == ("bascule", 'o"dd')
    provider = found["model_providers"]["bascule"]
    assert (provider["base_url"], provider["wire_api"]) == ("http://x.test:1/v1", "responses")
    assert provider["http_headers"] == {"x-bascule-session": "s1", "x-bascule-tag": "a=b,c=d"}
    assert env[provider["env_key"]] == "local"


def test_a_shell_is_told_how_to_start_codex(run: Any, tmp_path: Path) -> None:
    printed = run("env", "codex", "--url", "http://x.test:1", "--model", "it's").out
    stand_in = tmp_path / "codex"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$OPENAI_API_KEY" "$@"\n')
    stand_in.chmod(0o755)
    script = f'{printed}\ncodex exec "a b"'
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": str(tmp_path)}
    )
    key, *words = done.stdout.splitlines()
    assert (key, words[-2:]) == ("local", ["exec", "a b"])
    assert tomllib.loads("\n".join(words[1:-2:2]))["model"] == "it's"


def test_opencode_takes_its_settings_from_a_variable(run: Any) -> None:
    found = run("env", "opencode", "--json", "--url", "http://x.test:1", "--model", "m/x").json
    settings = json.loads(found["OPENCODE_CONFIG_CONTENT"])
    provider = settings["provider"]["bascule"]
    assert (settings["model"], list(provider["models"])) == ("bascule/m/x", ["m/x"])
    assert provider["options"] == {"baseURL": "http://x.test:1/v1", "apiKey": "{env:OPENAI_API_KEY}"}
    without = run("env", "opencode", "--url", "http://x.test:1")
    assert "OPENCODE_CONFIG_CONTENT" not in without.out
    assert "--model" in without.err


def test_a_tag_that_gemini_cli_would_take_apart_is_left_out(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, env = executed(run, monkeypatch, "--session", "s:1", "--tag", "a=b", "--tag", "at=7:40", "--", "gemini")
    assert env["GEMINI_CLI_CUSTOM_HEADERS"] == "x-bascule-session: s:1"
    assert env["ANTHROPIC_CUSTOM_HEADERS"] == "x-bascule-session: s:1\nx-bascule-tag: a=b,at=7:40"


def test_every_model_that_claude_code_asks_for_by_itself_is_led_here(run: Any) -> None:
    found = run("env", "claude", "--json", "--url", "http://x.test:1", "--model", "m").json
    models = ["MODEL", "DEFAULT_OPUS_MODEL", "DEFAULT_SONNET_MODEL", "DEFAULT_HAIKU_MODEL", "DEFAULT_FABLE_MODEL"]
    assert {found[f"ANTHROPIC_{name}"] for name in [*models, "SMALL_FAST_MODEL"]} == {"m"}
    assert "ANTHROPIC_MODEL" not in run("env", "claude", "--json").json


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
