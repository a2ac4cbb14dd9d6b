"""How endpoints, providers and credentials are, as attempts have shown it: state around the pure `decide.breaker`.

In memory and per process: a restart may try everybody again, and replicas look each for themselves.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from bascule.decide.breaker import (
    AT_ONCE,
    CLOSED,
    Breaker,
    BreakerPolicy,
    Status,
    Verdict,
    cooled,
    observe,
    status,
    wait_s,
    with_probe,
)
from bascule.decide.health import (
    ANYWHERE,
    NOBODY,
    Blame,
    Kind,
    access_id,
    blame,
    cooling_s,
    credential_id,
)
from bascule.decide.outlier import OutlierPolicy
from bascule.gateway.peers import Peers
from bascule.model.catalog import Endpoint
from bascule.model.outcome import Fault
from bascule.model.plan import Candidate

log = logging.getLogger("bascule.wellbeing")

MAX_TARGETS = 10_000
"""That are remembered as not well; beyond it the oldest are taken for well. Names of models come from clients."""
FORGET_S = 600.0
"""After which failures that opened nothing are no longer counted as in a row."""
PROVIDER_PLACES = 2
"""Endpoints at which a provider must fail before it is the provider that does."""

OVERTAKEN = Fault(error_class="timeout_first_byte", message="a hedge was answered first", maybe_billed=True)
_ALL_WELL: Mapping[str, Status] = {}


class BreakerChange(Struct, frozen=True, kw_only=True):
    """A breaker has opened or closed. What alerts subscribe to."""

    kind: Kind
    target: str
    """`provider/model`, `provider`, `provider#1` (the first credential) or `provider/model#1`."""
    state: Literal["open", "closed"]
    fault: Fault | None = None
    """The last failure, where it opened."""


class _Kept:
    __slots__ = ("breaker", "kind")

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind = kind
        self.breaker = CLOSED


class Wellbeing:
    """One breaker per target that is not known to be well."""

    def __init__(self, breaker: BreakerPolicy | None = None, outlier: OutlierPolicy | None = None) -> None:
        """`breaker` None: nothing is ever left alone. `outlier` None: endpoints are not compared."""
        self._unwell: dict[str, _Kept] = {}
        self.peers = Peers()
        self.listeners: list[Callable[[BreakerChange], None]] = []
        self.breaker_policy = breaker
        self.outlier_policy = outlier

    def use(self, breaker: BreakerPolicy | None, outlier: OutlierPolicy | None) -> None:
        """Take new policies. What was known of credentials is forgotten: they may be others now."""
        self.breaker_policy, self.outlier_policy = breaker, outlier
        if breaker is None:
            self._unwell.clear()
        for target in [name for name, kept in self._unwell.items() if kept.kind in ("credential", "access")]:
            del self._unwell[target]

    def begin(self, endpoint: Endpoint, credential: int, now_s: float) -> bool:
        """An attempt begins, as `decide.attempt` has allowed it; True where it is the probe of a breaker."""
        policy = self.breaker_policy
        if not self._unwell or policy is None:
            return False
        probes = False
        for _, target in _targets(endpoint, credential):
            kept = self._unwell.get(target)
            if kept is not None and status(kept.breaker, now_s) == "half_open":
                kept.breaker = with_probe(kept.breaker, now_s, policy)
                probes = True
        return probes

    def observe(
        self, endpoint: Endpoint, credential: int, fault: Fault | None, *, began_s: float, now_s: float
    ) -> None:
        """An attempt has ended, or (without a fault) has brought its first content."""
        policy = self.breaker_policy
        if policy is None or (fault is None and not self._unwell):
            return
        blamed = NOBODY if fault is None else blame(fault)
        neutral: Verdict = "ok" if fault is None else "neutral"
        for kind, target in _targets(endpoint, credential):
            verdict: Verdict = "failure" if kind in blamed.kinds else neutral
            self._tell(kind, target, verdict, blamed, fault, endpoint.id, began_s, now_s, policy)

    def _tell(
        self,
        kind: Kind,
        target: str,
        verdict: Verdict,
        blamed: Blame,
        fault: Fault | None,
        place: str,
        began_s: float,
        now_s: float,
        policy: BreakerPolicy,
    ) -> None:
        kept = self._unwell.get(target)
        if kept is None:
            if verdict != "failure" and blamed.cools != kind:
                return
            kept = self._keep(kind, target)
        before = kept.breaker
        by_place = kind == "provider"
        after = observe(
            before,
            verdict,
            began_s=began_s,
            now_s=now_s,
            policy=policy,
            failures_in_a_row=AT_ONCE if blamed.at_once else None,
            place=ANYWHERE if blamed.unreachable else place,
            least_places=PROVIDER_PLACES if by_place and not blamed.unreachable else 0,
        )
        if fault is not None and blamed.cools == kind:
            after = cooled(after, now_s + cooling_s(fault))
        kept.breaker = after
        if after is CLOSED:
            del self._unwell[target]
        if (before.opened_s is None) != (after.opened_s is None):
            self._changed(kind, target, after, fault)

    def _keep(self, kind: Kind, target: str) -> _Kept:
        if len(self._unwell) >= MAX_TARGETS:
            del self._unwell[next(iter(self._unwell))]
        kept = self._unwell[target] = _Kept(kind)
        return kept

    def _changed(self, kind: Kind, target: str, after: Breaker, fault: Fault | None) -> None:
        change = BreakerChange(kind=kind, target=target, state="closed" if after.opened_s is None else "open",
                               fault=fault)  # fmt: skip
        said = "" if fault is None else f" ({fault.error_class})"
        log.warning("the breaker of %s %s is %s%s", kind, target, change.state, said,
                    extra={"event": "breaker", "kind": kind, "target": target, "state": change.state})  # fmt: skip
        for listener in self.listeners:
            listener(change)

    def compare(self, candidate: Candidate, fault: Fault | None, first_s: float | None, now_s: float) -> None:
        """An attempt has ended at an endpoint whose model others serve too. `first_s`: seconds to the first content."""
        policy = self.outlier_policy
        failed = fault is not None and "endpoint" in blame(fault).kinds
        if policy is not None and (failed or fault is None):
            self.peers.observe(candidate.model, candidate.endpoint.id, now_s, policy, failed=failed, first_s=first_s)

    def overtaken(self, candidate: Candidate, credential: int, *, began_s: float, now_s: float) -> None:
        """A hedge has spoken before this attempt did. Silence far beyond the endpoint's usual counts as a failure:
        otherwise hedges would hide for ever that nobody is there."""
        policy = self.outlier_policy
        if policy is None:
            return
        usual_s = self.peers.first_content_s(
            candidate.model, candidate.endpoint.id, now_s, share=0.5, window_s=policy.window_s
        )
        if usual_s is not None and now_s - began_s >= policy.slower * usual_s:
            self.observe(candidate.endpoint, credential, OVERTAKEN, began_s=began_s, now_s=now_s)

    def statuses(self, now_s: float) -> Mapping[str, Status]:
        """By target, as `decide.health.standing` reads them; those that are well are not in it."""
        outliers = () if self.outlier_policy is None else self.peers.outliers(now_s, self.outlier_policy).values()
        if not self._unwell and not outliers:
            return _ALL_WELL
        found: dict[str, Status] = {endpoint_id: "outlier" for some in outliers for endpoint_id in some}
        stale: list[str] = []
        for target, kept in self._unwell.items():
            word = status(kept.breaker, now_s)
            if word != "ok":
                found[target] = word
            elif now_s - kept.breaker.at_s > FORGET_S:
                stale.append(target)
        for target in stale:
            del self._unwell[target]
        return found

    def soonest_s(self, now_s: float) -> float:
        """How long until anybody that is left alone now may be tried again, in seconds; 0 where nobody is."""
        return min([left for kept in self._unwell.values() if (left := wait_s(kept.breaker, now_s))], default=0.0)

    def wait_s(self, endpoints: Iterable[Endpoint], now_s: float) -> float:
        """How long until one of these endpoints may be tried again, in seconds."""
        waits = [
            max((self._wait_s(target, now_s) for _, target in _targets(endpoint, credential)), default=0.0)
            for endpoint in endpoints
            for credential in range(endpoint.credentials)
        ]
        return min(waits, default=0.0)

    def _wait_s(self, target: str, now_s: float) -> float:
        kept = self._unwell.get(target)
        return 0.0 if kept is None else wait_s(kept.breaker, now_s)

    def breakers(self, now_s: float) -> Iterator[tuple[Kind, str, Status]]:
        """What is not well, for whoever shows it."""
        for target, kept in self._unwell.items():
            word = status(kept.breaker, now_s)
            if word != "ok":
                yield kept.kind, target, word


def _targets(endpoint: Endpoint, credential: int) -> tuple[tuple[Kind, str], ...]:
    return (
        ("endpoint", endpoint.id),
        ("provider", endpoint.provider),
        ("credential", credential_id(endpoint.provider, credential)),
        ("access", access_id(endpoint.id, credential)),
    )
