"""Laws of the hold: it covers the bill, and halving finds a cap whenever one of at least 256 tokens is affordable."""

from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.calibration import Calibration
from bascule.decide.estimate import Asked, HoldPlan, Priced, fit_calls, fit_output, hold_amount, output_cap
from bascule.decide.meter import bill, settle_usage
from bascule.decide.price import dearest_rates, price
from bascule.model.budget import BudgetState
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.money import PricePeriod, PriceTimeline, Rates
from bascule.model.usage import NO_USAGE, Usage

RATE = st.integers(0, 100_000_000)
CAP = st.none() | st.integers(1, 200_000)


def left(amount: int) -> BudgetState:
    return BudgetState(
        scope="key:k", window_id="total", mode="strict", limit_nanousd=amount, settled_nanousd=0, held_nanousd=0
    )


@given(
    client=CAP,
    key_cap=CAP,
    model_max=CAP,
    n=st.integers(1, 4),
    thinking=st.integers(0, 5_000),
    input_tokens=st.integers(0, 300_000),
    rates=st.builds(Rates, input=RATE, output=RATE),
    remaining=st.integers(0, 10**10),
)
def test_an_affordable_cap_is_found_if_and_only_if_there_is_one(
    client, key_cap, model_max, n, thinking, input_tokens, rates, remaining
):
    facts = Facts(model="m", max_tokens=client, n=n)
    cap = output_cap(facts, key_cap, None, model_max)
    least = cap.tokens if client is not None else min(cap.tokens, 256)
    needed = hold_amount(input_tokens, least + thinking, n, rates)
    priced = Priced(input_tokens=input_tokens, rates=rates, cap=cap, thinking_tokens=thinking)
    outcome = fit_output(facts, [priced], left(remaining))
    if isinstance(outcome, Refusal):
        assert needed is not None
        assert needed > remaining
        assert (outcome.needed_nanousd, outcome.left_nanousd) == (needed, remaining)
        return
    assert needed is not None
    assert outcome.amount_nanousd is not None
    assert outcome.amount_nanousd <= remaining or outcome.amount_nanousd == 0
    (tokens,) = outcome.max_tokens
    assert least <= tokens <= cap.tokens
    assert client is None or tokens == cap.tokens
    assert outcome.amount_nanousd == hold_amount(input_tokens, tokens + thinking, n, rates)
    if tokens < cap.tokens:
        doubled = hold_amount(input_tokens, min(2 * tokens + 1, cap.tokens) + thinking, n, rates)
        assert doubled is not None
        assert doubled > remaining


@given(st.data())
def test_the_hold_covers_whatever_classes_the_tokens_turn_out_to_be(data):
    """Any split of bounded usage over cache classes and reasoning costs at most the hold at the dearest rates."""
    draw = data.draw
    rates = Rates(
        input=draw(RATE),
        output=draw(RATE),
        cache_read=draw(st.none() | RATE),
        cache_write_5m=draw(st.none() | RATE),
        cache_write_1h=draw(st.none() | RATE),
        reasoning=draw(st.none() | RATE),
        request_fee=draw(st.none() | RATE),
    )
    timeline = PriceTimeline(periods=(PricePeriod(from_ms=0, rates=rates),), source="test")
    parts = draw(st.lists(st.integers(0, 5_000), min_size=4, max_size=4))
    out, reasoning = draw(st.integers(0, 5_000)), draw(st.integers(0, 5_000))
    usage = Usage(
        tokens_in=parts[0],
        tokens_cache_read=parts[1],
        tokens_cache_write_5m=parts[2],
        tokens_cache_write_1h=parts[3],
        tokens_out=out,
        tokens_reasoning=reasoning,
        source="reported",
    )
    slack = draw(st.integers(0, 100))
    dearest = dearest_rates(timeline, 1, sum(parts) + slack)
    assert dearest is not None
    hold = hold_amount(sum(parts) + slack, out + reasoning, 1, dearest)
    bill = price(usage, timeline, 1)
    assert hold is not None
    assert bill is not None
    assert bill.cost_nanousd <= hold


