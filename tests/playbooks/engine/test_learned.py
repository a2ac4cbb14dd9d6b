"""A route whose candidates a learned router orders, through the engine."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.playbooks.engine.conftest import CONFIG, ENVIRONMENT, Begin
from tests.playbooks.engine.wire import answered, chat

from bascule.compose import read_document, snapshot_of
from bascule.learned import predictor
from bascule.learned.embedder import Embedder
from bascule.learned.features import see
from bascule.learned.file import ModelFile, save
from bascule.learned.policy import Means, Policy
from bascule.learned.training import Gain, Trained
from bascule.model.errors import ConfigError

EASY, HARD = "What is the capital of {}?", "Prove that every {} of a compact space is closed under limits."
WORDS = ("France", "Peru", "Kenya", "Japan", "group", "set", "map", "point", "line", "sum")


def trained(*, gain: float = 0.05) -> Trained:
    """`weak` answers the easy prompts as well as `strong`, at a tenth of the price, and never the hard ones."""
    prompts = [text.format(word) for word in WORDS for text in (EASY, HARD)] * 8
    labels = ["qa", "proof"] * (len(prompts) // 2)
    hard = np.array([label == "proof" for label in labels])
    quality = np.column_stack([~hard, np.ones(len(hard))]).astype(float)
    cost = np.column_stack([np.full(len(hard), 0.1), np.ones(len(hard))])
    fitted = predictor.fitted(see(prompts, labels, Embedder()), quality, cost)
    policy = Policy(Means(quality.mean(axis=0), cost.mean(axis=0)), fitted)
    found = Gain("singles", gain, 0.01, {"0.95": 0.2, "0.98": 0.1, "1.0": 0.0})
    return Trained(policy, ("weak", "strong"), len(prompts), (found,), "made", np.zeros(1, np.uint64))


def config(folder: Path, made: Trained | None, more: str = "", *, names: str = "{small: weak, big: strong}") -> str:
    if made is not None:
        save(folder / "router.npz", ModelFile({"mine": made}, 0))
    learned = f"{{file: {folder / 'router.npz'}, set: mine, names: {names}{more}}}"
    return CONFIG.replace(
        "  auto: {candidates: [small, big]}", f"  auto: {{candidates: [small, big], learned: {learned}}}"
    )


def ask(prompt: str, **more: Any) -> dict[str, Any]:
    return chat("auto", messages=[{"role": "user", "content": prompt}], **more)


def test_each_prompt_goes_to_the_model_that_is_worth_most(begin: Begin, tmp_path: Path) -> None:
    world = begin(config=config(tmp_path, trained()))
    world.upstream.answer = lambda call: answered()
    for prompt, task, model in ((EASY.format("Chile"), "qa", "small"), (HARD.format("subset"), "proof", "big")):
        found = world.ask(ask(prompt), headers={"x-bascule-task": task})
        assert (found.header("x-bascule-model"), found.header("x-bascule-reason")) == (model, "learned")
        said = {one["model"]: one["predicted"] for one in world.decision(found).candidates}
        assert said[model]["worth"] == max(one["worth"] for one in said.values())


def test_the_price_of_quality_is_what_training_fixed(begin: Begin, tmp_path: Path) -> None:
    made = trained()
    prices = replace(made.gains[0], price_at={"0.95": 10.0, "0.98": 10.0, "1.0": 0.0})
    for percent, model in (("95", "small"), ("100", "big")):
        text = config(tmp_path, replace(made, gains=(prices,)), f", percent_of_best: {percent}")
        world = begin(config=text)
        world.upstream.answer = lambda call: answered()
        found = world.ask(ask(HARD.format("net")), headers={"x-bascule-task": "proof"})
        assert found.header("x-bascule-model") == model


def test_what_gains_less_than_its_error_orders_nothing(begin: Begin, tmp_path: Path) -> None:
    world = begin(config=config(tmp_path, trained(gain=0.009)))
    world.upstream.answer = lambda call: answered()
    found = world.ask(ask(HARD.format("subset")), headers={"x-bascule-task": "proof"})
    assert (found.header("x-bascule-model"), found.header("x-bascule-reason")) == ("small", "cheapest")


def test_floors_outrank_what_was_learned(begin: Begin, tmp_path: Path) -> None:
    text = config(tmp_path, trained()).replace("[small, big], learned", "[small, big], quality: 0.8, learned")
    text = text.replace("  small: {", "  small: {quality: 0.5, ").replace("  big: {", "  big: {quality: 0.9, ")
    world = begin(config=text)
    world.upstream.answer = lambda call: answered()
    found = world.ask(ask(EASY.format("Chile")), headers={"x-bascule-task": "qa"})
    assert found.header("x-bascule-model") == "big"


def test_a_candidate_that_the_set_has_not_comes_last(begin: Begin, tmp_path: Path) -> None:
    world = begin(config=config(tmp_path, trained(), names="{big: strong}"))
    world.upstream.answer = lambda call: answered()
    found = world.ask(ask(EASY.format("Chile")), headers={"x-bascule-task": "qa"})
    assert (found.header("x-bascule-model"), found.header("x-bascule-reason")) == ("big", "learned")


def test_a_share_that_training_never_reached_is_a_mistake(tmp_path: Path) -> None:
    made = trained()
    never = replace(made.gains[0], price_at={"0.95": 0.2, "0.98": None, "1.0": None})
    path = tmp_path / "bascule.yaml"
    path.write_text(config(tmp_path, replace(made, gains=(never,))), encoding="utf-8")
    with pytest.raises(ConfigError, match="no price of quality reached 98 %"):
        snapshot_of(read_document(str(path), ENVIRONMENT), ENVIRONMENT, stored_keys=False)


@pytest.mark.parametrize(
    ("names", "word"),
    [("{small: nobody, big: none}", "say by `names`"), ("{smal: weak}", "is no candidate"), (None, "is not there")],
)
def test_a_file_that_cannot_be_used_is_a_mistake_of_the_configuration(
    tmp_path: Path, names: str | None, word: str
) -> None:
    path = tmp_path / "bascule.yaml"
    path.write_text(config(tmp_path, trained() if names else None, names=names or "{small: weak}"), encoding="utf-8")
    with pytest.raises(ConfigError, match=word):
        snapshot_of(read_document(str(path), ENVIRONMENT), ENVIRONMENT, stored_keys=False)


def test_odd_prompts_are_decided_on_as_well(begin: Begin, tmp_path: Path) -> None:
    world = begin(config=config(tmp_path, trained()))
    world.upstream.answer = lambda call: answered()
    for prompt in ("", "\x00", "𝔘" * 5_000, "\u202e" * 100, "9" * 100_000):
        assert world.ask(ask(prompt)).status == 200


def test_a_classifier_says_the_task_where_plain_rules_do_not(begin: Begin) -> None:
    rules = """rules: [{when: 'task == "math"', candidates: [big]}]"""
    for classify, model in (("false", "small"), ("true", "big")):
        route = f"  auto: {{candidates: [small], classify: {classify}, {rules}}}"
        world = begin(config=CONFIG.replace("  auto: {candidates: [small, big]}", route))
        world.upstream.answer = lambda call: answered()
        sum_of = "Find all real roots of x^2 - 7x + 12 = 0."
        assert world.ask(ask(sum_of)).header("x-bascule-model") == model
        # What the client or a rule says goes first.
        assert world.ask(ask(sum_of), headers={"x-bascule-task": "chat"}).header("x-bascule-model") == "small"
