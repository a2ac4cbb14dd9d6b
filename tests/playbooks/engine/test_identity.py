"""Whose request it was, as the ledger keeps it, and what a decision record says."""

from tests.playbooks.engine.conftest import CONFIG, OTHER, Begin, strict
from tests.playbooks.engine.wire import HI, answered, chat, messages, openai_error

from bascule.model.entry import Decision


def test_headers_and_key_say_who(begin: Begin) -> None:
    world = begin(answered())
    headers = [
        ("x-bascule-session", "sess-1"),
        ("x-bascule-user", "ann"),
        ("x-bascule-task", "code_review"),
        ("x-bascule-tag", "feature=search, cost=9"),
        ("x-bascule-tag", "branch=main"),
        ("x-bascule-pr", "acme/web#7"),
        ("x-claude-code-agent-id", "agent-2"),
        ("x-claude-code-parent-agent-id", "agent-1"),
        ("idempotency-key", "once"),
        ("user-agent", "OpenAI/Python 2.1.0"),
    ]
    world.ask(chat(), headers=headers)
    row = world.row
    assert (row.key, row.org, row.team, row.project) == ("ci", "acme", "platform", "web")
    assert (row.session_id, row.agent_id, row.parent_id) == ("sess-1", "agent-2", "agent-1")
    assert (row.user, row.task, row.pr, row.branch) == ("ann", "code_review", "acme/web#7", "main")
    assert row.tags == {"feature": "search", "branch": "main", "cost": "42"}
    assert (row.idempotency_key, row.client) == ("once", "OpenAI/Python 2.1.0")


def test_the_body_says_who_where_no_header_does(begin: Begin) -> None:
    world = begin(answered(), answered())
    world.ask(chat(user="ann", prompt_cache_key="sess-2"))
    world.ask(
        messages("small", metadata={"user_id": "user_ab_account_cd_session_0b0e2c3c-0000-4000-8000-000000000000"}),
        surface="anthropic_messages",
    )
    first, second = world.rows
    assert (first.user, first.session_id) == ("ann", "sess-2")
    assert second.session_id is not None
    assert "0b0e2c3c" in second.session_id


def test_the_same_conversation_is_one_session_per_key(begin: Begin) -> None:
    world = begin(*[answered() for _ in range(4)])
    longer = [*HI, {"role": "assistant", "content": "hello"}, {"role": "user", "content": "more"}]
    world.ask(chat())
    world.ask(chat(messages=longer))
    world.ask(chat(messages=[{"role": "user", "content": "other"}]))
    world.ask(chat(), key=OTHER)
    sessions = [row.session_id for row in world.rows]
    assert sessions[0] == sessions[1]
    assert len(set(sessions)) == 3


def test_every_attempt_says_the_same(begin: Begin) -> None:
    world = begin(openai_error(500), answered())
    world.ask(chat("auto"), headers={"x-bascule-session": "s", "x-bascule-tag": "a=b"})
    first, second = world.rows
    assert (first.request_id, first.session_id, first.tags, first.route) == (
        second.request_id,
        second.session_id,
        second.tags,
        second.route,
    )
    assert (first.attempt_no, second.attempt_no) == (1, 2)


def decided(begin: Begin, body: dict[str, object], more: str = "", **how: object) -> Decision:
    world = begin(answered(), more=more)
    return world.decision(world.ask(body, **how))


def test_the_record_of_a_served_request(begin: Begin) -> None:
    decision = decided(begin, chat("auto"), strict("1"))
    assert decision.facts["model"] == "auto"
    assert decision.facts["max_tokens"] == 100
    assert decision.facts["text_bytes"] > 0
    assert [(c["model"], c["reason"]) for c in decision.candidates] == [("small", "cheapest"), ("big", "failover")]
    assert (decision.chosen, decision.reason, decision.refusal) == ("one/small-up", "cheapest", None)
    (budget,) = decision.budgets
    assert (budget["scope"], budget["window_id"], budget["mode"]) == ("key:ci", "2026-11-21", "strict")
    assert budget["left_nanousd"] == 1_000_000_000
    assert decision.policy_version
    assert decision.price_version
    assert decision.observed is None


def test_the_record_says_who_was_left_out_and_why(begin: Begin) -> None:
    decision = decided(begin, chat("auto", provider={"ignore": ["two"]}))
    assert decision.rejected == (("two/big-up", "in provider.ignore"),)


def test_the_record_of_a_refused_request(begin: Begin) -> None:
    decision = decided(begin, chat(), strict("0.0001"))
    assert (decision.refusal or "").startswith("budget_exhausted: Budget key:ci")
    assert decision.chosen is None
    assert decision.candidates == ()


def test_no_record_holds_what_was_said(begin: Begin) -> None:
    secret = [{"role": "user", "content": "canary phrase"}]
    world = begin(answered("canary answer"), more=strict("1"))
    world.ask(chat(messages=secret))
    world.close()
    stored = b"".join(path.read_bytes() for path in world.directory.rglob("*") if path.is_file())
    assert b"canary" not in stored


def test_no_secret_is_on_disk(begin: Begin) -> None:
    world = begin(answered(), config=CONFIG)
    world.ask(chat())
    journals = list(world.store.journals.glob("*"))
    assert journals
    stored = b"".join(path.read_bytes() for path in world.directory.rglob("*") if path.is_file())
    for secret in (b"ci-secret", b"sk-one-canary"):
        assert secret not in stored