@given(
    st.lists(
        st.tuples(st.integers(1, 200_000), RATE, RATE, st.booleans()).map(
            lambda t: (t[0], Rates(input=t[1], output=t[2]), t[3])
        ),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 10**9),
    st.booleans(),
    st.none() | st.integers(0, 10**9),
)
def test_the_plan_covers_every_candidate_it_keeps(candidates, remaining, degrade, max_cost):
    facts = Facts(model="m")
    priced = [
        Priced(input_tokens=tokens, rates=None if unknown else rates, cap=output_cap(facts, None, None, None))
        for tokens, rates, unknown in candidates
    ]
    plan = fit_output(facts, priced, left(remaining), max_cost_nanousd=max_cost, degrade=degrade)
    if isinstance(plan, Refusal):
        assert plan.http_status == 402
        return
    assert isinstance(plan, HoldPlan)
    assert plan.candidates
    assert plan.amount_nanousd is not None
    assert plan.amount_nanousd <= min(remaining, remaining if max_cost is None else max_cost)
    for position, tokens in zip(plan.candidates, plan.max_tokens, strict=True):
        rates = priced[position].rates
        assert rates is not None
        amount = hold_amount(priced[position].input_tokens, tokens, 1, rates)
        assert amount is not None
        assert amount <= plan.amount_nanousd


COUNT = st.none() | st.integers(0, 10**6)


@given(
    usage=st.just(NO_USAGE)
    | st.builds(
        Usage,
        tokens_in=COUNT,
        tokens_cache_read=COUNT,
        tokens_out=COUNT,
        tokens_reasoning=COUNT,
        source=st.just("reported"),
    ),
    output_bytes=st.integers(0, 10**6),
    ending=st.sampled_from(("completed", "cut", "client_gone", "failed", "unknown")),
    text_bytes=st.integers(0, 10**6),
)
def test_metering_never_goes_below_what_was_reported(usage, output_bytes, ending, text_bytes):
    settled = settle_usage(
        usage,
        output_bytes=output_bytes,
        facts=Facts(model="m", text_bytes=text_bytes),
        ending=ending,
        calibration=Calibration(),
    )
    if bill(settled) == "hold":
        assert ending == "unknown"
        return  # the hold is above whatever was reported by then
    assert settled.billed_input >= usage.billed_input
    assert settled.billed_output >= usage.billed_output
    for seen, kept in ((usage.tokens_in, settled.tokens_in), (usage.tokens_out, settled.tokens_out)):
        if ending == "completed" and seen is not None:
            assert kept == seen
    if usage.source == "none" and ending in ("completed", "cut", "client_gone"):
        assert settled.source == "estimated"
        assert settled.tokens_in is not None
        assert settled.tokens_out is not None


CALL = st.tuples(st.integers(1, 100_000), RATE, RATE, CAP, st.integers(1, 4))


@given(st.lists(CALL, min_size=1, max_size=5), st.integers(0, 10**10), st.none() | st.integers(0, 10**10))
def test_the_calls_of_a_strategy_fit_together_or_not_at_all(calls, remaining, max_cost):
    """Their sum fits what is left; where it is refused, no common cut of outputs of at least 256 tokens would fit."""
    asked = []
    for tokens, rate_in, rate_out, client, times in calls:
        facts = Facts(model="m", max_tokens=client)
        priced = Priced(
            input_tokens=tokens,
            rates=Rates(input=rate_in, output=rate_out),
            cap=output_cap(facts, None, None, 50_000),
        )
        asked.append(Asked(facts=facts, candidates=(priced,), times=times))
    found = fit_calls(asked, left(remaining), max_cost_nanousd=max_cost)
    limit = remaining if max_cost is None else min(remaining, max_cost)
    least = 0
    for call in asked:
        (priced,) = call.candidates
        assert priced.rates is not None
        tokens = priced.cap.tokens if priced.cap.from_client else min(priced.cap.tokens, 256)
        amount = hold_amount(priced.input_tokens, tokens, 1, priced.rates)
        assert amount is not None
        least += amount * call.times
    if isinstance(found, Refusal):
        assert least > limit
        assert found.needed_nanousd == least
        return
    assert least <= limit
    total = 0
    for call, plan in zip(asked, found, strict=True):
        (priced,) = call.candidates
        assert priced.rates is not None
        assert plan.amount_nanousd == hold_amount(priced.input_tokens, plan.max_tokens[0], 1, priced.rates)
        assert not priced.cap.from_client or plan.max_tokens[0] == priced.cap.tokens
        total += (plan.amount_nanousd or 0) * call.times
    assert total <= limit
