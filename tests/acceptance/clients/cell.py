"""One client at one upstream: its program's word, the provider's, and the ledger's."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.clients.arena import ANSWER, EDIT, Arena, ledger_findings
from tests.acceptance.clients.faults import FAULTS
from tests.acceptance.clients.install import NotInstalled, installed, program_of, python_of, version_of
from tests.acceptance.clients.roster import Client
from tests.acceptance.clients.upstreams import Upstream
from tests.acceptance.process import clean_environment

from bascule.cli.clients import variables

PROGRAMS = Path(__file__).parent / "programs"
PROGRAM_S = 240
KEY = "sk-any"
CITY, WEATHER = "Paris", "18 degrees and dry, says the harbour"
READING = frozenset({"tools", "subagent", "interactive"})
"""Steps in which a tool finds out WEATHER: it must reach the provider."""
PERSON = {"name": "word", "age": 7}
"""What the scripted upstream makes of such a schema."""
TASK = {
    "question": "Does the bridge open today?",
    "answer": ANSWER,
    "city": CITY,
    "weather": WEATHER,
    "call": f"CALL weather {json.dumps({'city': CITY})}",
    "edit": EDIT,
    "person": PERSON,
    "person_call": f"CALL Person {json.dumps(PERSON)}",
}


@dataclass(kw_only=True)
class Outcome:
    client: Client
    upstream: str
    verdict: str
    """`pass`, `FAIL`, `known` (the client's own fault, proved)."""
    steps: Mapping[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    output: str = ""
    """What the program wrote, for a failure."""

    @property
    def version(self) -> str:
        return version_of(self.client.kit)


@dataclass(frozen=True)
class Ran:
    steps: Mapping[str, str]
    usage: list[list[int]]
    output: str


def run_cell(client: Client, upstream: Upstream, arena: Arena) -> Outcome:
    """The client through the gateway; where it fails by its own fault, once more without the gateway, as the proof."""
    outcome = Outcome(client=client, upstream=upstream.name, verdict="FAIL")
    began = time.monotonic()
    try:
        ran = _run(client, upstream.model, arena, arena.gateway.url, _printed(client, upstream, arena))
    except NotInstalled as error:
        outcome.verdict, outcome.findings = "FAIL", [str(error)]
        return outcome
    outcome.seconds = time.monotonic() - began
    outcome.steps, outcome.output = ran.steps, ran.output
    outcome.findings = findings_of(client, upstream, arena, ran)
    fault = FAULTS.get(client.name)
    if fault is None:
        outcome.verdict = "FAIL" if outcome.findings else "pass"
        return outcome
    failed = frozenset(name for name, word in ran.steps.items() if word != "ok")
    alone = run_direct(client, arena)
    same = failed == fault.steps == frozenset(name for name, word in alone.steps.items() if word != "ok")
    outcome.verdict = "known" if same and outcome.findings else "FAIL"
    outcome.findings.append(f"known: {fault.reason}; without the gateway: {dict(alone.steps)}")
    return outcome


def run_direct(client: Client, arena: Arena) -> Ran:
    """The client straight at a scripted provider of its own dialect. Raises NotInstalled."""
    model = "scripted-small"  # one that it lists
    origin = arena.provider.upstream.origin
    return _run(client, model, arena, origin, variables(client.points_with, base_url=origin, key=KEY, model=model))


def _printed(client: Client, upstream: Upstream, arena: Arena) -> dict[str, str]:
    """What a user would set, from the command itself."""
    where = ("--url", arena.gateway.url, "--key", KEY, "--model", upstream.model)
    done = arena.gateway.command("env", client.points_with, *where, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _run(client: Client, model: str, arena: Arena, url: str, pointing: Mapping[str, str]) -> Ran:
    arena.clear()
    home = arena.folder / f"{client.name}-{time.monotonic_ns()}"
    home.mkdir()
    told = {
        "CLIENT_URL": url,
        "CLIENT_KEY": KEY,
        "CLIENT_MODEL": model,
        "CLIENT_SURFACE": client.surface,
        "CLIENT_TASK": json.dumps(TASK),
        **client.settings,
    }
    env = {**clean_environment(home, told), **pointing}
    done = subprocess.run(
        _command(client, env, home),
        capture_output=True,
        text=True,
        cwd=home,
        env=env,
        timeout=PROGRAM_S,
        stdin=subprocess.DEVNULL,
    )
    return _heard(done)


def _command(client: Client, env: dict[str, str], home: Path) -> list[str]:
    """Agents are started by a program under our own interpreter. A Node program finds packages from where it lies, so
    it is laid beside the kit's."""
    program = str(PROGRAMS / client.program)
    if client.command is not None:
        env["CLIENT_COMMAND"] = str(program_of(client.kit, client.command))
        return [sys.executable, program]
    if client.kit.language == "python":
        return [str(python_of(client.kit)), program]
    for name in (client.program, "told.mjs"):
        shutil.copy(PROGRAMS / name, home)
    (home / "node_modules").symlink_to(installed(client.kit) / "node_modules")
    return ["node", str(home / client.program)]


def _heard(done: subprocess.CompletedProcess[str]) -> Ran:
    lines = done.stdout.strip().splitlines()
    output = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    try:
        told: Any = json.loads(lines[-1]) if lines else {}
    except json.JSONDecodeError:
        told = {}
    return Ran(told.get("steps", {}), told.get("usage", []), output)


def findings_of(client: Client, upstream: Upstream, arena: Arena, ran: Ran) -> list[str]:
    findings = [f"{name}: {word}" for name, word in ran.steps.items() if word != "ok"]
    findings += [f"{name}: not tried" for name in client.steps if name not in ran.steps]
    served = arena.served
    chats = [one for one in served if one.model != "embed"]
    if not all(one.status == 200 for one in served):
        findings.append(f"the provider refused: {[(one.path, one.status) for one in served]}")
    if not chats or {(one.dialect, one.model) for one in chats} != {(upstream.wire, upstream.model)}:
        findings.append(f"the provider was asked {[(one.dialect, one.path, one.model) for one in served]}")
    if any(ran.steps.get(name) == "ok" for name in READING.intersection(client.steps)) and not _saw_result(arena):
        findings.append("the tool's result did not reach the provider")
    rows = arena.new_rows()
    agents = {row["agent_id"] for row in rows} - {None}
    if "subagent" in client.steps and len(agents) != 2:
        findings.append(f"two agents were let loose, the ledger knows {agents}")
    return findings + ledger_findings(rows, served, ran.usage)


def _saw_result(arena: Arena) -> bool:
    return any(WEATHER in json.dumps(one.request_body, ensure_ascii=False) for one in arena.served)
