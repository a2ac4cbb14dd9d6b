"""Every named fault does on the wire what its name says, in both dialects, and bills what it should."""

import gzip

import orjson
import pytest

from bascule.testing.faults import BIG_LINE_BYTES, BOMB_BYTES
from bascule.testing.script import Script

DIALECTS = pytest.mark.parametrize("dialect", ["openai", "anthropic"])
STREAM = pytest.mark.parametrize("stream", [False, True])


def terminal(dialect: str) -> bytes:
    return b"[DONE]" if dialect == "openai" else b'{"type":"message_stop"}'


def text_of(dialect: str, documents: list[dict]) -> str:
    if dialect == "openai":
        return "".join(choice["delta"].get("content") or "" for d in documents for choice in d.get("choices", ()))
    return "".join(d["delta"].get("text", "") for d in documents if d["type"] == "content_block_delta")


@DIALECTS
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 422, 429, 500, 503, 504, 529])
async def test_error_statuses_have_the_dialects_body_and_bill_nothing(scripted, dialect, status):
    caller = await scripted(Script(status=status, retry_after="7", error_message="no luck"))
    answer = await caller.send(dialect, stream=True)
    assert (answer.status, answer.headers["retry-after"]) == (status, "7")
    assert answer.json["error"]["message"] == "no luck"
    assert (caller.up.served[0].bills, caller.up.served[0].usage, caller.up.served[0].status) == (False, None, status)


@DIALECTS
async def test_502_is_the_html_of_an_edge(scripted, dialect):
    answer = await (await scripted(Script(status=502))).send(dialect)
    assert (answer.status, answer.headers["content-type"]) == (502, "text/html")
    assert answer.data.startswith(b"<html>")


@DIALECTS
@STREAM
@pytest.mark.parametrize("fault", ["reset_before", "close_before", "hang_before"])
async def test_faults_before_the_head_send_no_byte_and_bill_only_under_full(scripted, dialect, stream, fault):
    caller = await scripted([Script(fault=fault), Script(fault=fault, bill="full")])
    for bills in (False, True):
        answer = await caller.send(dialect, stream=stream)
        assert answer.error == ("timeout_first_byte" if fault == "hang_before" else "reset")
        record = caller.up.served[-1]
        assert (record.bytes_written, record.status, record.bills) == (0, 0, bills)
        assert record.cut == ("client_left" if fault == "hang_before" else fault)


@DIALECTS
@pytest.mark.parametrize(
    ("fault", "error"),
    [("reset_mid", "reset"), ("close_mid", "truncated"), ("hang_mid", "timeout_idle"), ("left_open", "timeout_idle")],
)
async def test_a_cut_stream_bills_what_was_generated_or_all(scripted, dialect, fault, error):
    caller = await scripted([Script(fault=fault), Script(fault=fault, bill="full"), Script(fault=fault, bill="none")])
    for expected in (16 if fault == "left_open" else 3, 16, None):
        answer = await caller.send(dialect, stream=True)
        assert answer.error == error
        record = caller.up.served[-1]
        tokens = record.usage and (record.usage.get("completion_tokens") or record.usage.get("output_tokens"))
        assert (tokens, record.bills, record.completed) == (expected, expected is not None, False)
        if fault != "left_open":
            assert terminal(dialect) not in answer.data
            assert len(text_of(dialect, answer.documents).split()) == 3


@DIALECTS
@pytest.mark.parametrize("fault", ["reset_mid", "close_mid", "short_body", "truncated_json"])
async def test_a_cut_whole_answer_was_generated_and_is_billed(scripted, dialect, fault):
    caller = await scripted(Script(fault=fault))
    answer = await caller.send(dialect)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(answer.data)
    assert answer.data.startswith(b"{")
    assert (answer.error is None) == (fault == "truncated_json")
    record = caller.up.served[0]
    assert (record.bills, record.output_tokens_written, record.reported_usage) == (True, 16, None)


@DIALECTS
@STREAM
async def test_drip_keeps_the_line_busy_without_saying_anything(scripted, dialect, stream):
    caller = await scripted(Script(fault="drip"))
    answer = await caller.send(dialect, stream=stream, total_s=0.4)
    assert answer.error == "timeout_total"
    assert answer.data.endswith(b": drip\n\n: drip\n\n" if stream else b"   ")


