"""What the stores of evidence share: how a trial is written, and what the audit trail says of a transition."""

from typing import Any

import msgspec

from bascule.decide.promotion.step import Transition
from bascule.decide.promotion.trial import Trial

encode_trial = msgspec.json.Encoder().encode
decode_trial = msgspec.json.Decoder(Trial).decode

EVIDENCE = "evidence"
"""Who made a transition that nobody decided, and the beginning of every such action's name."""

PAIR_FIELDS = (
    "pair_id", "trial_id", "request_id", "session_id", "enrolled_ms", "graded_ms", "difference", "grader", "label",
    "shadow_nanousd", "judge_nanousd",
)  # fmt: skip


class Stale(Exception):
    """Somebody else has saved the trial: the transaction is to be undone."""


def entry_of(trial_id: str, transition: Transition) -> dict[str, Any]:
    """The arguments of an audit entry: `evidence.canary`, `evidence.demoted`, … on the trial."""
    return {
        "ts_ms": transition.at_ms,
        "by": transition.by or EVIDENCE,
        "action": f"{EVIDENCE}.{transition.after}",
        "target": trial_id,
        "detail": msgspec.to_builtins(transition),
    }
