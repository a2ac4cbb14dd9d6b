"""The ledger against what the scripted upstream counted, attempt by attempt.

Rows and served requests meet by a number that travels in a tag (`n=…`) and in the prompt (`[#…]`). One request's
attempts are made one after another, so its rows by `attempt_no` are its served requests by arrival.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable

from bascule.testing.chaos.attempts import judge_attempt
from bascule.testing.chaos.bills import Row, Tariff
from bascule.testing.chaos.findings import Reconciliation, done, told
from bascule.testing.served import Served

MARK = re.compile(r"\[#(\d+)\]")
NEVER_SENT = frozenset({"connect", "timeout_connect"})


def reconcile(
    rows: Iterable[Row], served: Iterable[Served], tariff: Tariff, *, crashed: bool = False
) -> Reconciliation:
    """`crashed`: the gateway was killed meanwhile, so that recovered rows may stand for requests that never left."""
    found = Reconciliation()
    by_number: dict[str, tuple[list[Row], list[Served]]] = defaultdict(lambda: ([], []))
    for row in rows:
        by_number[(row["tags"] or {}).get("n", "untagged")][0].append(row)
        found.rows += 1
    for one in served:
        by_number[marked(one)][1].append(one)
        found.served += 1
    for number, (its_rows, its_served) in sorted(by_number.items()):
        in_order = sorted(its_rows, key=lambda row: int(row["attempt_no"]))
        _one_request(found, number, in_order, its_served, tariff, crashed)
    return found


def reconcile_sound(rows: Iterable[Row], served: Iterable[Served], tariff: Tariff) -> Reconciliation:
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
            found.add("extra", where, f"a row, but nothing was served ({told(row)})")
        else:
            left.remove(one)
            judge_attempt(found, where, row, one, tariff)
    for one in left:
        found.add("missing", f"{one.number} {one.path}", f"served, but has no row ({done(one)})")
    return found


def _is_named(one: Served, row: Row) -> bool:
    """By the provider's id; what gives none in its body (embeddings, counts) by the order of what was asked."""
    named = row["upstream_request_id"]
    if named is not None:
        return named in (one.upstream_request_id, one.response_id)
    return not one.response_id and (one.model, one.stream) == (row["upstream_model"], row["stream"])


def marked(one: Served) -> str:
    """The number in the prompt of a request that was served."""
    match = MARK.search(json.dumps(one.request_body))
    return match.group(1) if match else "unmarked"


def _one_request(
    found: Reconciliation, number: str, rows: list[Row], served: list[Served], tariff: Tariff, crashed: bool
) -> None:
    _identities(found, number, rows)
    left = list(served)
    for place, row in enumerate(rows):
        where = f"#{number}/{row['attempt_no']}"
        if row["error_class"] in NEVER_SENT:
            found.never_sent += 1
            if row["cost_nanousd"] != 0:
                found.add("mispriced", where, f"never sent, yet costs {row['cost_nanousd']}")
            continue
        while len(left) > len(rows) - place and _was_replayed(left[0], row) and left[1].model == row["upstream_model"]:
            found.replayed += 1
            left.pop(0)
        if left:
            judge_attempt(found, where, row, left.pop(0), tariff)
        elif crashed and row["recovered"]:
            found.at_hold += 1  # the intent was written and the gateway died before it sent
        elif _was_left(row):
            found.unseen += 1
        else:
            found.add("extra", where, f"a row, but nothing was served ({told(row)})")
    for one in left:
        if rows and _was_replayed(one, rows[-1]):
            found.replayed += 1
            continue
        beside = "; ".join([told(row) for row in rows])
        found.add("missing", f"#{number}", f"served, but has no row ({done(one)}; rows: {beside})")


def _was_left(row: Row) -> bool:
    """The client left while its request was on the way: nobody can say whether it was read, so the bill is unknown."""
    left = row["error_class"] == "client_gone" and "unknown_bill" in (row["usage_flags"] or ())
    return left and row["cost_nanousd"] == row["hold_nanousd"]


def _identities(found: Reconciliation, number: str, rows: list[Row]) -> None:
    numbers = [row["attempt_no"] for row in rows]
    if numbers != list(range(1, len(rows) + 1)):
        found.add("identity", f"#{number}", f"attempts are numbered {numbers}")
    if len({row["attempt_id"] for row in rows}) != len(rows) or len({row["request_id"] for row in rows}) > 1:
        found.add("identity", f"#{number}", "identities are not unique")
    for row in rows:
        if row["kind"] != "settle":
            found.add("open", f"#{number}/{row['attempt_no']}", "still open")


def _was_replayed(one: Served, row: Row) -> bool:
    """A pooled connection died under the request before a byte of an answer, and the transport sent it once more:
    two exchanges in one attempt, of which the provider bills at most the second."""
    ids = (one.upstream_request_id, one.response_id)
    died = one.status == 0 and one.fault in ("reset_before", "close_before")
    return died and not one.bills and row["upstream_request_id"] not in ids
