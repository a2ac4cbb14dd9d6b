"""A run that is killed in the middle of its calls, and goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.scripted_provider import Running

from bascule.testing.script import ProviderRequest, Script

CASES = 12
CAP_NANOUSD = 10_000_000


def answer(request: ProviderRequest) -> Script:
    return Script(text="42", ttft_s=0.15)


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running(answer, ("good",))
    yield made
    made.stop()


@pytest.mark.real
def test_a_run_that_was_killed_goes_on(run: Any, place: Path, running: Running) -> None:
    (place / "bascule.yaml").write_text(
        f"data_dir: data\n"
        f"providers: {{p: {{dialect: openai_chat, base_url: '{running.upstream.url()}', api_key: none}}}}\n"
        f"models: {{good: {{endpoints: [{{provider: p, model: good}}], price: {{input: 1, output: 4}}}}}}\n"
    )
    cases = [f'  - {{id: c{number}, prompt: "{number}: What is 6 times 7?", expected: 42}}' for number in range(CASES)]
    (place / "suite.yaml").write_text("defaults: {max_tokens: 50}\ncases:\n" + "\n".join(cases) + "\n")
    arguments = ["eval", "run", "suite.yaml", "--models", "good", "--max-usd", str(CAP_NANOUSD / 1e9), "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bascule", *arguments, "--concurrency", "2"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
    )
    deadline_s = time.monotonic() + 60
    while len(running.upstream.served) < 5 and time.monotonic() < deadline_s:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    (path,) = (place / "data" / "evals").glob("*.jsonl")
    kept = len(path.read_bytes().splitlines()) - 1
    assert 0 < kept < CASES

    found = run(*arguments, "--resume")
    assert found.code == 0, found.err
    document = found.json
    assert document["run"] == path.stem
    assert document["resumed"] == kept
    assert document["models"][0]["graded"] == CASES
    # Calls that were open when it died may have been billed: they are in the ledger, at what was held for them.
    rows = [json.loads(line) for line in run("ledger", "export").out.splitlines()]
    assert all(row["kind"] == "settle" for row in rows)
    # One that died between its line and its request never reached the provider: two calls are under way at most.
    assert len(running.upstream.served) <= len(rows) <= len(running.upstream.served) + 2
    assert sum([row["charged_nanousd"] for row in rows]) <= CAP_NANOUSD
    assert run("ledger", "verify").code == 0
