"""One row against the one exchange that it stands for."""

from collections.abc import Callable
from typing import Any

from bascule.testing.chaos.bills import BUCKETS, Row, Tariff, billed_nanousd, buckets
from bascule.testing.chaos.findings import Kind, Reconciliation, done, told
from bascule.testing.served import Served

MAX_COUNT = 1_000_000_000
"""What the gateway believes at most of one count."""
TOLERANCE = 0.15
ODD = frozenset({"negative", "zero", "clamped"})
"""Flags of a report that could not be believed: a later estimate builds on what it said all the same."""
LEANING = 0.25
"""How far above its bill an estimate may be: it leans up by rule, and a worker that has just begun is uncalibrated."""
AT_HOLD = frozenset({"unknown_bill", "recovered"})
WIRES = {
    "openai_chat": "openai",
    "openai_embeddings": "openai",
    "anthropic_messages": "anthropic",
    "anthropic_count_tokens": "anthropic",
    "openai_responses": "responses",
    "gemini": "gemini",
    "gemini_count_tokens": "gemini",
    "gemini_embeddings": "gemini",
    "cohere": "cohere",
    "bedrock_converse": "bedrock",
}
"""The scripted upstream's word for the dialect that a row was asked in."""

Wrong = Callable[[Kind, str], None]


def judge_attempt(found: Reconciliation, where: str, row: Row, served: Served, tariff: Tariff) -> None:
    """Add what does not fit to `found`."""

    def wrong(kind: Kind, what: str) -> None:
        found.add(kind, where, f"{what} ({told(row)}; served {served.number}: {done(served)})")

    found.sources[row["usage_source"]] += 1
    asked = (WIRES.get(row["dialect_out"]), row["upstream_model"], row["stream"])
    if asked != (served.dialect, served.model, served.stream):
        wrong("other_call", "row and exchange are not the same call")
        return
    if row["upstream_request_id"] not in (None, served.upstream_request_id, served.response_id):
        wrong("other_call", f"the row names another exchange, {row['upstream_request_id']}")
    billed = billed_nanousd(tariff, row, served.dialect, served.usage)
    match row["usage_source"]:
        case "reported":
            _reported(row, served, billed, tariff, wrong)
        case "estimated":
            _estimated(found, row, billed, wrong)
        case _:
            if row["cost_nanousd"] != 0 or billed:
                wrong("below_bill", f"billed {billed}, but the row has no usage")


def _reported(row: Row, served: Served, billed: int, tariff: Tariff, wrong: Wrong) -> None:
    """The provider's word, to the token. Where it was absurd, what may be believed of it, with a flag."""
    if not isinstance(served.reported_usage, dict):
        wrong("unflagged", "nothing was reported")
        return
    word = believed(served.reported_usage)
    expected = buckets(served.dialect, word)
    actual = {name: row[name] or 0 for name in BUCKETS}
    if actual != expected:
        wrong("mispriced", f"tokens are {actual}, reported {expected}")
    if row["cost_nanousd"] != tariff(row, expected):
        wrong("mispriced", f"costs {row['cost_nanousd']}, by its tokens {tariff(row, expected)}")
    if word != served.usage and row["cost_nanousd"] != billed and not row["usage_flags"]:
        wrong("unflagged", f"billed {billed}, and nothing says that the report was odd")


def _estimated(found: Reconciliation, row: Row, billed: int, wrong: Wrong) -> None:
    flags = row["usage_flags"] or ()
    cost = row["cost_nanousd"]
    if AT_HOLD.intersection(flags):
        found.at_hold += 1
        found.recovered += bool(row["recovered"])
        if cost != row["hold_nanousd"]:
            wrong("mispriced", f"an unknown bill costs {cost}, its hold is {row['hold_nanousd']}")
        if cost is None or cost < billed:
            wrong("below_bill", f"billed {billed}, above the hold")
        return
    if row["recovered"]:
        wrong("unflagged", "settled after a crash, and no flag says so")
    if cost is None:
        wrong("below_bill", f"billed {billed}, and the cost is unknown")
        return
    if ODD.intersection(flags):
        found.odd += 1
        return
    if not billed:
        found.cautious += 1
        if row["error_class"] is None or (row["tokens_out"] or 0) > 1:  # Anthropic's first event counts one
            wrong("mispriced", "an estimate of something that was not billed")
        return
    found.ratios.append(cost / billed)
    # A whole answer was seen whole. Of one that broke off, the last tokens may have been on their way to us; of one
    # that we cut off, any number, if we were busy: there the row counts what was seen.
    least = {None: 1.0, "client_gone": 0.0}.get(row["error_class"], 1 - TOLERANCE)
    if cost / billed < least:
        wrong("below_bill", f"billed {billed}, estimated at {cost / billed:.3f} of it")
    elif cost / billed > 1 + LEANING:
        wrong("mispriced", f"billed {billed}, estimated at {cost / billed:.3f} of it")


def believed(usage: Any) -> Any:
    """A reported usage with text read as numbers, nothing negative, and nothing above what can be."""
    if isinstance(usage, dict):
        return {name: believed(value) for name, value in usage.items()}
    if isinstance(usage, list):
        return [believed(value) for value in usage]
    if isinstance(usage, str) and usage.lstrip("-").isdecimal():
        usage = int(usage)
    return min(MAX_COUNT, max(0, usage)) if isinstance(usage, int) else usage
