import pytest

from bascule.config.load import load_text

FILE = """
providers: {{one: {{dialect: openai_chat, base_url: "http://127.0.0.1:1/v1", api_key: none}}}}
models:
  small: {{endpoints: [{{provider: one, model: s}}], price: {{input: 1, output: 1}}}}
  big: {{endpoints: [{{provider: one, model: b}}], price: {{input: 1, output: 1}}}}
routes:
  auto: {{candidates: [small, big], {more}evidence: {{{evidence}}}}}
"""
GOOD = "incumbent: big, challengers: [small], graders: {regex: yes}"


def test_what_is_right_passes() -> None:
    document = load_text(FILE.format(more="", evidence=f"{GOOD}, max_usd_per_day: 2.50"))
    assert document.problems == ()
    asked = document.config.routes["auto"].evidence
    assert asked is not None
    assert asked.max_nanousd_per_day == 2_500_000_000


@pytest.mark.parametrize(
    ("evidence", "more", "told"),
    [
        (GOOD.replace("big", "bigg"), "", "`bigg` is no candidate"),
        (GOOD.replace("[small]", "[small, small]"), "", "named twice"),
        (GOOD.replace("[small]", "[big]"), "", "named twice"),
        ("incumbent: big, challengers: [small]", "", "nothing says which answer is better"),
        (GOOD.replace("yes", '"("'), "", "cannot be used"),
        (f"{GOOD}, holdout: 0.95, canary_share: 0.1", "", "nothing is left for the incumbent"),
        (GOOD, "strategy: race, ", "strategy besides"),
        (f"{GOOD}, margin: 0", "", "margin"),
        (f"{GOOD}, marginn: 0.1", "", "marginn"),
    ],
)
def test_mistakes_are_named(evidence: str, more: str, told: str) -> None:
    problems = load_text(FILE.format(more=more, evidence=evidence)).problems
    assert any(told in f"{one.where} {one.what}" and one.remedy for one in problems), problems