@DIALECTS
async def test_bodies_that_are_not_the_dialect(scripted, dialect):
    names = ["empty_body", "null_body", "html_200", "wrong_content_type", "invalid_utf8", "gzip_bomb", "big_line"]
    caller = await scripted([Script(fault=name) for name in names])
    answers = {name: await caller.send(dialect) for name in names}
    assert {answer.status for answer in answers.values()} == {200}
    assert answers["empty_body"].data == b""
    assert answers["null_body"].data == b"null"
    assert answers["html_200"].headers["content-type"].startswith("text/html")
    assert answers["html_200"].data.startswith(b"<!doctype html>")
    assert answers["wrong_content_type"].headers["content-type"] == "text/plain"
    assert answers["wrong_content_type"].json["model"] == "m"
    with pytest.raises(UnicodeDecodeError):
        answers["invalid_utf8"].data.decode()
    assert len(answers["gzip_bomb"].data) == BOMB_BYTES
    assert len(answers["big_line"].data) > BIG_LINE_BYTES
    assert answers["big_line"].json["model"] == "m"
    billed = {name for name, record in zip(names, caller.up.served, strict=True) if record.bills}
    assert billed == {"wrong_content_type", "invalid_utf8", "big_line"}


@DIALECTS
@STREAM
async def test_packaging_changes_nothing_but_the_package(scripted, dialect, stream):
    said = {"text": "one two", "response_id": "same"}
    caller = await scripted([Script(**said), *(Script(fault=f, **said) for f in ("gzip", "split_bytes"))])
    sound, packed, split = [await caller.send(dialect, stream=stream) for _ in range(3)]
    assert sound.data == packed.data == split.data
    assert packed.headers["content-encoding"] == "gzip"
    assert [record.usage == caller.up.served[0].usage for record in caller.up.served] == [True] * 3


async def test_a_redirect_leads_to_a_trap_that_counts(scripted):
    caller = await scripted(Script(fault="redirect"))
    answer = await caller.send()
    assert answer.status == 307
    assert answer.headers["location"] == f"{caller.up.origin}/_trap"
    assert caller.up.trap_hits == 0
    await caller.send(path="/_trap")
    assert caller.up.trap_hits == 1


async def test_a_huge_head(scripted):
    assert (await (await scripted(Script(fault="huge_headers"))).send()).error == "protocol"


@DIALECTS
async def test_streams_that_do_not_end_as_they_should(scripted, dialect):
    names = [None, "clean_eof", "truncated_event", "no_done", "done_twice", "after_done", "empty_stream"]
    caller = await scripted([Script(fault=name) for name in names])
    answers = {name: await caller.send(dialect, stream=True) for name in names}
    assert all((answer.status, answer.error) == (200, None) for answer in answers.values())
    end = terminal(dialect)
    assert {name: answer.events.count(end) for name, answer in answers.items()} == {
        None: 1,
        "clean_eof": 0,
        "truncated_event": 0,
        "no_done": 0,
        "done_twice": 2,
        "after_done": 1,
        "empty_stream": 0,
    }
    assert answers["empty_stream"].data == b""
    assert answers["after_done"].events[-1] != end
    assert len(text_of(dialect, answers["clean_eof"].documents).split()) == 16
    assert b"end_turn" not in answers["clean_eof"].data
    assert b'"finish_reason":"stop"' not in answers["clean_eof"].data
    assert not answers["truncated_event"].data.endswith(b"\n")
    tokens = [record.output_tokens_written for record in caller.up.served]
    assert tokens == [16, 16, 4, 16, 16, 16, 0]


@DIALECTS
async def test_events_that_are_wrong_in_themselves(scripted, dialect):
    names = ["error_first", "error_mid", "bad_json_line", "crlf", "comments"]
    caller = await scripted([Script(fault=name, status=529 if "error" in name else 200) for name in names])
    answers = {name: await caller.send(dialect, stream=True) for name in names}
    assert {answer.status for answer in answers.values()} == {200}
    assert len(answers["error_first"].documents) == 1
    assert "error" in answers["error_first"].documents[0]
    assert "error" in answers["error_mid"].documents[-1]
    assert len(text_of(dialect, answers["error_mid"].documents[:-1]).split()) == 3
    assert b'{"broken": ' in answers["bad_json_line"].events
    assert answers["bad_json_line"].events[-1] == terminal(dialect)
    assert answers["crlf"].data.count(b"\n") == answers["crlf"].data.count(b"\r\n")
    assert b": keep-alive\n\n" in answers["comments"].data
    for name in ("crlf", "comments"):
        assert text_of(dialect, answers[name].documents) == caller.up.served[names.index(name)].texts[0]
    assert [record.bills for record in caller.up.served] == [False, True, True, True, True]


