"""The table of faults is whole: every word that a script knows has a row, and what is new does what it says."""

from pathlib import Path
from typing import get_args

import pytest

from bascule.testing.fault_table import FAULTS, fault_table
from bascule.testing.faults import FORGED
from bascule.testing.script import Fault, ProviderRequest, Script, UsageFault, flaky

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_every_fault_of_a_script_has_a_row() -> None:
    rows = FAULTS.values()
    assert {row.script.fault for row in rows} - {None} == set(get_args(Fault))
    assert {row.script.usage_fault for row in rows} - {None} == set(get_args(UsageFault))
    statuses = {400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529}
    assert {row.script.status for row in rows if row.group == "status"} == statuses


def test_the_page_has_the_table() -> None:
    assert fault_table() in (DOCS / "chaos.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
@pytest.mark.parametrize("stream", [False, True])
async def test_odd_text_is_valid_json_and_half_a_character_is_not_utf8(scripted, dialect, stream) -> None:
    caller = await scripted([Script(fault="odd_unicode"), Script(fault="lone_surrogate")])
    odd = await caller.send(dialect, stream=stream)
    assert b"\\ud83d\\ude00" in odd.data
    assert "\u2028\u0085\u202e\U0001f600" in odd.data.decode()
    assert odd.documents if stream else odd.json
    half = await caller.send(dialect, stream=stream)
    assert b"\\ud800" in half.data
    assert all(record.bills for record in caller.up.served)


async def test_injected_headers_are_sent(scripted) -> None:
    caller = await scripted(Script(fault="header_injection"))
    answer = await caller.send()
    assert FORGED in answer.headers["set-cookie"]
    assert answer.headers["x-bascule-request-id"] == FORGED


async def test_a_line_feed_in_a_header_makes_two_or_is_refused(scripted) -> None:
    answer = await (await scripted(Script(fault="header_line_feed"))).send()
    assert answer.error == "protocol" or FORGED in answer.headers["set-cookie"]


@pytest.mark.parametrize(("dialect", "name"), [("openai", "completion_tokens"), ("anthropic", "output_tokens")])
async def test_usage_that_comes_twice_is_the_same_twice(scripted, dialect, name) -> None:
    caller = await scripted(Script(usage_fault="twice"))
    asked = {"stream_options": {"include_usage": True}} if dialect == "openai" else {}
    answer = await caller.send(dialect, stream=True, **asked)
    told = [document["usage"] for document in answer.documents if document.get("usage")]
    assert [usage[name] for usage in told] == [16, 16]


def test_flaky_is_a_share_of_the_requests() -> None:
    choose = flaky(Script(status=500), 0.3, seed=7)
    asked = {"dialect": "openai", "path": "", "model": "m", "stream": False, "headers": {}, "body": {}}
    failed = sum(choose(ProviderRequest(number=number, **asked)).status == 500 for number in range(1_000))
    assert 250 < failed < 350


async def test_nobody_listens_and_then_somebody_does(scripted) -> None:
    caller = await scripted(Script())
    await caller.up.stop_listening()
    assert (await caller.send()).error == "connect"
    await caller.up.listen_again()
    assert (await caller.send()).status == 200
