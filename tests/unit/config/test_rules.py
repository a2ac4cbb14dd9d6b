"""CEL rules: mistakes are found when the file is read, faults at run time never match and never crash."""

from typing import Any

import pytest

from bascule.config.rules import FACT_SAMPLES, CompiledRules, mistake
from bascule.decide.rules import RULE_FACTS
from bascule.model.policy import Rule


def rules(*texts: str) -> CompiledRules:
    return CompiledRules(tuple([Rule(when=text, quality=float(index)) for index, text in enumerate(texts)]))


def facts(**changes: Any) -> dict[str, Any]:
    return {**FACT_SAMPLES, **changes}


def test_the_samples_are_the_facts_that_routing_gives() -> None:
    assert list(FACT_SAMPLES) == [name for name, _ in RULE_FACTS]


@pytest.mark.parametrize("name", list(FACT_SAMPLES))
def test_every_fact_can_be_named(name: str) -> None:
    assert mistake(f"{name} == {name}") is None


@pytest.mark.parametrize(
    "text",
    [
        'task == "security_audit"',
        "has_image",
        'task in ["a", "b"] && !stream',
        'tags.feature == "search"',
        'tags["a b"] == "x"',
        '"feature" in tags && tags.feature.startsWith("s")',
        "tags.exists(k, k == 'x')",
        "max_tokens > 1000 || est_input_tokens > 5000",
        "hour_utc >= 16 || hour_utc < 1",
        'model.matches("^gpt-.*") && size(user) > 0',
        "true",
    ],
)
def test_good_rules(text: str) -> None:
    assert mistake(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('tsk == "x"', "Did you mean `task`?"),
        ("has_image &&", "not CEL"),
        ("", "not CEL"),
        ("tools", "not a question"),
        ("1", "not a question"),
        ("task > 5", "different types"),
        ("startswith(task)", "Did you mean `startsWith`?"),
        ("now() > 5", "not a function"),
        ("tags.exists(k, kk == 'x')", "`kk`"),
        ('model.matches("(")', "cannot be evaluated"),
        ("env.SECRET == 'x'", "`env`"),
    ],
)
def test_bad_rules_say_what_is_wrong(text: str, says: str) -> None:
    found = mistake(text)
    assert found is not None
    assert says in f"{found.what} {found.remedy}"


def test_first_match_wins() -> None:
    compiled = rules("has_image", "stream", "true")
    assert compiled.judge(facts(has_image=True)).rule == Rule(when="has_image", quality=0.0)
    assert compiled.judge(facts(has_image=False, stream=True)).rule == Rule(when="stream", quality=1.0)
    assert compiled.judge(facts(has_image=False, stream=False)).rule == Rule(when="true", quality=2.0)
    assert rules("has_image").judge(facts(has_image=False)).rule is None
    assert rules().judge({}).rule is None


def test_a_rule_that_raises_does_not_match_and_is_reported() -> None:
    compiled = rules('tags["missing"] == "x"', "max_tokens > 10", "1 / messages == 1", "stream")
    verdict = compiled.judge(facts(tags={}, max_tokens=None, messages=0, stream=True))
    assert verdict.rule == Rule(when="stream", quality=3.0)
    assert len(verdict.faults) == 3
    assert all("does not apply" in fault for fault in verdict.faults)


def test_only_true_is_a_match() -> None:
    assert rules("dyn(1)").judge(facts()).rule is None
    assert rules("dyn('yes')").judge(facts()).rule is None


@pytest.mark.parametrize("value", ["'; drop", "\x00", "ü" * 10_000, "${x}", '"'])
def test_facts_are_data_not_code(value: str) -> None:
    assert rules("task == 'a'").judge(facts(task=value)).rule is None
