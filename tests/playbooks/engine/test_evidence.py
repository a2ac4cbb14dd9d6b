"""Challengers earn a route's traffic on that traffic, lose it when they turn bad, and delay nobody meanwhile."""

import random
from collections import Counter
from typing import Any

from tests.playbooks.engine.conftest import CONFIG, Begin, Playbook
from tests.playbooks.engine.wire import a_stream, chat, completion, message

from bascule.decide.promotion.trial import State, Trial
from bascule.ports import UpstreamCall
from bascule.testing.exchange import ListExchange
from bascule.testing.transport import HANG_S, Reply, broken, whole

ROUTE = "  auto: {candidates: [small, big]}\n"


def evidence(**more: object) -> str:
    """The configuration with a challenger of `auto`: everything is compared, by a word that right answers have."""
    fields: dict[str, object] = {
        "incumbent": "big",
        "challengers": "[small]",
        "graders": "{contains: [right]}",
        "margin": 0.1,
        "shadow_share": 1,
        "watch_share": 1,
        "canary_sessions": 30,
        "session_s": 0,
        **more,
    }
    asked = ", ".join([f"{name}: {value}" for name, value in fields.items()])
    return CONFIG.replace(ROUTE, f"  auto: {{candidates: [small, big], evidence: {{{asked}}}}}\n")


class Models:
    """Two models that are right in a share of all cases; what they say of themselves can be changed."""

    def __init__(self, small: float = 1.0, big: float = 1.0) -> None:
        self.right = {"one.test": small, "two.test": big}
        self.reported = {"one.test": "small-up", "two.test": "big-up"}
        self.fails: set[str] = set()
        self._draw = random.Random(1)

    def __call__(self, call: UpstreamCall) -> Reply:
        host = call.origin.partition("//")[2]
        if host in self.fails:
            return broken()
        said = "right" if self._draw.random() < self.right[host] else "wrong"
        return whole(completion(said, model=self.reported[host]))


def started(begin: Begin, models: Models, config: str = "", more: str = "") -> Playbook:
    world = begin(config=config or evidence(), more=more)
    world.upstream.answer = models
    return world


def ask(world: Playbook, session: str, **more: Any) -> ListExchange:
    """One request of a session, and the comparison that follows it."""
    world.clock.advance(1.0)
    answer = world.ask(chat("auto", **more), headers={"x-bascule-session": session})
    settle(world)
    return answer


def settle(world: Playbook) -> None:
    world.run(world.gateway.comparisons.over())


def look(world: Playbook) -> None:
    world.run(world.gateway.evidence.refresh())


def trial(world: Playbook) -> Trial:
    """The one that began last."""
    kept = world.store.stores.evidence.trials()
    return max([one.trial for one in kept], key=lambda each: each.opened_ms)


def opened(world: Playbook) -> None:
    """The first request of a case opens its trial; from the next look on it is compared."""
    ask(world, "first")
    look(world)


def sessions(world: Playbook, name: str, count: int) -> Counter[str]:
    """How often each model answered the client."""
    served: Counter[str] = Counter()
    for number in range(count):
        answer = ask(world, f"{name}-{number}")
        served[answer.header("x-bascule-model") or str(answer.status)] += 1
        if number % 10 == 9:
            look(world)
    return served


def states(world: Playbook) -> list[State]:
    return [entry.detail["after"] for entry in world.store.governance.audit() if entry.action.startswith("evidence.")]


def test_promotion_then_a_silent_degradation_then_demotion(begin: Begin) -> None:
    models = Models(small=0.95, big=0.95)
    world = started(begin, models)
    opened(world)
    before = sessions(world, "shadow", 20)
    assert before == {"big": 20}
    sessions(world, "proving", 260)
    assert trial(world).state in ("promoted", "watched")
    assert states(world)[:2] == ["canary", "promoted"]
    promoted = sessions(world, "promoted", 100)
    assert promoted["small"] >= 85  # all but the sessions that are held out
    models.right["one.test"] = 0.55
    sessions(world, "degraded", 150)
    assert trial(world).state == "demoted"
    assert states(world)[-1] == "demoted"
    after = sessions(world, "after", 20)
    assert after == {"big": 20}


