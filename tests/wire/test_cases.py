"""Every wire case, run through its codec; see cases/README.md."""

import json
from typing import Any

import msgspec
import pytest
from tests.wire.loader import Case, cases, run_stream
from tests.wire.provider_sdk import parse_upstream_reply, parse_upstream_stream
from tests.wire.sdk import parse_reply, parse_request, parse_stream

from bascule.dialects.base import ReplyFacts
from bascule.model.errors import Refusal
from bascule.model.outcome import Fault

CASES = cases()


def having(*names: str) -> pytest.MarkDecorator:
    """All cases that have one of these files."""
    chosen = [case for case in CASES if any((case.folder / name).exists() for name in names)]
    ids = [f"{case.folder.parent.name}/{case.folder.name}" for case in chosen]
    return pytest.mark.parametrize("case", chosen, ids=ids)


CHECKED = {"upstream_request.json", "refusal.json", "reply.json", "stream.sse", "facts.json", "fault.json"}


def contains(expected: Any, found: Any) -> bool:
    if isinstance(expected, dict) and isinstance(found, dict):
        return all(key in found and contains(value, found[key]) for key, value in expected.items())
    return bool(expected == found)


def check(case: Case, result: ReplyFacts | Fault) -> None:
    name = "fault.json" if isinstance(result, Fault) else "facts.json"
    expected = case.value(name)
    assert expected is not None or name == "facts.json", f"an unexpected fault: {result}"
    found = {field: getattr(result, field) for field in result.__struct_fields__}
    if isinstance(result, ReplyFacts):
        found["usage"] = {field: getattr(result.usage, field) for field in result.usage.__struct_fields__}
        found["usage"]["flags"] = list(result.usage.flags)
    assert contains(expected or {}, found), found


@having("case.json")
def test_case_checks_something(case: Case) -> None:
    assert {path.name for path in case.folder.iterdir()} & CHECKED
    assert case.settings["about"]


@having("upstream_request.json", "refusal.json")
def test_request(case: Case) -> None:
    expected, refusal = case.value("upstream_request.json"), case.value("refusal.json")
    result = case.codec.request(case.body, case.raw, case.facts, case.target)
    if refusal is not None:
        assert isinstance(result, Refusal)
        assert contains(refusal, msgspec.to_builtins(result))
        return
    assert isinstance(result, bytes)
    assert json.loads(result) == expected
    if case.client != case.provider:
        parse_request(case.provider, expected)


@having("upstream_reply.json")
def test_reply(case: Case) -> None:
    raw = case.text("upstream_reply.json")
    assert raw is not None
    result = case.dialect.read_reply(raw)
    check(case, result)
    if isinstance(result, Fault):
        return
    parse_upstream_reply(case.provider, raw)
    body = case.codec.reply(raw, case.facts, case.model, case.cost_nanousd, case.context)
    if case.client != "anthropic_count_tokens":
        parse_reply(case.client, body)
    assert json.loads(body) == case.value("reply.json")


@having("upstream.sse", "upstream.events.json")
def test_stream(case: Case) -> None:
    raw = case.upstream_stream()
    assert raw is not None
    if not case.settings.get("damaged"):
        parse_upstream_stream(case.provider, raw)
    stream = case.stream()
    body, fault = run_stream(stream, raw, max(len(raw), 1), case.cost_nanousd)
    check(case, stream.facts if fault is None else fault)
    if fault is None:
        assert case.value("fault.json") is None
        parse_stream(case.client, body)
    else:
        assert b"[DONE]" not in body
        assert b"message_stop" not in body
        assert b"response.completed" not in body
    if (expected := case.text("stream.sse")) is not None:
        assert body.decode() == expected.decode()
    for step in (1, 7):
        split = case.stream()
        assert run_stream(split, raw, step, case.cost_nanousd) == (body, fault)
        assert split.facts == stream.facts


@having("upstream_error.json")
def test_error(case: Case) -> None:
    error = case.value("upstream_error.json")
    raw = error["text"].encode() if "text" in error else json.dumps(error["body"]).encode()
    check(case, case.dialect.read_fault(error["status"], error.get("headers", {}), raw))
