"""Money before, during and after an attempt: what is held, when it is refused, what is released."""

import pytest
from tests.playbooks.engine.conftest import CONFIG, OTHER, Begin, budget, strict
from tests.playbooks.engine.holds import ALIASES, hold_of, limit
from tests.playbooks.engine.wire import (
    DONE,
    HI,
    ROLE,
    STOP,
    a_stream,
    answered,
    chat,
    messages,
    openai_error,
    streamed,
    text,
    used,
)

from bascule.model.money import usd_text
from bascule.testing.transport import broken, stream


def test_the_first_hold_covers_the_dearest_candidate_and_later_ones_their_own(begin: Begin) -> None:
    small, big = hold_of(begin, "lite"), hold_of(begin, "dear")
    assert 2 * small < big
    world = begin(openai_error(500), openai_error(500), answered(), more=strict("1"))
    assert world.ask(chat("auto")).status == 200
    assert [(row.model, row.hold_nanousd) for row in world.rows] == [("small", big), ("big", big), ("small", small)]


def test_a_hold_is_the_worst_case(begin: Begin) -> None:
    """100 tokens out at 10,000 nano-USD, and at least a token for every byte in."""
    assert hold_of(begin, "lite") >= 100 * 10_000 + len(str(HI)) * 1_000
    more = hold_of(begin, "lite", max_tokens=200) - hold_of(begin, "lite", max_tokens=100)
    assert more == 100 * 10_000


def test_the_number_of_answers_multiplies_the_output(begin: Begin) -> None:
    assert hold_of(begin, "lite", n=3) - hold_of(begin, "lite", n=1) == 2 * 100 * 10_000


def test_what_does_not_fit_is_refused_with_both_figures_before_anything_is_sent(begin: Begin) -> None:
    needed = hold_of(begin, "lite")
    world = begin(more=ALIASES + "\n" + strict(limit(needed - 1)))
    for answer in (
        world.ask(chat("lite")),
        world.ask(chat("lite", stream=True)),
    ):
        assert answer.status == 402
        assert answer.error["code"] == "insufficient_quota"
        assert answer.error["left_usd"] == usd_text(needed - 1)
        assert answer.error["scope"] == "key:ci"
        assert answer.header("x-should-retry") == "false"
        assert (world.decision(answer).refusal or "").startswith("budget_exhausted: ")
    assert world.upstream.calls == []
    assert world.rows == []
    assert world.ask(messages("lite"), surface="anthropic_messages").status == 402


def test_a_refusal_names_the_candidate_that_was_held_for_where_a_cheaper_one_would_fit(begin: Begin) -> None:
    world = begin(more=strict(limit(hold_of(begin, "dear") - 1)))
    message = world.ask(chat("auto")).error["message"]
    assert "big-up, the dearest of its candidates" in message
    assert "on_exhausted: degrade" in message
    alone = begin(more=ALIASES + "\n" + strict(limit(hold_of(begin, "dear") - 1)))
    assert "degrade" not in alone.ask(chat("dear")).error["message"]


def test_what_fits_exactly_is_served(begin: Begin) -> None:
    needed = hold_of(begin, "lite")
    world = begin(answered(), more=ALIASES + "\n" + strict(limit(needed)))
    assert world.ask(chat("lite")).status == 200


def test_an_unknown_bill_uses_its_hold_up_so_the_next_attempt_may_not_fit(begin: Begin) -> None:
    big = hold_of(begin, "dear")
    world = begin(broken("reset"), more=strict(limit(2 * big - 1)))
    answer = world.ask(chat("auto"))
    assert answer.status == 402
    assert answer.error["needed_usd"] == usd_text(big)
    assert answer.error["left_usd"] == usd_text(big - 1)
    assert len(world.upstream.calls) == 1
    assert world.row.cost_nanousd == big
    assert world.budget("key:ci").settled_nanousd == big


def test_a_failure_that_cost_nothing_leaves_the_money_for_the_next_attempt(begin: Begin) -> None:
    big = hold_of(begin, "dear")
    world = begin(openai_error(500), answered(), more=strict(limit(big)))
    assert world.ask(chat("auto")).status == 200


def test_an_absent_cap_is_halved_until_it_fits(begin: Begin) -> None:
    """The model's maximum is 4,000 tokens, which are 0.04 USD."""
    for limit_usd, sent in (("1", 4_000), ("0.030", 2_000), ("0.012", 1_000), ("0.0061", 500), ("0.0040", 256)):
        world = begin(answered(), more=strict(limit_usd))
        assert world.ask(chat(max_tokens=None)).status == 200
        assert world.upstream.body()["max_tokens"] == sent
        assert sent * 10_000 < (world.row.hold_nanousd or 0) <= float(limit_usd) * 1e9


def test_an_absent_cap_is_not_halved_below_256(begin: Begin) -> None:
    world = begin(more=strict("0.0026"))
    answer = world.ask(chat(max_tokens=None))
    assert answer.status == 402
    assert float(answer.error["needed_usd"]) > 256 * 10_000 / 1e9
    assert world.upstream.calls == []