def test_the_second_answer_is_a_row_of_its_own_and_the_client_never_sees_it(begin: Begin) -> None:
    world = started(begin, Models(small=0.0))
    opened(world)
    answer = ask(world, "s")
    assert answer.json["choices"][0]["message"]["content"] == "right"
    primary, shadow = world.rows[-2:]
    assert (primary.role, primary.model, primary.reason) == ("primary", "big", "incumbent")
    assert (shadow.role, shadow.model, shadow.reason) == ("shadow", "small", "compared: small")
    assert shadow.request_id == primary.request_id
    assert shadow.session_id == "s"
    assert shadow.cost_nanousd == 60_000
    look(world)
    seen = trial(world)
    assert (seen.capital.count, seen.capital.mean, seen.costs.shadow_nanousd) == (1, -1.0, 60_000)
    assert world.gateway.metrics.comparisons == {("auto", "compared"): 1}


def test_a_shadow_waits_for_nobody_and_nobody_for_it(begin: Begin) -> None:
    def slow(call: UpstreamCall) -> Reply:
        said = completion("right", model="small-up" if "one" in call.origin else "big-up")
        reply = whole(said)
        return Reply(parts=[30.0, *reply.parts]) if "one" in call.origin else reply

    world = started(begin, Models())
    opened(world)
    world.upstream.answer = slow
    began_s = world.clock.monotonic_s()
    world.ask(chat("auto"), headers={"x-bascule-session": "s"})
    assert world.clock.monotonic_s() == began_s
    settle(world)
    assert world.clock.monotonic_s() >= began_s + 30


def test_what_has_not_earned_it_does_not_even_stand_in(begin: Begin) -> None:
    models = Models()
    world = started(begin, models)
    opened(world)
    models.fails.add("two.test")
    answer = ask(world, "s")
    assert answer.status == 502
    assert [row.model for row in world.rows if row.session_id == "s"] == ["big"] * 3
    assert world.gateway.metrics.comparisons == {("auto", "failed"): 1}


def test_a_challenger_that_fails_has_answered_badly(begin: Begin) -> None:
    models = Models()
    world = started(begin, models)
    opened(world)
    models.fails.add("one.test")
    ask(world, "s")
    look(world)
    assert trial(world).capital.mean == -1.0


def test_a_gateway_that_stops_holds_no_comparison_against_anybody(begin: Begin) -> None:
    world = started(begin, Models())
    opened(world)
    silent = Reply(before=[HANG_S])
    world.upstream.answer = lambda call: silent if "one" in call.origin else whole(completion(model="big-up"))
    world.ask(chat("auto"), headers={"x-bascule-session": "s"})
    assert world.gateway.comparisons.count == 1
    world.run(world.gateway.comparisons.stop())
    look(world)
    store = world.store.stores.evidence
    assert store.waiting(store.trials()[0].trial_id) == []
    assert trial(world).capital.count == 0


def test_a_challenger_that_serves_and_fails_has_answered_badly_and_the_incumbent_stands_in(begin: Begin) -> None:
    models = Models()
    world = started(begin, models, evidence(holdout=0))
    opened(world)
    sessions(world, "s", 200)
    assert trial(world).state == "promoted"
    before = trial(world).alarm
    models.fails.add("one.test")
    answer = ask(world, "t")
    assert (answer.status, answer.header("x-bascule-model")) == (200, "big")
    look(world)
    assert trial(world).alarm.total == before.total - 1.0


def test_a_session_that_the_incumbent_has_begun_stays_with_it_until_it_pauses(begin: Begin) -> None:
    world = started(begin, Models(), evidence(holdout=0))
    opened(world)
    sessions(world, "s", 200)
    assert trial(world).state == "promoted"
    assert world.rows[0].session_id == "first"
    begun = ask(world, "s-150")
    assert begun.header("x-bascule-model") == "small"  # it was begun after the promotion
    early = ask(world, "s-10")
    assert (early.header("x-bascule-model"), early.header("x-bascule-reason")) == (
        "big",
        "incumbent: began the session",
    )
    world.clock.advance(3_601.0)
    assert ask(world, "s-10").header("x-bascule-model") == "small"