def tokens_reported(dialect: str, usage) -> object:
    return usage["completion_tokens" if dialect == "openai" else "output_tokens"]


@DIALECTS
@STREAM
@pytest.mark.parametrize(
    ("fault", "reported"),
    [("zero", 0), ("negative", -17), ("strings", "16"), ("huge", 10**15 + 16), (None, 16), ("cumulative", 16)],
)
async def test_usage_is_reported_wrongly_and_billed_rightly(scripted, dialect, stream, fault, reported):
    caller = await scripted(Script(usage_fault=fault))
    options = {"stream_options": {"include_usage": True}} if stream and dialect == "openai" else {}
    answer = await caller.send(dialect, stream=stream, **options)
    documents = answer.documents if stream else [answer.json]
    last = [document["usage"] for document in documents if document.get("usage")][-1]
    assert tokens_reported(dialect, last) == reported
    record = caller.up.served[0]
    assert record.reported_usage == last
    assert tokens_reported(dialect, record.usage) == 16


@DIALECTS
@STREAM
@pytest.mark.parametrize("fault", ["none", "null"])
async def test_usage_is_not_reported(scripted, dialect, stream, fault):
    caller = await scripted(Script(usage_fault=fault))
    options = {"stream_options": {"include_usage": True}} if stream and dialect == "openai" else {}
    answer = await caller.send(dialect, stream=stream, **options)
    documents = answer.documents if stream else [answer.json]
    assert not any(document.get("usage") for document in documents)
    assert (caller.up.served[0].reported_usage, caller.up.served[0].bills) == (None, True)


async def test_usage_in_odd_places(scripted):
    caller = await scripted([Script(usage_fault=fault) for fault in ("odd_chunk", "after_done", "cumulative")])
    options = {"stream_options": {"include_usage": True}}
    odd, after, cumulative = [await caller.send(stream=True, **options) for _ in range(3)]
    assert odd.documents[-1]["choices"][0]["finish_reason"] == "stop"
    assert odd.documents[-1]["usage"]["completion_tokens"] == 16
    assert after.events[-2] == b"[DONE]"
    assert orjson.loads(after.events[-1])["usage"]["completion_tokens"] == 16
    counts = [d["usage"]["completion_tokens"] for d in cumulative.documents if d["usage"]]
    assert counts == [*range(1, 17), 16]
    caller.up.use(Script(usage_fault="after_done"))
    answer = await caller.send("anthropic", stream=True)
    assert [document["type"] for document in answer.documents[-2:]] == ["message_stop", "message_delta"]


async def test_openai_reports_usage_of_a_stream_only_when_asked(scripted):
    caller = await scripted()
    plain = await caller.send(stream=True)
    assert not any("usage" in document for document in plain.documents)
    assert caller.up.served[0].usage["completion_tokens"] == 16
    asked = await caller.send(stream=True, stream_options={"include_usage": True})
    assert [document["usage"] is None for document in asked.documents] == [True] * 18 + [False]
    assert asked.documents[-1]["choices"] == []


def test_the_bomb_is_small_on_the_wire():
    assert len(gzip.compress(b" " * BOMB_BYTES, 9)) < 100_000


@DIALECTS
@pytest.mark.parametrize(
    ("stream", "bill", "billed"),
    [
        (True, "generated", None),  # nothing had been generated
        (True, "full", 16),  # as of a provider that generates first
        (True, "none", None),
        (False, "generated", 16),  # events' faults have no effect on a whole answer, which is sound
        (False, "full", 16),
        (False, "none", None),
    ],
)
async def test_what_an_error_event_before_content_costs_is_the_scripts_to_say(scripted, dialect, stream, bill, billed):
    caller = await scripted(Script(fault="error_first", bill=bill))
    answer = await caller.send(dialect, stream=stream)
    (record,) = caller.up.served
    assert answer.status == 200
    assert record.bills == (billed is not None)
    assert (None if record.usage is None else tokens_reported(dialect, record.usage)) == billed
    assert ("error" in answer.documents[0]) if stream else (tokens_reported(dialect, answer.json["usage"]) == 16)