def test_an_absent_cap_stays_absent_where_no_budget_applies(begin: Begin) -> None:
    world = begin(answered(), more=strict("1"))
    world.ask(chat(max_tokens=None), key=OTHER)
    assert "max_tokens" not in world.upstream.body()


def test_a_clients_own_cap_is_never_shrunk_to_fit(begin: Begin) -> None:
    world = begin(answered(), more=strict("0.030"))
    assert world.ask(chat(max_tokens=4_000)).status == 402
    assert world.ask(chat(max_tokens=2_500)).status == 200
    assert world.upstream.body()["max_tokens"] == 2_500


def test_a_keys_cap_is_sent_and_held(begin: Begin) -> None:
    config = CONFIG.replace('ci: {secret: "env:CI_KEY"', 'ci: {max_output_tokens: 40, secret: "env:CI_KEY"')
    world = begin(answered(), answered(), answered(), config=config)
    for wished, sent in ((100, 40), (None, 40), (30, 30)):
        world.ask(chat(max_tokens=wished))
        assert world.upstream.body()["max_tokens"] == sent
    assert all((row.hold_nanousd or 0) < 100 * 10_000 for row in world.rows)


def test_max_cost_bounds_the_hold(begin: Begin) -> None:
    world = begin(answered())
    assert world.ask(chat(max_tokens=4_000), headers={"x-bascule-max-cost-usd": "0.02"}).status == 402
    assert world.ask(chat(max_tokens=None), headers={"x-bascule-max-cost-usd": "0.02"}).status == 200
    assert world.upstream.body()["max_tokens"] == 1_000


def test_what_has_no_price_is_refused_where_a_budget_can_refuse(begin: Begin) -> None:
    for mode, status in (("strict", 402), ("expected", 402), ("warn", 200)):
        world = begin(answered(), more=budget("1", mode))
        answer = world.ask(chat("riddle"))
        assert answer.status == status
        assert len(world.upstream.calls) == (status == 200)
        if status == 402:
            assert answer.error["code"] == "unpriceable"
            assert (world.decision(answer).refusal or "").startswith("unpriceable: ")


def picture(url: str, model: str = "sight") -> dict[str, object]:
    parts = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    return chat(model, messages=[{"role": "user", "content": parts}])


URL = "https://example.com/cat.png"
INLINE = "data:image/png;base64," + "A" * 1_000


def test_an_image_behind_a_url_has_no_bound_so_a_strict_budget_refuses_it(begin: Begin) -> None:
    world = begin(answered(), more=strict("1"))
    answer = world.ask(picture(URL))
    assert answer.status == 402
    assert answer.error["code"] == "unpriceable"
    assert "image_url" in answer.error["message"]
    assert world.upstream.calls == []
    assert world.ask(picture(INLINE)).status == 200


def test_an_image_behind_a_url_is_an_estimate_elsewhere(begin: Begin) -> None:
    for mode in ("expected", "warn"):
        assert begin(answered(), more=budget("1", mode)).ask(picture(URL)).status == 200
    assert begin(answered()).ask(picture(URL)).status == 200


def test_a_model_that_is_free_needs_no_bound_and_no_money(begin: Begin) -> None:
    world = begin(*[answered() for _ in range(3)], more=strict("0.000000001"))
    assert world.ask(chat("own")).status == 200
    assert world.ask(picture(INLINE, "own")).status == 200
    assert world.ask(picture(URL, "own")).status == 200
    assert [(row.hold_nanousd, row.cost_nanousd) for row in world.rows] == [(0, 0)] * 3


@pytest.mark.parametrize("in_stream", [False, True])
def test_a_zero_for_an_answer_that_was_seen_does_not_lift_a_strict_budget(begin: Begin, in_stream: bool) -> None:
    whole = answered(tokens_in=0, tokens_out=0)
    once = stream(ROLE, text("hello"), STOP, used(0, 0), DONE) if in_stream else whole
    world = begin(*[once] * 9, more=strict("0.01"))
    asked = chat(max_tokens=300, stream=in_stream)
    statuses = [world.ask(asked).status for _ in range(9)]
    assert statuses[0] == 200
    assert statuses[-1] == 402
    first = world.rows[0]
    assert (first.cost_nanousd, first.charged_nanousd) == (0, first.hold_nanousd)
    assert (first.usage_source, "zero" in first.usage_flags) == ("reported", True)
    assert world.gateway.authority.open_holds == 0


def test_a_zero_where_nothing_was_generated_costs_nothing(begin: Begin) -> None:
    for mode, said in (("strict", ""), ("expected", "hello")):
        world = begin(answered(said, tokens_in=0, tokens_out=0), more=budget("0.01", mode))
        assert world.ask(chat()).status == 200
        assert [(row.cost_nanousd, row.charged_nanousd) for row in world.rows] == [(0, 0)]


def test_base64_bytes_are_not_counted_as_text(begin: Begin) -> None:
    world = begin(answered(), answered(), more=strict("10"))
    world.ask(picture(INLINE))
    world.ask(picture("data:image/png;base64," + "A" * 500_000))
    assert world.rows[0].hold_nanousd == world.rows[1].hold_nanousd


