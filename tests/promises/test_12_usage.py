"""Promise 12: usage that lies, in four dialects, whole and streamed, against the bill of the provider that lied."""

import asyncio
from pathlib import Path

import pytest
from msgspec import Struct, structs
from tests.promises.conftest import Figure
from tests.promises.stormy import TARIFF, stormy

from bascule.testing.chaos.attempts import TOLERANCE
from bascule.testing.chaos.bills import Row, billed_nanousd
from bascule.testing.chaos.client import Seen, post
from bascule.testing.chaos.reconcile import MARK, marked
from bascule.testing.chaos.surfaces import Asked, Surface, written
from bascule.testing.fault_table import FAULTS
from bascule.testing.script import ProviderRequest, Script
from bascule.testing.served import Served

pytestmark = pytest.mark.real

MODELS: dict[str, Surface] = {"oai": "chat", "ant": "messages", "res": "responses", "gem": "gemini"}
EXACT = ("usage_odd_chunk", "usage_twice", "usage_cumulative", "same_id")
GUESSED = ("usage_none", "usage_null")
FLAGS = {
    "usage_zero": "zero",
    "usage_negative": "negative",
    "usage_huge": "clamped",
    "usage_strings": "not_a_number",
}
ORDINARY = 15
"""Answers of each model before any lie, for its estimates to rest on."""
AT_ONCE = 16


class Case(Struct, frozen=True):
    model: str
    stream: bool
    fault: str

    @property
    def late_is_lost(self) -> bool:
        """These streams are over with their terminal event; nobody waits for what may come behind it."""
        return self.stream and self.fault == "usage_after_done" and self.model in ("ant", "res")


CASES = [
    Case(model, stream, fault.name)
    for model in MODELS
    for stream in (False, True)
    for fault in FAULTS.values()
    if fault.group == "usage"
]


def scripted(request: ProviderRequest) -> Script:
    """By the number in the prompt: an ordinary answer, or one whose usage lies."""
    match = MARK.search(str(request.raw_body))
    number = int(match.group(1)) if match else 0
    sound = Script(text="ab ba ki lo do " * 20, cached_tokens=12)
    if number >= len(CASES):
        return sound
    fault = FAULTS[CASES[number].fault].script
    return structs.replace(sound, usage_fault=fault.usage_fault, response_id=fault.response_id)


async def ask(url: str, cases: list[tuple[int, Case]]) -> list[Seen]:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, case: Case) -> Seen:
        asked = Asked(
            model=case.model, turns=(("user", f"{'word ' * 1500}[#{number}]"),), stream=case.stream, max_tokens=400
        )
        path, body = written(MODELS[case.model], asked)
        async with room:
            return await post(url, path, body, {"x-bascule-tag": f"n={number}"})

    return await asyncio.gather(*(one(number, case) for number, case in cases))


def wrong(case: Case, row: Row, served: Served) -> str | None:
    """Why a row is not what this lie must come to."""
    bill = billed_nanousd(TARIFF, row, served.dialect, served.usage)
    source, cost, flags = row["usage_source"], row["cost_nanousd"], row["usage_flags"] or ()
    if case.fault == "usage_zero":  # the provider's word stands, however odd
        expected = ("reported", 0)
    elif case.fault in (*EXACT, "usage_strings") or (case.fault == "usage_after_done" and not case.late_is_lost):
        expected = ("reported", bill)
    else:
        near = abs(cost - bill) <= TOLERANCE * bill
        expected = ("estimated", cost if near else bill)
    if (source, cost) != expected:
        return f"{case}: {source} at {cost}, expected {expected}; billed {bill}"
    if case.fault in FLAGS and FLAGS[case.fault] not in flags:
        return f"{case}: flags are {flags}, without {FLAGS[case.fault]}"
    return None


@pytest.mark.promise(
    12,
    fault="usage absent, late, twice, cumulative, zero, negative, text, huge, null, ids alike; 4 dialects",
    limit="exact, or flagged and within 15 %",
)
def test_usage_that_lies_is_neither_summed_nor_believed(tmp_path: Path, figure: Figure) -> None:
    ordinary = [
        (10_000 + place, Case(model, stream=True, fault="")) for place, model in enumerate([*MODELS] * ORDINARY)
    ]
    with stormy(tmp_path) as (gateway, upstream):
        upstream.use(scripted)
        gateway.start()
        asyncio.run(ask(gateway.url, ordinary))
        seen = asyncio.run(ask(gateway.url, list(enumerate(CASES))))
        upstream.quiet()
        gateway.settled()
        rows = {row["tags"]["n"]: row for row in gateway.rows()}
        served = {marked(one): one for one in upstream.served}
    assert [one.status for one in seen] == [200] * len(CASES)
    assert len(rows) == len(served) == len(CASES) + len(ordinary)
    found = [wrong(case, rows[str(number)], served[str(number)]) for number, case in enumerate(CASES)]
    figure("cases", len(CASES))
    figure("wrong", sum(one is not None for one in found))
    assert not [one for one in found if one is not None]
    assert {case.fault for case in CASES} == {*EXACT, *GUESSED, *FLAGS, "usage_after_done"}
