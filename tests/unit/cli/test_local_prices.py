"""Prices that `bascule prices update` took over hold for every command that prices."""

import json
from pathlib import Path

from click.testing import CliRunner

from bascule.cli import group

PRICES = {
    "openai/gpt-4o-mini": {
        "litellm_provider": "openai",
        "input_cost_per_token": 0.000001,
        "output_cost_per_token": 0.000002,
        "mode": "chat",
    }
}


def run(*words: str) -> str:
    result = CliRunner().invoke(group, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_what_was_taken_over_is_what_a_model_costs(tmp_path: Path) -> None:
    config, source = tmp_path / "bascule.yaml", tmp_path / "prices.json"
    config.write_text(f"data_dir: {tmp_path}/data\nproviders: {{openai: {{api_key: none}}}}\n")
    source.write_text(json.dumps(PRICES))

    def cost() -> str:
        words = ("price", "gpt-4o-mini", "--input", "1000000", "--output", "1000000", "-c", str(config), "--json")
        return str(json.loads(run(*words))["cost_usd"])

    before = cost()
    run("prices", "update", str(source), "--yes", "--max-fold", "100", "-c", str(config))
    assert (before, cost()) == ("0.750000000", "3.000000000")
    listed = json.loads(run("models", "-c", str(config), "--json"))
    (line,) = [line for line in listed if line["model"] == "gpt-4o-mini"]
    assert line["price"]["input_usd_per_mtok"] == "1"
