"""Clients who invent names of models: nothing that is remembered by name grows with them."""

from pathlib import Path

import pytest
from tests.playbooks.engine.conftest import CONFIG, ENVIRONMENT, Playbook
from tests.playbooks.engine.wire import answered, chat

from bascule.gateway import calibrations, dispatch, holding
from bascule.gateway.calibrations import Calibrations
from bascule.gateway.metrics import MAX_INVENTED, OTHER, Metrics
from bascule.gateway.wellbeing import BreakerChange
from bascule.model.facts import Facts
from bascule.model.usage import Usage

NAMES = [f"one/invented-{number}" for number in range(MAX_INVENTED + 50)]


def test_no_counter_has_more_names_than_it_may() -> None:
    counted = Metrics()
    counted.configured = frozenset({"big"})
    for name in NAMES:
        counted.model(name, "one").unpriced += 1
        counted.uncached_prompt(name, "one", "cold")
        counted.cache_collapse(name, "one")
        counted.breaker(BreakerChange(kind="endpoint", target=name, state="open"))
    counted.model("big", "one").unpriced += 1
    counted.breaker(BreakerChange(kind="provider", target="one", state="open"))
    assert counted.models["big", "one"].unpriced == 1, "what the operator named is seen, whoever came first"
    assert counted.breaker_changes["provider", "one", "open"] == 1
    assert counted.models[OTHER, "one"].unpriced == 50
    assert sum(one.unpriced for one in counted.models.values()) == len(NAMES) + 1
    for found in (counted.models, counted.uncached_prompts, counted.cache_collapses, counted.breaker_changes):
        assert len(found) <= MAX_INVENTED + 3


def test_what_an_invented_model_taught_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrations, "MAX_ENDPOINTS", 3)
    known, used = Calibrations(), Usage(tokens_in=500, tokens_out=100, source="reported")
    for name in NAMES[:10]:
        known.learn(name, Facts(model=name, text_bytes=1_000, messages=1), used, 400)
    assert len(known._of) == len(known._seen) == 3
    assert known.of(NAMES[9]) != known.of(NAMES[0]) == known.of("never seen")


def test_a_gateway_remembers_as_many_as_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "MAX_DESTINATIONS", 3)
    monkeypatch.setattr(holding, "MAX_CEILINGS", 3)
    world = Playbook(CONFIG, [answered()] * 20, tmp_path, environment=ENVIRONMENT)
    try:
        effects = world.gateway.engine._settings.effects
        known = effects.dispatcher._known, effects.holding._ceilings
        for number in range(8):
            assert world.ask(chat(f"one/gpt-4o-2024-0{number + 1}-01")).status == 200
            assert world.ask(chat()).status == 200
            assert all(len(found) <= 3 for found in known)
        assert "small" in {model for model, _ in world.gateway.metrics.models}
        assert "small" not in world.gateway.metrics._invented
    finally:
        world.close()
