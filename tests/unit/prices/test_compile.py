"""The committed table is what its sources compile to."""

import importlib.util
import json
from pathlib import Path

import msgspec
import pytest
from genai_prices.types import ClauseEquals, ModelInfo, ModelPrice

from bascule.prices.table import TABLE_PATH, PricedModel, read_provider, read_table

SCRIPT = Path(__file__).parents[3] / "scripts" / "compile_prices.py"
spec = importlib.util.spec_from_file_location("compile_prices", SCRIPT)
assert spec is not None
assert spec.loader is not None
compile_prices = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compile_prices)


def test_recompiling_changes_nothing() -> None:
    assert compile_prices.compile_table() == TABLE_PATH.read_bytes(), "run scripts/compile_prices.py and commit"


def test_every_provider_decodes_and_nothing_in_the_table_is_unknown_to_its_shape() -> None:
    class Strict(PricedModel, frozen=True, forbid_unknown_fields=True):
        pass

    table = read_table()
    for raw in table.providers.values():
        assert read_provider(raw).models
        msgspec.convert(json.loads(bytes(raw))["models"], list[Strict])


def test_edges_of_tiers_ascend() -> None:
    for raw in read_table().providers.values():
        for model in read_provider(raw).models:
            for period in model.periods:
                edges = [tier.above_input_tokens for tier in period.tiers]
                assert edges == sorted(set(edges)), model.id


def test_a_price_of_an_unknown_kind_stops_the_compiler() -> None:
    model = ModelInfo(id="m", match=ClauseEquals("m"), prices=ModelPrice(input_dreams_kcount=1))  # type: ignore[arg-type]
    with pytest.raises(SystemExit, match="input_dreams_kcount"):
        list(compile_prices._periods(model, free=False))
