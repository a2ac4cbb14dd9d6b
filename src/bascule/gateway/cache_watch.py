"""Tells of sessions whose prompt cache has silently stopped: one log line and one count each."""

import logging

from bascule.decide.cache_watch import CacheHistory, CollapsePolicy, PromptUse, watch
from bascule.gateway.admission import Admitted
from bascule.gateway.books import OpenAttempt
from bascule.gateway.metrics import Metrics
from bascule.gateway.telling import Tell, untold
from bascule.model.alert import Alert, FieldValue
from bascule.model.usage import Usage

log = logging.getLogger("bascule.caches")

MAX_SESSIONS = 10_000
"""Of which it is remembered how they were cached; beyond it those that were not heard of for the longest are not."""

_AS_USUAL = ("warm", "partly", "small")

Place = tuple[str, str, str | None]
"""Key, session and agent: a subagent has a prompt of its own."""


class CacheWatch:
    """Remembers and tells. It outlives configurations; what counts as a collapse is theirs."""

    def __init__(self, metrics: Metrics, max_sessions: int = MAX_SESSIONS, tell: Tell = untold) -> None:
        self._metrics = metrics
        self._tell = tell
        self._max_sessions = max_sessions
        self._histories: dict[Place, CacheHistory] = {}

    def observe(self, policy: CollapsePolicy, request: Admitted, attempt: OpenAttempt, usage: Usage) -> None:
        """Look at one completed answer. Without a session, or where the provider does not say what it cached, there is
        nothing to see."""
        key, identity, candidate = request.key.name, request.identity, attempt.candidate
        if identity.session_id is None or usage.tokens_cache_read is None or usage.source != "reported":
            return
        place = (key, identity.session_id, identity.agent_id)
        use = PromptUse(
            endpoint=candidate.endpoint.id,
            started_ms=attempt.started_ms,
            input_tokens=usage.billed_input,
            cached_tokens=usage.tokens_cache_read,
        )
        before = self._histories.pop(place, None)
        after, verdict = watch(before, use, policy)
        if after is not None:
            self._histories[place] = after
            if len(self._histories) > self._max_sessions:
                del self._histories[next(iter(self._histories))]
        if verdict in _AS_USUAL:
            return
        reason = "cold" if verdict == "collapsed" else verdict
        self._metrics.uncached_prompt(candidate.model, candidate.endpoint.provider, reason)
        if verdict == "collapsed" and after is not None:
            self._metrics.cache_collapse(candidate.model, candidate.endpoint.provider)
            fields: dict[str, FieldValue] = {
                "session_id": identity.session_id,
                "agent_id": identity.agent_id,
                "key": key,
                "model": candidate.model,
                "endpoint": candidate.endpoint.id,
                "requests": after.cold,
                "uncached_tokens": after.cold_tokens,
            }
            session, endpoint = identity.session_id, candidate.endpoint.id
            summary = (
                f"session {session} is no longer served from the cache of {endpoint}: {after.cold} requests in a row"
            )
            log.warning("prompt cache collapse: %s", summary, extra={"event": "cache_collapse", **fields})
            self._tell(
                Alert(
                    event="cache_collapse",
                    scope=f"{key} {session} {identity.agent_id or ''} {endpoint}",
                    ts_ms=attempt.started_ms,
                    summary=summary,
                    fields=fields,
                )
            )
