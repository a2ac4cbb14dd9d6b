"""`bascule evidence` over what a gateway leaves."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bascule.cli import evidence as evidence_module
from bascule.ports import UpstreamCall
from bascule.testing.transport import Reply, whole
from bascule.testing.world import World

CONFIG = """
data_dir: data
providers:
  one: {dialect: openai_chat, base_url: "https://one.test/v1", api_key: none}
  two: {dialect: openai_chat, base_url: "https://two.test/v1", api_key: none}
models:
  small: {endpoints: [{provider: one, model: small-up}], price: {input: 1, output: 10}}
  big: {endpoints: [{provider: two, model: big-up}], price: {input: 30, output: 300}}
routes:
  auto:
    candidates: [small, big]
    evidence:
      incumbent: big
      challengers: [small]
      graders: {contains: [right]}
      margin: 0.1
      shadow_share: 1
      watch_share: 1
      canary_sessions: 30
      session_s: 0
      holdout: 0.2
      approval: APPROVAL
"""
NOON = 1_795_262_400_000


def answer(call: UpstreamCall) -> Reply:
    model = "small-up" if "one" in call.origin else "big-up"
    message = {"role": "assistant", "content": "right"}
    return whole(
        {
            "id": "c", "object": "chat.completion", "created": 1, "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        }
    )  # fmt: skip


class Site:
    """A gateway's data, and commands over it."""

    def __init__(self, folder: Path, run: Any, approval: str = "false") -> None:
        text = CONFIG.replace("APPROVAL", approval)
        (folder / "bascule.yaml").write_text(text)
        self.run = run
        self.world = World(text, [], folder)
        self.world.upstream.answer = answer
        self._draw = random.Random(3)

    def serve(self, count: int) -> str:
        """So many sessions of one request; the id of the last."""
        request_id = ""
        for number in range(count):
            self.world.clock.advance(1.0)
            body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 100}
            told = self.world.ask(body, headers={"x-bascule-session": f"s{self._draw.random()}"})
            self.world.run(self.world.gateway.comparisons.over())
            request_id = told.header("x-bascule-request-id") or ""
            if number % 10 == 0:
                self.look()
        self.look()
        return request_id

    def look(self) -> None:
        self.world.run(self.world.gateway.evidence.refresh())

    def told(self, *words: str) -> Any:
        found = self.run(*words)
        assert found.code == 0, found.err
        return found

    @property
    def trial(self) -> Any:
        return self.told("evidence", "--json").json["trials"][0]


