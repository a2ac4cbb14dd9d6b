"""The ledger against what the provider counted, attempt by attempt.

Rows and served requests meet by a number that travels in a tag (`n=…`) and in the prompt (`[#…]`). One request's
attempts are made one after another, so its rows by `attempt_no` are its served requests by arrival.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.acceptance.money import BUCKETS, billed_nanousd, buckets, nanousd

from bascule.testing.served import Served

Row = dict[str, Any]
MARK = re.compile(r"\[#(\d+)\]")
MAX_COUNT = 1_000_000_000
"""What the gateway believes at most of one count."""
TOLERANCE = 0.15
ODD = frozenset({"negative", "zero", "clamped"})
"""Flags of a report that could not be believed: a later estimate builds on what it said all the same."""
WIRES = {
    "openai_chat": "openai",
    "openai_embeddings": "openai",
    "anthropic_messages": "anthropic",
    "anthropic_count_tokens": "anthropic",
    "openai_responses": "responses",
    "gemini": "gemini",
    "gemini_count_tokens": "gemini",
    "gemini_embeddings": "gemini",
}
"""The scripted upstream's word for the dialect that a row was asked in."""
NEVER_SENT = frozenset({"connect", "timeout_connect"})


@dataclass
class Reconciliation:
    """What was compared and what does not fit."""

    rows: int = 0
    served: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    ratios: list[float] = field(default_factory=list)
    """Estimated cost over billed cost, where an estimate was made of something billed."""
    at_hold: int = 0
    """Rows settled at their hold: an unknown bill, or recovered after a crash."""
    cautious: int = 0
    """Estimates of calls that broke off before anything was generated, which this provider forgives and others bill."""
    odd: int = 0
    """Estimates that build on an absurd report, flagged."""
    replayed: int = 0
    """Exchanges that died on a stale connection, unbilled, and were sent again within their attempt."""
    never_sent: int = 0
    findings: list[str] = field(default_factory=list)

    def report(self) -> str:
        """For a person."""
        ratios = sorted(self.ratios)
        spread = f"{ratios[0]:.3f} to {ratios[-1]:.3f}, median {ratios[len(ratios) // 2]:.3f}" if ratios else "none"
        lines = [
            f"{self.rows} rows against {self.served} served attempts: {dict(self.sources)}",
            f"estimates over bills ({len(ratios)}): {spread}; at their hold: {self.at_hold}",
            f"estimated though forgiven: {self.cautious}; on odd reports: {self.odd}",
            f"never sent: {self.never_sent}; sent again: {self.replayed}",
            f"{len(self.findings)} findings",
            *self.findings[:60],
        ]
        return "\n".join(lines)


def reconcile(rows: Iterable[Row], served: Iterable[Served], *, crashed: bool = False) -> Reconciliation:
    """`crashed`: the gateway was killed meanwhile, so that recovered rows may stand for requests that never left."""
    found = Reconciliation()
    by_number: dict[str, tuple[list[Row], list[Served]]] = defaultdict(lambda: ([], []))
    for row in rows:
        by_number[row["tags"].get("n", "untagged")][0].append(row)
        found.rows += 1
    for one in served:
        by_number[marked(one)][1].append(one)
        found.served += 1
    for number, (its_rows, its_served) in sorted(by_number.items()):
        _one_request(found, number, sorted(its_rows, key=lambda row: row["attempt_no"]), its_served, crashed)
    return found


def reconcile_sound(rows: Iterable[Row], served: Iterable[Served]) -> Reconciliation:
    """Exchanges of a client that puts no number anywhere, with a provider that is well: each one has its row, found by
    the provider's own id, and each row has its exchange."""
    found = Reconciliation()
    left = list(served)
    found.served = len(left)
    for row in rows:
        found.rows += 1
        where = f"{row['request_id']}/{row['attempt_no']}"
        one = next((one for one in left if _is_named(one, row)), None)
        if one is None:
            found.findings.append(f"{where}: a row, but nothing was served ({_told(row)})")
        else:
            left.remove(one)
            _one_attempt(found, where, row, one)
    found.findings += [f"{one.number} {one.path}: served, but has no row ({_done(one)})" for one in left]
    return found


def _is_named(one: Served, row: Row) -> bool:
    """By the provider's id; what gives none in its body (embeddings, counts) by the order of what was asked."""
    named = row["upstream_request_id"]
    if named is not None:
        return named in (one.upstream_request_id, one.response_id)
    return not one.response_id and (one.model, one.stream) == (row["upstream_model"], row["stream"])


def marked(one: Served) -> str:
    match = MARK.search(json.dumps(one.request_body))
    return match.group(1) if match else "unmarked"


def _one_request(found: Reconciliation, number: str, rows: list[Row], served: list[Served], crashed: bool) -> None:
    numbers = [row["attempt_no"] for row in rows]
    if numbers != list(range(1, len(rows) + 1)):
        found.findings.append(f"#{number}: attempts are numbered {numbers}")
    if len({row["attempt_id"] for row in rows}) != len(rows) or len({row["request_id"] for row in rows}) > 1:
        found.findings.append(f"#{number}: identities are not unique")
    for row in rows:
        if row["kind"] != "settle":
            found.findings.append(f"#{number}/{row['attempt_no']}: still open")
    left = list(served)
    for place, row in enumerate(rows):
        where = f"#{number}/{row['attempt_no']}"
        if row["error_class"] in NEVER_SENT:
            found.never_sent += 1
            if row["cost_nanousd"] != 0:
                found.findings.append(f"{where}: never sent, yet costs {row['cost_nanousd']}")
            continue
        while len(left) > len(rows) - place and _was_replayed(left[0], row) and left[1].model == row["upstream_model"]:
            found.replayed += 1
            left.pop(0)
        if left:
            _one_attempt(found, where, row, left.pop(0))
        elif crashed and row["recovered"]:
            found.at_hold += 1  # the intent was written and the gateway died before it sent
        else:
            found.findings.append(f"{where}: a row, but nothing was served ({_told(row)})")
    for one in left:
        if rows and _was_replayed(one, rows[-1]):
            found.replayed += 1
            continue
        beside = "; ".join(_told(row) for row in rows)
        found.findings.append(f"#{number}: served, but has no row ({_done(one)}; rows: {beside})")