def test_evidence_has_a_budget_of_its_own_a_day(begin: Begin) -> None:
    world = started(begin, Models(), evidence(max_usd_per_day=0.0021))
    opened(world)
    sessions(world, "s", 30)
    outcomes = world.gateway.metrics.comparisons
    assert outcomes["auto", "budget_exhausted"] >= 1
    assert outcomes["auto", "compared"] >= 1
    spent = sum(row.cost_nanousd or 0 for row in world.rows if row.role == "shadow")
    state = world.budget("tag:bascule-evidence=auto")
    assert state.settled_nanousd == spent <= state.limit_nanousd
    assert sum(row.role == "primary" for row in world.rows) == 31
    world.clock.advance(86_400.0)
    sessions(world, "tomorrow", 3)
    assert world.gateway.metrics.comparisons["auto", "compared"] >= outcomes["auto", "compared"]


def test_no_client_spends_the_budget_of_evidence(begin: Begin) -> None:
    world = started(begin, Models())
    world.ask(chat("big"), headers={"x-bascule-tag": "bascule-evidence=auto"})
    assert world.row.tags == {"cost": "42"}
    assert world.budget("tag:bascule-evidence=auto").settled_nanousd == 0


def test_data_policy_holds_for_shadows(begin: Begin) -> None:
    world = started(begin, Models())
    opened(world)
    ask(world, "s", provider={"only": ["two"]})
    assert [row.role for row in world.rows if row.session_id == "s"] == ["primary"]
    assert world.gateway.metrics.comparisons == {("auto", "forbidden"): 1}


def test_a_model_that_its_provider_has_changed_begins_anew(begin: Begin) -> None:
    models = Models()
    world = started(begin, models)
    opened(world)
    sessions(world, "s", 10)
    assert trial(world).capital.count == 10
    models.reported["one.test"] = "small-up-2027"
    ask(world, "changed")
    look(world)
    assert world.gateway.metrics.comparisons["auto", "changed"] == 1
    new = world.store.stores.evidence.trials()
    assert {kept.trial.key.challenger_snapshot for kept in new} == {"small-up", "small-up as small-up-2027"}
    sessions(world, "t", 10)
    counts = {kept.trial.key.challenger_snapshot: kept.trial.capital.count for kept in new}
    assert counts["small-up"] == 10
    found = {kept.trial.key.challenger_snapshot: kept.trial for kept in world.store.stores.evidence.trials()}
    assert found["small-up as small-up-2027"].capital.count == 10


def test_requests_that_no_grader_can_judge_prove_nothing(begin: Begin) -> None:
    world = started(begin, Models(), evidence(graders="{schema: true}"))
    opened(world)
    sessions(world, "s", 10)
    assert trial(world).capital.count == 0
    assert world.gateway.metrics.comparisons == {("auto", "no grader"): 10}
    assert [row.role for row in world.rows] == ["primary"] * 11


def test_another_prompt_is_another_case(begin: Begin) -> None:
    world = started(begin, Models())
    opened(world)
    told = [{"role": "system", "content": "Answer in French. It is 12:30."}, {"role": "user", "content": "hi"}]
    ask(world, "s", messages=told)
    look(world)
    assert len(world.store.stores.evidence.trials()) == 2
    later = [{"role": "system", "content": "Answer in French. It is 9:05."}, {"role": "user", "content": "ho"}]
    ask(world, "t", messages=later)
    look(world)
    assert [kept.trial.capital.count for kept in world.store.stores.evidence.trials()] in ([0, 1], [1, 0])


def test_a_session_s_pairs_count_together_once_it_has_closed(begin: Begin) -> None:
    world = started(begin, Models(), evidence(session_s=600))
    opened(world)
    for _ in range(3):
        ask(world, "s")
    look(world)
    assert trial(world).capital.count == 0
    world.clock.advance(600.0)
    look(world)
    assert (trial(world).capital.count, trial(world).pairs) == (1, 3)