@pytest.fixture
def site(place: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(evidence_module, "now_ms", lambda: NOON + 3_600_000)
    made = Site(place, run)
    yield made
    made.world.close()


def test_an_honest_null_is_shown_as_such(site: Site) -> None:
    assert "Nothing has been compared yet" in site.told("evidence").out
    site.serve(5)
    told = site.told("evidence").out
    assert "Nothing is promoted: the incumbents serve everything." in told
    assert "nobody was promoted, so nothing is saved; evidence has cost $0.00" in told
    trial = site.trial
    assert (trial["state"], trial["sessions"], trial["e_needed"]) == ("shadow", 4, 20.0)
    assert trial["difference_low"] is None


def test_a_promotion_and_what_it_saves(site: Site) -> None:
    site.serve(420)
    trial = site.trial
    assert trial["state"] == "promoted"
    assert trial["e_value"] >= 20
    money = site.told("evidence", "--json").json["savings"]
    assert len(money) == 1
    assert money[0]["routed_sessions"] > 4 * money[0]["held_out_sessions"] * 0.6 > 0
    low, high = float(money[0]["saved_low_usd"]), float(money[0]["saved_high_usd"])
    # Each routed session costs a thirtieth; evidence costs more than that saves here, since all is compared.
    each = 1_800_000e-9 - 60_000e-9
    expected = money[0]["routed_sessions"] * each - float(money[0]["evidence_usd"])
    assert [low, high] == pytest.approx([expected, expected])  # every session of a part costs the same
    table = site.told("evidence").out
    assert "promoted" in table
    assert "saved" in table
    history = site.told("evidence", "history", "--json").json
    assert [entry["action"] for entry in history] == ["evidence.canary", "evidence.promoted"]
    assert "served its share" in site.told("evidence", "history").out


def test_a_bad_answer_leads_to_why_and_to_demotion(site: Site) -> None:
    request_id = site.serve(420)
    why = site.told("evidence", "why", request_id, "--json").json
    assert why["trial"]["challenger"] == "small"
    assert why["decisions"][0]["evidence_version"].startswith(why["trial"]["trial"])
    assert [one["role"] for one in why["attempts"]] == ["primary", "shadow"]
    told = site.told("evidence", "why", request_id).out
    short = why["trial"]["trial"][:8]
    assert f"bascule evidence demote {short}" in told
    assert "canary -> promoted by evidence" in told
    site.told("evidence", "demote", short, "--reason", "a bad answer")
    assert site.trial["state"] == "demoted"
    site.look()
    served = site.serve(1)
    assert site.told("evidence", "why", served, "--json").json["attempts"][0]["model"] == "big"
    last = site.told("evidence", "history", "--json").json[-1]
    assert (last["action"], last["detail"]["reason"]) == ("evidence.demoted", "a bad answer")
    assert last["by"].startswith("command")
    assert site.told("audit", "verify").code == 0
    again = site.run("evidence", "demote", short)
    assert (again.code, "demoted already" in again.err) == (1, True)
    site.told("evidence", "approve", short)
    assert (site.trial["state"], site.trial["sessions"]) == ("shadow", 0)


def test_explain_says_who_has_earned_a_session(site: Site, place: Path) -> None:
    (place / "r.json").write_text('{"model": "auto", "messages": [{"role": "user", "content": "hi"}]}')

    def explained(session: str) -> Any:
        return site.told("explain", "r.json", "--json", "--header", f"x-bascule-session={session}").json

    before = explained("s")
    assert [(one["model"], one["reason"]) for one in before["candidates"]] == [("big", "incumbent")]
    assert before["evidence"] is None
    assert ["one/small-up", "has not earned this traffic"] in [list(one.values()) for one in before["rejected"]]
    site.serve(420)
    reasons = {explained(f"t{number}")["reason"] for number in range(20)}
    assert reasons == {"promoted", "held out: incumbent"}
    assert explained("t")["evidence"].startswith(site.trial["trial"])


def test_a_pin_keeps_the_incumbent_until_it_is_taken_off(site: Site) -> None:
    site.serve(420)
    short = site.trial["trial"][:8]
    site.told("evidence", "pin", short)
    assert site.trial["shown_state"] == "pinned"
    site.look()
    request_id = site.serve(1)
    assert site.told("evidence", "why", request_id, "--json").json["attempts"][0]["model"] == "big"
    site.told("evidence", "pin", short, "--off")
    assert site.trial["shown_state"] == "shadow"


def test_what_is_not_proven_cannot_be_approved(site: Site) -> None:
    site.serve(5)
    found = site.run("evidence", "approve", site.trial["trial"])
    assert (found.code, "no promotion to approve" in found.err) == (1, True)


def test_what_there_is_not_is_told(site: Site) -> None:
    site.serve(2)
    for words, told in (
        (("evidence", "why", "req_none"), "no request"),
        (("evidence", "demote", "zzzz"), "`bascule evidence` lists them"),
        (("evidence", "label", "req_none", "same"), "not answered by two models"),
    ):
        found = site.run(*words)
        assert (found.code, told in found.err) == (1, True), found.err
    assert "No judge waits" in site.told("evidence", "label").out


def test_a_route_without_challengers_says_what_to_write(place: Path, run: Any) -> None:
    found = run("evidence")
    assert (found.code, "no route has challengers" in found.err) == (1, True)


def test_approval(place: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_module, "now_ms", lambda: NOON + 3_600_000)
    site = Site(place, run, "true")
    site.serve(150)
    assert site.trial["shown_state"] == "needs approval"
    site.told("evidence", "approve", site.trial["trial"])
    assert site.trial["state"] == "canary"
    assert site.trial["approved_by"].startswith("command")
    site.world.close()
