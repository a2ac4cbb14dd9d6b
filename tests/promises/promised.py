"""The promises by number, and those whose feature is yet to come."""

PROMISES: dict[int, str] = {
    1: "Nothing is forwarded without a hold, and a strict budget is not overspent",
    2: "A hard budget strands no more than one hold or a tenth",
    3: "What cannot be priced is refused where a budget applies",
    4: "Every hold ends: settled once, or expired with its term",
    5: "Every route enforces budgets alike",
    6: "The roll-over of a window loses nothing",
    7: "A reload or restart never changes what was spent",
    8: "Each billed attempt is in the ledger exactly once",
    9: "... through kill -9 and SIGTERM",
    10: "... through an outage of the ledger's store",
    11: "The usage of a client that left is recorded",
    12: "Usage is never summed, guessed over truth, or trusted blindly",
    13: "A failed attempt's own cost is kept on failover",
    14: "No truncated answer looks complete",
    15: "After the first content, never another model's text",
    16: "Streams are relayed byte by byte",
    17: "Retries stay within a budget per target, in one layer; Retry-After is honoured and capped",
    18: "A breaker opens, probes and closes, and no tenant's mistakes open it",
    19: "A stalled peer costs bounded memory",
    20: "Hostile bodies are bounded",
    21: "No upstream work or socket is leaked",
    22: "A frozen dependency never hangs traffic",
    23: "A deploy cuts no stream within the drain time",
    24: "Overload is shed early and fairly",
    25: "No cached answer crosses tenants, policies, models, prompts or parameters",
    26: "The timing of the cache tells nothing about others",
    27: "Cache hits are priced by a stated rule and never touch a hold",
    28: "No secret leaves",
    29: "No address of a caller's choice is called",
    30: "The route that was judged is the route that is served",
    31: "A key never makes more than it has",
    32: "The audit trail shows tampering",
    33: "One Idempotency-Key, one upstream call",
    34: "A prompt cannot raise its own price class beyond policy",
    35: "Defaults are safe",
}

PENDING: dict[int, str] = {
    34: "waits for the learned router",
}
"""Not tested, and why."""
