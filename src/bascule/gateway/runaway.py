"""Watches sessions for running away, and does about it what policy says: state around the pure `decide.runaway`.

In memory and per process: a restart forgets, and of a session whose requests reach several workers each sees its part.
"""

import logging
from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct, structs

from bascule.decide.identify import DERIVED
from bascule.decide.runaway import (
    STEPS,
    Conversation,
    Finding,
    RunawayPolicy,
    Sight,
    Spending,
    Step,
    charged,
    noted,
    step_of,
    worst,
)
from bascule.dialects.registry import last_calls, last_message
from bascule.gateway.admission import Admitted
from bascule.gateway.metrics import Metrics
from bascule.gateway.surfaces import SURFACES
from bascule.gateway.telling import Tell
from bascule.model.alert import Alert, FieldValue
from bascule.model.money import usd_text
from bascule.model.policy import RunawayAction
from bascule.ports import Clock

log = logging.getLogger("bascule.runaway")

Whose = tuple[str, str]
"""Key and session."""
Place = tuple[str, str, str | None, int, bool]
"""Key, session, agent, how the conversation begins, whether it has tools: side questions have none."""
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class RunawayRules(Struct, frozen=True, kw_only=True):
    """One configuration's."""

    policy: RunawayPolicy
    action: RunawayAction
    keys: Mapping[str, RunawayAction]
    routes: Mapping[str, RunawayAction]
    cooldown_s: float
    max_sessions: int

    def action_for(self, key: str, route: str | None) -> RunawayAction:
        by_route = self.action if route is None else self.routes.get(route, self.action)
        return self.keys.get(key, by_route)


class Verdict(Struct, frozen=True, kw_only=True):
    """What is to be done about a request."""

    step: Step
    finding: Finding


class RunawayWatch:
    """Remembers and judges. It outlives configurations; the rules are theirs."""

    def __init__(self, *, clock: Clock, metrics: Metrics, tell: Tell) -> None:
        self._clock = clock
        self._metrics = metrics
        self._tell = tell
        self._conversations: dict[Place, Conversation] = {}
        self._spending: dict[Whose, Spending] = {}
        self._stopped: dict[Whose, tuple[float, Finding]] = {}
        self._told: dict[Whose, int] = {}

    def judge(self, rules: RunawayRules, request: Admitted, route: str | None) -> Verdict | None:
        """Look at a request that may be served. None: nothing is wrong, or nobody wants to know."""
        session = request.identity.session_id
        if session is None or request.work != "chat":
            return None
        key = request.key.name
        action = rules.action_for(key, route)
        if action == "off":
            return None
        whose, now_s = (key, session), request.started_s
        stopped = self._stopped.get(whose)
        if stopped is not None:
            if now_s < stopped[0] and action == "stop":
                return Verdict(step="stop", finding=stopped[1])
            self._forget(whose)
        conversation = self._noted(rules, request, (key, session))
        named = request.identity.session_source != DERIVED
        finding = worst(conversation, self._spending.get(whose), now_s, rules.policy, named=named)
        step = None if finding is None else step_of(finding, action, rules.policy)
        if finding is None or step is None:
            self._told.pop(whose, None)
            return None
        if step == "stop":
            _put(self._stopped, whose, (now_s + rules.cooldown_s, finding), rules.max_sessions)
        self._say(rules, request, route, step, finding)
        return Verdict(step=step, finding=finding)

    def spent(self, rules: RunawayRules, request: Admitted, nanousd: int) -> None:
        """An attempt of it was settled."""
        session = request.identity.session_id
        if session is None or not nanousd:
            return
        whose, now_s = (request.key.name, session), self._clock.monotonic_s()
        before = self._spending.pop(whose, None) or Spending(first_s=now_s)
        _put(self._spending, whose, charged(before, nanousd, now_s, rules.policy), rules.max_sessions)

    def resume(self, session_id: str) -> None:
        """Let a stopped session go on, whoever's it is, as if it were new."""
        known = {*self._stopped, *self._spending, *[place[:2] for place in self._conversations]}
        for whose in [whose for whose in known if whose[1] == session_id]:
            self._forget(whose)

    def _noted(self, rules: RunawayRules, request: Admitted, whose: Whose) -> Conversation:
        facts = request.facts
        place = (*whose, request.identity.agent_id, hash(facts.first_user_text), facts.tools > 0)
        dialect, body = SURFACES[request.surface].dialect, request.body
        calls = last_calls(dialect, body) if facts.tools else None
        sight = Sight(facts.messages, facts.text_bytes, calls)
        before = self._conversations.pop(place, None) or Conversation()
        if sight.resembles(before):
            sight = structs.replace(sight, said=last_message(dialect, body))
        after = noted(before, sight, rules.policy)
        _put(self._conversations, place, after, rules.max_sessions)
        return after

    def _forget(self, whose: Whose) -> None:
        self._stopped.pop(whose, None)
        self._spending.pop(whose, None)
        self._told.pop(whose, None)
        for place in [place for place in self._conversations if place[:2] == whose]:
            del self._conversations[place]

    def _say(self, rules: RunawayRules, request: Admitted, route: str | None, step: Step, finding: Finding) -> None:
        """Once for each further step."""
        key, session = request.key.name, request.identity.session_id or ""
        whose, height = (key, session), STEPS.index(step)
        if self._told.get(whose, -1) >= height:
            return
        _put(self._told, whose, height, rules.max_sessions)
        self._metrics.runaway_session(step, finding.rule)
        spending = self._spending.get(whose)
        fields: dict[str, FieldValue] = {
            "session_id": session,
            "agent_id": request.identity.agent_id,
            "key": key,
            "route": route,
            "step": step,
            "rule": finding.rule,
            "measured": shown(finding, finding.measured),
            "limit": shown(finding, finding.limit),
            "spent_usd": usd_text(None if spending is None else spending.spent_nanousd),
        }
        summary = f"session {session} of {key} runs away: {words(finding)}; step: {step}"
        log.warning("runaway: %s", summary, extra={"event": "session_runaway", **fields})
        self._tell(
            Alert(
                event="session_runaway",
                scope=f"{key} {session} {step}",
                ts_ms=request.started_ms,
                summary=summary,
                fields=fields,
            )
        )


def shown(finding: Finding, value: float) -> str:
    """Money in dollars, all else as a number."""
    is_money = finding.rule in ("spend_rate", "spend_jump")
    return f"{usd_text(round(value))} USD" if is_money else f"{value:.0f}"


_WORDS: dict[str, str] = {
    "repeated_calls": "the same tool calls {measured} times over (limit {limit})",
    "identical_requests": "the same request {measured} times in a row (limit {limit})",
    "spend_rate": "{measured} within the window (limit {limit})",
    "spend_jump": "{measured} within the window (limit {limit}, from what it spent before)",
    "context_growth": "its context grew by {measured} tokens in a few requests (limit {limit})",
}


def words(finding: Finding) -> str:
    """What was found, for a person."""
    return _WORDS[finding.rule].format(measured=shown(finding, finding.measured), limit=shown(finding, finding.limit))


def _put(memory: dict[_Key, _Value], key: _Key, value: _Value, most: int) -> None:
    """The latest stands last; the one that was not heard of for the longest goes."""
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > most:
        del memory[next(iter(memory))]