def _was_replayed(one: Served, row: Row) -> bool:
    """A pooled connection died under the request before a byte of an answer, and the transport sent it once more:
    two exchanges in one attempt, of which the provider bills at most the second."""
    ids = (one.upstream_request_id, one.response_id)
    died = one.status == 0 and one.fault in ("reset_before", "close_before")
    return died and not one.bills and row["upstream_request_id"] not in ids


def _one_attempt(found: Reconciliation, where: str, row: Row, served: Served) -> None:
    def wrong(what: str) -> None:
        found.findings.append(f"{where}: {what} ({_told(row)}; served {served.number}: {_done(served)})")

    found.sources[row["usage_source"]] += 1
    asked = (WIRES.get(row["dialect_out"]), row["upstream_model"], row["stream"])
    if asked != (served.dialect, served.model, served.stream):
        wrong("row and exchange are not the same call")
        return
    if row["upstream_request_id"] not in (None, served.upstream_request_id, served.response_id):
        wrong(f"the row names another exchange, {row['upstream_request_id']}")
    billed = billed_nanousd(row["model"], served.dialect, served.usage)
    match row["usage_source"]:
        case "reported":
            _reported(row, served, billed, wrong)
        case "estimated":
            _estimated(found, row, billed, wrong)
        case _:
            if row["cost_nanousd"] != 0 or billed:
                wrong(f"billed {billed}, but the row has no usage")


def _reported(row: Row, served: Served, billed: int, wrong: Callable[[str], None]) -> None:
    """The provider's word, to the token. Where it was absurd, what may be believed of it, with a flag."""
    if not isinstance(served.reported_usage, dict):
        wrong("nothing was reported")
        return
    told = believed(served.reported_usage)
    expected = buckets(served.dialect, told)
    actual = {name: row[name] or 0 for name in BUCKETS}
    if actual != expected:
        wrong(f"tokens are {actual}, reported {expected}")
    if row["cost_nanousd"] != nanousd(row["model"], expected):
        wrong(f"costs {row['cost_nanousd']}, by its tokens {nanousd(row['model'], expected)}")
    if told != served.usage and row["cost_nanousd"] != billed and not row["usage_flags"]:
        wrong(f"billed {billed}, and nothing says that the report was odd")


def _estimated(found: Reconciliation, row: Row, billed: int, wrong: Callable[[str], None]) -> None:
    flags = row["usage_flags"] or ()
    cost = row["cost_nanousd"]
    if "unknown_bill" in flags or "recovered" in flags:
        found.at_hold += 1
        if cost != row["hold_nanousd"]:
            wrong(f"an unknown bill costs {cost}, its hold is {row['hold_nanousd']}")
        if cost is None or cost < billed:
            wrong(f"billed {billed}, above the hold")
        return
    if cost is None:
        wrong(f"billed {billed}, and the cost is unknown")
        return
    if ODD.intersection(flags):
        found.odd += 1
        return
    if not billed:
        found.cautious += 1
        if row["error_class"] is None or (row["tokens_out"] or 0) > 1:  # Anthropic's first event counts one
            wrong("an estimate of something that was not billed")
        return
    found.ratios.append(cost / billed)
    # A whole answer was seen whole. Of one that broke off, the last tokens may have been on their way to us; of one
    # that we cut off, any number, if we were busy: there the row counts what was seen.
    least = {None: 1.0, "client_gone": 0.0}.get(row["error_class"], 1 - TOLERANCE)
    if not least <= cost / billed <= 1 + TOLERANCE:
        wrong(f"billed {billed}, estimated at {cost / billed:.3f} of it")


def believed(usage: Any) -> Any:
    """A reported usage with text read as numbers, nothing negative, and nothing above what can be."""
    if isinstance(usage, dict):
        return {name: believed(value) for name, value in usage.items()}
    if isinstance(usage, str) and usage.lstrip("-").isdecimal():
        usage = int(usage)
    return min(MAX_COUNT, max(0, usage)) if isinstance(usage, int) else usage


def _told(row: Row) -> str:
    tokens = {name: row[name] for name in BUCKETS if row[name]}
    kept = ("model", "stream", "status", "error_class", "usage_source", "usage_flags", "cost_nanousd", "recovered")
    return f"row {' '.join(f'{name}={row[name]}' for name in kept if row[name])} {tokens}"


def _done(served: Served) -> str:
    return (
        f"status={served.status} fault={served.fault} cut={served.cut} written={served.output_tokens_written}"
        f" usage={_short(served.usage)} reported={_short(served.reported_usage)}"
    )


def _short(usage: Any) -> Any:
    """A wire usage without its zeros."""
    if not isinstance(usage, dict):
        return usage
    return {name: _short(value) for name, value in usage.items() if value not in (0, "0", {}, "standard")}
