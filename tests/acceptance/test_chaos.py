"""`bascule chaos` as a user calls it: on a sample, and on a gateway that runs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.configuration import PROVIDER_ENV, configuration
from tests.acceptance.process import Gateway, clean_environment

from bascule.testing.upstream import closed_port

pytestmark = pytest.mark.real


def chaos(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bascule", "chaos", *arguments]
    env = clean_environment(folder, PROVIDER_ENV)
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


def verdict(done: subprocess.CompletedProcess[str], status: int) -> dict[str, Any]:
    assert done.returncode == status, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_sample_is_attacked_and_holds(tmp_path: Path) -> None:
    told = ("--scenario", "mixed", "--scenario", "overspend", "--requests", "60", "--json")
    found = verdict(chaos(tmp_path, *told), 0)
    assert found["passed"]
    assert [one["scenario"] for one in found["scenarios"]] == ["mixed", "overspend"]
    mixed, overspend = found["scenarios"]
    assert mixed["requests"] == 60
    assert mixed["exchanges"] > 50
    assert {check["promise"]: check["limit"] for check in overspend["checks"]}["spent over the limit"] == "<= 0 USD"
    assert not [path for path in tmp_path.iterdir() if path.name != "home"]


def test_the_scenarios_are_listed_and_wrong_names_are_wrong_use(tmp_path: Path) -> None:
    names = {one["scenario"] for one in verdict_list(chaos(tmp_path, "--list", "--json"))}
    assert {"mixed", "outage", "overspend", "disconnects", "hostile", "usage", "crash"} <= names
    wrong = chaos(tmp_path, "--scenario", "nonsense")
    assert (wrong.returncode, "overspend" in wrong.stderr) == (2, True)


def verdict_list(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_gateway_that_runs_is_attacked_and_a_wrong_price_is_found(tmp_path: Path) -> None:
    port = closed_port()
    origin = f"http://127.0.0.1:{port}"
    config = configuration(f"{origin}/v1", origin)
    folder = tmp_path / "gateway"
    folder.mkdir()
    gateway = Gateway(folder, config, PROVIDER_ENV).start()
    told = ("-c", str(gateway.file), "--against", gateway.url, "--upstream-port", str(port))
    try:
        usual = ("--scenario", "usage", "--requests", "40", "--json")
        assert verdict(chaos(tmp_path, *told, *usual), 0)["passed"]
        # The price of the file that is looked at is no longer the one that the ledger's rows were charged at.
        dearer = tmp_path / "dearer.yaml"
        for one in config["models"].values():
            one["price"] = {"input": 7, "output": 70}
        dearer.write_text(json.dumps({"data_dir": str(gateway.data_dir), **config}), encoding="utf-8")
        found = verdict(chaos(tmp_path, "-c", str(dearer), *told[2:], *usual), 3)
        failed = [check for check in found["scenarios"][0]["checks"] if not check["passed"]]
        assert failed
        assert "mispriced" in failed[0]["details"][0]
    finally:
        gateway.kill()


def test_a_gateway_with_another_provider_is_left_alone(tmp_path: Path) -> None:
    port = closed_port()
    config = tmp_path / "bascule.yaml"
    config.write_text(json.dumps(configuration("https://api.example.com/v1", f"http://127.0.0.1:{port}")), "utf-8")
    told = ("--against", "http://127.0.0.1:1", "--upstream-port", str(port), "--scenario", "mixed")
    done = chaos(tmp_path, "-c", str(config), *told)
    assert done.returncode == 1
    assert "openai-type" in done.stderr
    assert "nothing was sent" in done.stderr
    away = chaos(tmp_path, "-c", str(config), "--against", "http://192.0.2.1:8787", *told[2:])
    assert (away.returncode, "loopback" in away.stderr) == (1, True)