def test_expected_holds_less_than_strict_and_warn_never_refuses(begin: Begin) -> None:
    loose = begin(answered(), more=budget("1", "expected"))
    loose.ask(chat(messages=[{"role": "user", "content": "word " * 1_000}]))
    tight = begin(answered(), more=strict("1"))
    tight.ask(chat(messages=[{"role": "user", "content": "word " * 1_000}]))
    assert (loose.row.hold_nanousd or 0) < (tight.row.hold_nanousd or 0)
    warned = begin(answered(), answered(), more=budget("0.00007", "warn"))
    assert [warned.ask(chat()).status for _ in range(2)] == [200, 200]
    assert warned.budget("key:ci").left_nanousd < 0


def test_degrade_keeps_to_candidates_that_can_be_afforded(begin: Begin) -> None:
    small, big = hold_of(begin, "lite"), hold_of(begin, "dear")
    between = limit((small + big) // 2)
    assert begin(more=strict(between)).ask(chat("auto")).status == 402
    world = begin(answered(), more=strict(between, on_exhausted="degrade"))
    answer = world.ask(chat("auto"))
    assert answer.header("x-bascule-model") == "small"
    assert world.row.hold_nanousd == small
    assert ("two/big-up", "not affordable") in world.decision(answer).rejected
    spent = begin(more=strict(limit(small - 1), on_exhausted="degrade"))
    refused = spent.ask(chat("auto"))
    assert refused.status == 402
    assert refused.error["needed_usd"] == usd_text(small)


def test_degrade_does_not_fail_over_to_what_cannot_be_afforded(begin: Begin) -> None:
    small, big = hold_of(begin, "lite"), hold_of(begin, "dear")
    world = begin(openai_error(503), answered(), more=strict(limit((small + big) // 2), on_exhausted="degrade"))
    assert world.ask(chat("auto")).header("x-bascule-model") == "small"
    assert [host for _, host in world.did("call")] == ["one.test", "one.test"]


def test_finish_session_keeps_the_last_tenth_for_sessions_that_are_running(begin: Begin) -> None:
    hold = hold_of(begin, "lite")
    world = begin(more=ALIASES + "\n" + strict(limit(10 * hold), on_exhausted="finish_session"))
    old, new = {"x-bascule-session": "old"}, {"x-bascule-session": "new"}
    cost = 9 * hold - hold + 1  # nearly nine tenths
    world.upstream.replies = [answered(tokens_in=0, tokens_out=cost // 10_000 + 1), answered(), answered()]
    assert world.ask(chat("lite"), headers=old).status == 200
    assert world.ask(chat("lite"), headers=new).status == 402
    assert world.ask(chat("lite")).status == 402
    assert world.ask(chat("lite"), headers=old).status == 200
    assert world.budget("key:ci").settled_nanousd <= 10 * hold


def test_a_free_request_does_not_open_what_is_kept_back_to_a_new_session(begin: Begin) -> None:
    hold = hold_of(begin, "lite")
    world = begin(more=ALIASES + "\n" + strict(limit(10 * hold), on_exhausted="finish_session"))
    old, new = {"x-bascule-session": "old"}, {"x-bascule-session": "new"}
    nearly_nine = 8 * hold + 1
    world.upstream.replies = [answered(tokens_in=0, tokens_out=nearly_nine // 10_000 + 1), answered(), answered()]
    assert world.ask(chat("lite"), headers=old).status == 200
    assert world.ask(chat("own"), headers=new).status == 200
    assert world.ask(chat("lite"), headers=new).status == 402
    assert world.ask(chat("lite"), headers=old).status == 200


def test_a_stream_that_is_served_settles_like_a_whole_answer(begin: Begin) -> None:
    world = begin(a_stream(), more=strict("1"))
    world.ask(streamed())
    assert world.budget("key:ci").settled_nanousd == 60_000


@pytest.mark.parametrize("sent", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("obeyed", ["max_tokens", "max_completion_tokens"])
def test_a_held_cap_is_sent_in_the_field_that_the_provider_obeys(begin: Begin, sent: str, obeyed: str) -> None:
    """In the other field a provider may overlook it, and then nothing bounds the bill."""
    config = CONFIG.replace('api_key: "env:ONE_KEY"', f'api_key: "env:ONE_KEY", max_tokens_field: {obeyed}')
    world = begin(answered(), answered(), config=config, more=strict("1"))
    world.ask(chat(**{"max_tokens": None, sent: 100}))
    body = world.upstream.body()
    assert {name: body.get(name) for name in ("max_tokens", "max_completion_tokens")} == {
        **dict.fromkeys(("max_tokens", "max_completion_tokens")),
        obeyed: 100,
    }
    world.ask(chat(max_tokens=200, max_completion_tokens=100))
    assert (
        world.rows[1].hold_nanousd
        == (world.rows[0].hold_nanousd or 0)
        + 100 * 10_000
        + len(', "max_completion_tokens": 100' if sent == "max_tokens" else ', "max_tokens": 200') * 1_000
    )
