"""What a reconciliation compared and what does not fit."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

from bascule.testing.chaos.bills import BUCKETS, Row
from bascule.testing.served import Served

Kind = Literal["missing", "extra", "mispriced", "unflagged", "below_bill", "other_call", "identity", "open"]
"""`missing`: served, no row. `extra`: a row, nothing served. `mispriced`: tokens or cost are not what was told and what
that costs. `unflagged`: a guess, or a report that nobody should believe, that the row does not admit. `below_bill`: an
estimate under what was billed. `other_call`: row and exchange are not the same call. `identity`: attempts numbered or
named wrongly. `open`: never settled."""
MOST_SHOWN = 60


class Finding(Struct, frozen=True):
    kind: Kind
    where: str
    """`#request/attempt`."""
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.where}: {self.what}"


@dataclass
class Reconciliation:
    """Grows while rows and exchanges are compared."""

    rows: int = 0
    served: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    """Rows by `usage_source`."""
    ratios: list[float] = field(default_factory=list)
    """Estimated cost over billed cost, where an estimate was made of something billed."""
    at_hold: int = 0
    """Rows settled at their hold: an unknown bill, or recovered after a crash."""
    recovered: int = 0
    """Those of them that a start after a crash settled."""
    cautious: int = 0
    """Estimates of calls that broke off before anything was generated, which this provider forgives and others bill."""
    odd: int = 0
    """Estimates that build on an absurd report, flagged."""
    replayed: int = 0
    """Exchanges that died on a stale connection, unbilled, and were sent again within their attempt."""
    never_sent: int = 0
    unseen: int = 0
    """Rows at their hold whose client left before the provider had read the request: it may have been on its way."""
    findings: list[Finding] = field(default_factory=list)

    def add(self, kind: Kind, where: str, what: str) -> None:
        self.findings.append(Finding(kind, where, what))

    def count(self, kind: Kind) -> int:
        """Findings of one kind."""
        return sum(one.kind == kind for one in self.findings)

    def report(self) -> str:
        """For a person."""
        ratios = sorted(self.ratios)
        spread = f"{ratios[0]:.3f} to {ratios[-1]:.3f}, median {ratios[len(ratios) // 2]:.3f}" if ratios else "none"
        lines = [
            f"{self.rows} rows against {self.served} served attempts: {dict(self.sources)}",
            f"estimates over bills ({len(ratios)}): {spread}; at their hold: {self.at_hold}",
            f"estimated though forgiven: {self.cautious}; on odd reports: {self.odd}",
            f"never sent: {self.never_sent}; sent again: {self.replayed}; "
            f"left before it was read: {self.unseen}; recovered: {self.recovered}",
            f"{len(self.findings)} findings",
            *[str(one) for one in self.findings[:MOST_SHOWN]],
        ]
        return "\n".join(lines)


def told(row: Row) -> str:
    """A row in short."""
    tokens = {name: row[name] for name in BUCKETS if row[name]}
    kept = ("model", "stream", "status", "error_class", "usage_source", "usage_flags", "cost_nanousd", "recovered")
    return f"row {' '.join(f'{name}={row[name]}' for name in kept if row[name])} {tokens}"


def done(served: Served) -> str:
    """An exchange in short."""
    return (
        f"status={served.status} fault={served.fault} cut={served.cut} written={served.output_tokens_written}"
        f" usage={_short(served.usage)} reported={_short(served.reported_usage)}"
    )


def _short(usage: Any) -> Any:
    """A wire usage without its zeros."""
    if not isinstance(usage, dict):
        return usage
    return {name: _short(value) for name, value in usage.items() if value not in (0, "0", {}, "standard")}
