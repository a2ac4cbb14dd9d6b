"""The copy of a configuration that is attacked: everything of the user's but what reaches further."""

from pathlib import Path

import pytest

from bascule.model.errors import BasculeError, ConfigError
from bascule.testing.chaos.book import NoPrice, tariff_of_snapshot
from bascule.testing.chaos.rehearsal import rehearse

ORIGIN = "http://127.0.0.1:4567"
THEIRS = """
server: {host: 0.0.0.0, port: 443, limits: {max_in_flight: 77}}
data_dir: /srv/bascule
database: env:DATABASE
providers:
  openai: {}
  house: {dialect: anthropic_messages, base_url: "https://models.example.com", api_key: env:HOUSE, disconnect: cancel}
models:
  big:
    endpoints: [{provider: house, model: big-1}]
    price: {input: 3.10, output: 15, cache_read: 0.3105, cache_write: 4}
routes:
  auto: {candidates: [big]}
contracts:
  - {provider: openai, discount: 0.12, from: 2026-01-01}
admin: {secret: env:ADMIN}
keys:
  ci: {secret: env:CI, team: platform}
budgets:
  - {scope: "team:platform", limit_usd: 20.5, window: month}
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    file = tmp_path / "theirs.yaml"
    file.write_text(THEIRS, encoding="utf-8")
    return file


def test_every_provider_is_the_upstream_and_what_is_theirs_stays(theirs: Path, tmp_path: Path) -> None:
    found = rehearse(theirs, tmp_path, ORIGIN)
    snapshot = found.snapshot
    assert {linked.origin for linked in snapshot.providers.values()} == {ORIGIN}
    assert set(found.left_out) == {"database", "contracts"}
    assert (snapshot.config.server.host, snapshot.config.server.limits.max_in_flight) == ("127.0.0.1", 77)
    assert snapshot.config.data_dir == "data"
    assert [budget.limit_nanousd for budget in snapshot.budgets] == [20_500_000_000]
    assert [target.model for target in found.targets] == ["big", "auto"]
    assert all(target.paced for target in found.targets)
    assert "env:" not in found.file.read_text(encoding="utf-8")
    assert set(found.secrets) == {"ci", "admin", "chaos-probe", "chaos-budget"}
    assert theirs.read_text(encoding="utf-8") == THEIRS


def test_the_price_is_theirs_and_so_is_the_arithmetic_of_its_check(theirs: Path, tmp_path: Path) -> None:
    tariff = tariff_of_snapshot(rehearse(theirs, tmp_path, ORIGIN).snapshot)
    row = {"model": "big", "provider": "house", "upstream_model": "big-1", "ts_start": "2026-11-21T12:00:00.000Z"}
    counts = {"tokens_in": 3, "tokens_cache_read": 1, "tokens_cache_write_5m": 1}
    counts |= {"tokens_cache_write_1h": 0, "tokens_out": 2, "tokens_reasoning": 1}
    assert tariff(row, counts) == 3 * 3_100 + 311 + 4_000 + 3 * 15_000  # 310.5 is rounded half up
    with pytest.raises(NoPrice):
        tariff({**row, "provider": "openai"}, counts)


def test_the_sample_is_sound(tmp_path: Path) -> None:
    found = rehearse(None, tmp_path, ORIGIN)
    assert {linked.origin for linked in found.snapshot.providers.values()} == {ORIGIN}
    assert len(found.targets) == 9


def test_a_wrong_configuration_is_told_of_as_ever(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("modles: {}\n", encoding="utf-8")
    with pytest.raises(ConfigError):
        rehearse(wrong, tmp_path, ORIGIN)


def test_nothing_to_ask_for_is_an_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty.yaml"
    empty.write_text("providers: {house: {dialect: gemini, base_url: 'http://127.0.0.1:1/v1beta'}}\n", encoding="utf-8")
    with pytest.raises(BasculeError, match="nothing can be asked for"):
        rehearse(empty, tmp_path, ORIGIN)