def test_with_approval_the_incumbent_serves_until_somebody_agrees(begin: Begin) -> None:
    world = started(begin, Models(), evidence(approval="true"))
    opened(world)
    served = sessions(world, "s", 150)
    assert served == {"big": 150}
    assert trial(world).proven_ms is not None
    assert states(world) == []


def test_streams_are_compared_too(begin: Begin) -> None:
    world = started(begin, Models())
    opened(world)
    world.upstream.answer = lambda call: a_stream("right" if "two" in call.origin else "wrong")
    ask(world, "s", stream=True)
    assert world.gateway.metrics.comparisons == {("auto", "changed"): 1}  # these say that they are another model
    look(world)
    ask(world, "t", stream=True)
    look(world)
    assert trial(world).capital.mean == -1.0


def test_a_model_that_turns_back_goes_on_where_it_was(begin: Begin) -> None:
    models = Models()
    world = started(begin, models)
    opened(world)
    sessions(world, "s", 10)
    models.reported["one.test"] = "small-up-2027"
    sessions(world, "t", 20)
    models.reported["one.test"] = "small-up"
    sessions(world, "u", 20)
    found = {kept.trial.key.challenger_snapshot: kept.trial for kept in world.store.stores.evidence.trials()}
    # Ten sessions pass between two looks, and the first of a changed model is never counted.
    assert found["small-up as small-up-2027"].capital.count == 10
    assert found["small-up"].capital.count == 20


def test_a_floor_that_the_incumbent_reaches_keeps_no_challenger_from_what_it_has_earned(begin: Begin) -> None:
    config = evidence().replace(
        "candidates: [small, big], evidence", "candidates: [small, big], quality: 0.8, evidence"
    )
    for model, quality in (("small", 0.5), ("big", 0.9)):
        config = config.replace(f"model: {model}-up}}], ", f"model: {model}-up}}], quality: {quality}, ")
    world = started(begin, Models(), config)
    opened(world)
    served = sessions(world, "s", 200)
    assert served["small"] > 50
    small = next(row for row in world.rows if row.role == "primary" and row.model == "small")
    assert small.reason in ("canary", "promoted")


def test_a_judge_s_word_counts_only_once_its_error_is_known(begin: Begin) -> None:
    judged = evidence(graders="null", judge="{model: opus, labels: 20}")
    world = started(begin, Models(), judged)
    small_first = '{"reason": "r", "verdict": "first"}'

    def answer(call: UpstreamCall) -> Reply:
        if "claude" in call.origin:
            # It finds the challenger's answer worse in whichever place it stands.
            prompt = call.body.decode()
            said = (
                small_first.replace("first", "second") if prompt.index("meagre") < prompt.index("rich") else small_first
            )
            return whole(message(said, model="opus-up"))
        return whole(completion("meagre" if "one" in call.origin else "rich", model=f"{_upstream(call)}-up"))

    world.upstream.answer = answer
    opened(world)
    sessions(world, "s", 40)
    assert trial(world).judge is None
    assert trial(world).capital.count == 0
    roles = [row.role for row in world.rows if row.session_id == "s-0"]
    assert roles == ["primary", "shadow", "judge", "judge"]
    store = world.store.stores.evidence
    waiting = store.waiting(store.trials()[0].trial_id)
    assert {(pair.difference, pair.grader) for pair in waiting} == {(-1.0, "judge")}
    assert all((pair.judge_nanousd or 0) > 0 for pair in waiting)
    for pair in waiting[:20]:
        assert store.label(pair.pair_id, -1.0)
    look(world)
    judge = trial(world).judge
    assert judge is not None
    assert (judge.labels, trial(world).capital.count, trial(world).capital.mean) == (20, 20, -1.0)
    assert judge.low < 0 < judge.high


def _upstream(call: UpstreamCall) -> str:
    return "small" if "one" in call.origin else "big"


def test_what_a_restart_finds(begin: Begin) -> None:
    world = started(begin, Models())
    opened(world)
    sessions(world, "s", 20)
    world.close()
    again = begin(config=evidence(), after=world)
    again.upstream.answer = Models()
    look(again)
    sessions(again, "t", 20)
    assert trial(again).capital.count == 40
