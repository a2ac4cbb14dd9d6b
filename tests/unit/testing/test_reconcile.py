"""The reconciler finds what it is there to find: each kind of finding is planted once."""

from typing import Any

import pytest
from msgspec import structs

from bascule.testing.chaos.bills import BUCKETS, tariff_of
from bascule.testing.chaos.reconcile import reconcile
from bascule.testing.served import Served

TARIFF = tariff_of({"m": {"input": 1, "output": 2}})
USAGE = {"prompt_tokens": 100, "completion_tokens": 50}
COST = 100 * 1_000 + 50 * 2_000


def served(number: int = 1, **changes: Any) -> Served:
    made = Served(
        number=number,
        dialect="openai",
        path="/v1/chat/completions",
        model="m",
        stream=False,
        request_headers={},
        request_body={"messages": [{"role": "user", "content": f"hello [#{number}]"}]},
        request_bytes=10,
        upstream_request_id=f"req_{number}",
        status=200,
        bills=True,
        usage=USAGE,
        reported_usage=USAGE,
        completed=True,
    )
    return structs.replace(made, **changes)


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    buckets = dict.fromkeys(BUCKETS) | {"tokens_in": 100, "tokens_out": 50}
    told = {
        "kind": "settle",
        "attempt_id": f"att_{number}",
        "request_id": f"r{number}",
        "attempt_no": 1,
        "tags": {"n": str(number)},
        "model": "m",
        "upstream_model": "m",
        "dialect_out": "openai_chat",
        "stream": False,
        "status": 200,
        "error_class": None,
        "upstream_request_id": f"req_{number}",
        "usage_source": "reported",
        "usage_flags": None,
        "cost_nanousd": COST,
        "hold_nanousd": 2 * COST,
        "recovered": False,
    }
    return {**told, **buckets, **changes}


GUESS: dict[str, Any] = {"usage_source": "estimated", "error_class": "reset"}
ODD = {"prompt_tokens": 10**12, "completion_tokens": 50}


def test_true_books_have_no_finding() -> None:
    found = reconcile([row(1), row(2)], [served(1), served(2)], TARIFF)
    assert (found.rows, found.served, found.findings) == (2, 2, [])


@pytest.mark.parametrize(
    ("kind", "rows", "exchanges"),
    [
        ("missing", [row(1)], [served(1), served(2)]),
        ("extra", [row(1), row(2)], [served(1)]),
        ("extra", [row(1), row(1, attempt_no=2, attempt_id="att_1b")], [served(1)]),
        ("mispriced", [row(1, cost_nanousd=COST + 1)], [served(1)]),
        ("mispriced", [row(1, tokens_out=51, cost_nanousd=COST + 2_000)], [served(1)]),
        ("mispriced", [row(1, **GUESS, cost_nanousd=2 * COST)], [served(1, reported_usage=None)]),
        ("mispriced", [row(1, error_class="connect", cost_nanousd=5)], []),
        ("unflagged", [row(1)], [served(1, reported_usage=None)]),
        ("unflagged", [row(1, tokens_in=10**9, cost_nanousd=10**12 + 100_000)], [served(1, reported_usage=ODD)]),
        ("unflagged", [row(1, **GUESS, recovered=True)], [served(1, reported_usage=None)]),
        ("below_bill", [row(1, **GUESS, cost_nanousd=COST // 2)], [served(1, reported_usage=None)]),
        ("below_bill", [row(1, usage_source="none", cost_nanousd=0)], [served(1)]),
        (
            "below_bill",
            [row(1, **GUESS, usage_flags=["unknown_bill"], hold_nanousd=7, cost_nanousd=7)],
            [served(1, reported_usage=None)],
        ),
        ("other_call", [row(1, upstream_model="other")], [served(1)]),
        ("other_call", [row(1, upstream_request_id="req_99")], [served(1)]),
        ("identity", [row(1, attempt_no=2)], [served(1)]),
        ("open", [row(1, kind="intent")], [served(1)]),
    ],
)
def test_each_kind_of_untruth_is_found(kind: str, rows: list[dict[str, Any]], exchanges: list[Served]) -> None:
    found = reconcile(rows, exchanges, TARIFF)
    assert found.count(kind) >= 1, found.report()
    assert kind in found.report()


def test_a_row_recovered_after_a_crash_may_stand_for_what_never_left() -> None:
    left_open = row(1, usage_source="estimated", usage_flags=["recovered"], recovered=True, cost_nanousd=2 * COST)
    assert not reconcile([left_open], [], TARIFF, crashed=True).findings
    assert reconcile([left_open], [], TARIFF).count("extra") == 1


def test_a_dead_connection_that_was_tried_again_is_one_attempt() -> None:
    died = served(1, status=0, fault="reset_before", bills=False, usage=None, reported_usage=None)
    answered = served(1, upstream_request_id="req_again")
    found = reconcile([row(1, upstream_request_id="req_again")], [died, answered], TARIFF)
    assert (found.replayed, found.findings) == (1, [])
