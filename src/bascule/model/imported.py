"""Rows that others recorded: logs of agents, providers' exports, other gateways' spend.

They mean what ledger rows mean and prove nothing: no journal line, no link, no budget stands behind them.
"""

from msgspec import Struct

from bascule.model.row import AttemptRow

AGENTS = ("claude-code", "codex")
"""Coding agents whose logs are imported: `origin` and `client` of their rows. People use them on plans, too."""

PLAN_TAG = "plan"
"""On a row of an agent's log: the subscription that it was used on, as the log or the importing user says."""


def on_plan(origin: str | None, plan: str | None) -> bool:
    """Whether a subscription covered a row of this origin and tag `plan`: its list price measures use and is no bill.

    Elsewhere a tag of that name is the operator's own, such as the plan of a customer.
    """
    return plan is not None and origin in AGENTS


class Imported(Struct, frozen=True, kw_only=True, gc=False):
    """One reading of one row of a source. A later reading replaces an earlier one unless it is worse."""

    source: str
    """The row's `origin`: `claude-code`, `codex`, `openai-usage`, `litellm`, `jsonl`, …"""
    source_id: str
    """What names the row within its source, the same in every copy and at every reading."""
    row: AttemptRow
    """Of kind `import`, origin `source` and attempt_id `<source>:<source_id>`, without holds."""
    quality: int
    """How good the reading is: more is better."""


class ImportCounts(Struct, frozen=True, kw_only=True):
    """What became of readings."""

    new: int = 0
    replaced: int = 0
    same: int = 0
    """Nothing changed: the row was there as it is, or from a better reading."""


def import_id(source: str, source_id: str) -> str:
    """The attempt_id of an imported row."""
    return f"{source}:{source_id}"
