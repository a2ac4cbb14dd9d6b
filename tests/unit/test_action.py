"""The GitHub Action: its scripts run as they stand, by bash, in a runner's environment, against a fake of the API."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.unit.cli.claude_session import COST_NANOUSD, write_session
from tests.unit.cli.github_fake import TOKEN, GitHubFake, serving
from tests.unit.cli.repository import Repo

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = YAML(typ="safe").load((ROOT / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
NOW = int(time.time())


def test_no_script_is_pasted_together_from_inputs() -> None:
    for step in STEPS:
        assert "${{" not in step.get("run", ""), step["name"]


def test_every_input_is_used_and_every_used_one_is_there() -> None:
    text = "\n".join(json.dumps(step) for step in STEPS)
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert all("default" in each for each in ACTION["inputs"].values())


def test_what_is_installed_is_the_release_or_the_checkout() -> None:
    line = STEPS[0]["run"].splitlines()[1].rpartition(" ")[2]
    for version, expected in (("", "/the/action"), ("1.2.3", "bascule==1.2.3")):
        environment = {"VERSION": version, "SOURCE": "/the/action", "PATH": os.environ["PATH"]}
        done = subprocess.run(
            ["bash", "-c", f"echo {line}"], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected


def run_step(step: dict[str, Any], given: dict[str, str], environment: dict[str, str], folder: Path) -> Any:
    """A step with these inputs, as a runner does it."""
    own = {}
    for name, value in step.get("env", {}).items():
        found = re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value)
        assert found, value
        own[name] = given.get(found[1], ACTION["inputs"][found[1]]["default"])
    added = Path(environment["GITHUB_ENV"])
    kept = dict(line.split("=", 1) for line in added.read_text().splitlines()) if added.exists() else {}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={**environment, **kept, **own}, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("budget", "status"), [("", 0), ("0.01", 3)])
def test_the_scripts_import_and_comment(tmp_path: Path, budget: str, status: int) -> None:
    programs = tmp_path / "temp" / "bascule" / "bin"
    programs.mkdir(parents=True)
    (programs / "bascule").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bascule "$@"\n')
    (programs / "bascule").chmod(0o755)
    repo = Repo(tmp_path / "work" / "web")
    repo.commit("start", NOW - 9_000)
    repo.branch("login")
    repo.commit("login", NOW - 300)
    write_session(tmp_path / "home" / ".claude", "s1", branch="login", start_s=NOW - 600, messages=2, subagent=False)
    (tmp_path / "work" / "results one.xml").write_text("<testsuite><testcase/></testsuite>")
    with serving(GitHubFake()) as github:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "RUNNER_TEMP": str(tmp_path / "temp"),
            "GITHUB_ENV": str(tmp_path / "env"), "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_REPOSITORY": "acme/web",
            "GITHUB_REF": "refs/pull/12/merge", "GITHUB_HEAD_REF": "login", "GITHUB_BASE_REF": "main",
            "GITHUB_API_URL": github.url,
        }  # fmt: skip
        given = {"token": TOKEN, "checkout": "web", "tests": "results one.xml\n", "budget-usd": budget}
        imported = run_step(STEPS[1], given, environment, tmp_path / "work")
        assert imported.returncode == 0, imported.stderr
        commented = run_step(STEPS[2], given, environment, tmp_path / "work")
        assert commented.returncode == status, commented.stderr
        assert github.wrong == []
    (body,) = [each["body"] for each in github.comments]
    assert "1 passed, 0 failed" in body
    document = json.loads((tmp_path / "temp" / "bascule-cost.json").read_text())
    assert document["cost_usd"] == f"0.{2 * COST_NANOUSD:09d}"
    assert f"gate={'failed' if status else 'none'}" in (tmp_path / "output").read_text()
