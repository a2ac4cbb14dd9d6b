"""A share of sessions that no challenger ever serves, chosen by a hash, and what they say about the saving.

What a session costs depends on the session. Those held out are like the others but for the routing, so the difference
of the means is the saving without any assumption, with an interval that says how much is chance (Welch, Biometrika 34,
1947). Everything that evidence cost is taken off.
"""

import hashlib
import math

from msgspec import Struct

from bascule.decide.evidence.binomial import student_quantile

_LEAST_SESSIONS = 30
"""In each part, before a mean's interval is spoken of."""


def share_of(session_id: str, salt: str) -> float:
    """Where a session stands, in [0, 1), evenly and for good; a new salt shuffles anew. Holdouts lie at the low end."""
    digest = hashlib.blake2b(f"{salt}\0{session_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def is_held_out(session_id: str, salt: str, share: float) -> bool:
    return share_of(session_id, salt) < share


class Spent(Struct, frozen=True, kw_only=True):
    """What one part's sessions cost to answer, without evidence."""

    sessions: int = 0
    nanousd: int = 0
    squares: int = 0
    """Sum of the sessions' squared costs, in nano-USD squared."""

    def plus(self, cost_nanousd: int) -> "Spent":
        """With one more session."""
        return Spent(
            sessions=self.sessions + 1,
            nanousd=self.nanousd + cost_nanousd,
            squares=self.squares + cost_nanousd * cost_nanousd,
        )


class Saving(Struct, frozen=True, kw_only=True):
    """What routing saved on the sessions that were not held out, evidence paid. Ends of the two-sided 95 % interval."""

    nanousd: int
    low_nanousd: int
    high_nanousd: int
    evidence_nanousd: int


def saving(routed: Spent, held: Spent, evidence_nanousd: int) -> Saving | None:
    """The saving of the routed sessions; None where either part is too small to say."""
    if routed.sessions < _LEAST_SESSIONS or held.sessions < _LEAST_SESSIONS:
        return None
    error_a, error_b = _variance_of_mean(routed), _variance_of_mean(held)
    error = error_a + error_b
    per_session = held.nanousd / held.sessions - routed.nanousd / routed.sessions
    reach = 0.0
    if error > 0:
        degrees = error**2 / (error_a**2 / (routed.sessions - 1) + error_b**2 / (held.sessions - 1))
        reach = student_quantile(0.975, degrees) * math.sqrt(error)
    # Statistics are no money: amounts in dollars stay integers, their errors need not.
    return Saving(
        nanousd=round(per_session * routed.sessions) - evidence_nanousd,
        low_nanousd=round((per_session - reach) * routed.sessions) - evidence_nanousd,
        high_nanousd=round((per_session + reach) * routed.sessions) - evidence_nanousd,
        evidence_nanousd=evidence_nanousd,
    )


def _variance_of_mean(part: Spent) -> float:
    scatter = part.sessions * part.squares - part.nanousd * part.nanousd
    return scatter / (part.sessions * (part.sessions - 1)) / part.sessions
