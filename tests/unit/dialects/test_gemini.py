"""Gemini's own: spellings, facts, schemas, signatures, generations, errors."""

import json
from base64 import b64encode
from typing import Any

import pytest
from tests.wire.sdk import parse_stream

from bascule.dialects.base import Target
from bascule.dialects.gemini.generations import is_older, thinking_config
from bascule.dialects.gemini.schema import json_schema
from bascule.dialects.gemini.signatures import MARKED, read, without_foreign, written
from bascule.dialects.gemini.usage import read_usage
from bascule.dialects.registry import codec, dialect
from bascule.model.errors import MalformedRequest, Refusal
from bascule.model.facts import Facts
from bascule.model.request import Reasoning, RedactedThinking, Signature

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
HI = [{"role": "user", "parts": [{"text": "hi"}]}]


def facts(**fields: Any) -> Facts:
    body = {"model": "m", "stream": False, "contents": HI, **fields}
    return dialect("gemini").read_facts(body, 1_000)


def of_parts(*parts: dict[str, Any]) -> Facts:
    return facts(contents=[{"role": "user", "parts": list(parts)}])


def test_a_plain_request_has_bounds() -> None:
    found = facts(
        systemInstruction={"parts": [{"text": "Be brief."}]},
        generationConfig={"maxOutputTokens": 5, "candidateCount": 2, "temperature": 1},
        tools=[{"functionDeclarations": [{"name": "a"}, {"name": "b"}]}],
        safetySettings=[],
        serviceTier="FLEX",
    )
    assert found.unbounded == ()
    assert (found.max_tokens, found.n, found.tools, found.messages, found.text_bytes) == (5, 2, 2, 1, 1_000)
    assert (found.first_user_text, found.system_text, found.service_tier) == ("hi", "Be brief.", "flex")
    assert found.wants_stream_usage


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"cachedContent": "cachedContents/x"}, "cachedContent"),
        ({"tools": [{"googleSearch": {}}]}, "web_search"),
        ({"tools": [{"google_search": {}}]}, "web_search"),
        ({"tools": [{"codeExecution": {}}]}, "codeExecution"),
        ({"tools": [{"urlContext": {}}]}, "urlContext"),
        ({"tools": [{"somethingNew": {}}]}, "somethingNew"),
        ({"somethingNew": 1}, "somethingNew"),
        ({"generationConfig": {"speechConfig": {}}}, "generationConfig.speechConfig"),
        ({"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}}, "image"),
    ],
)
def test_what_has_no_bound_is_named(fields: dict[str, Any], named: str) -> None:
    assert facts(**fields).unbounded == (named,)


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ({"fileData": {"fileUri": "https://e.com/a.png", "mimeType": "image/png"}}, "image_url"),
        ({"fileData": {"fileUri": "gs://a/b"}}, "file"),
        ({"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}, "audio"),
        ({"inline_data": {"mime_type": "video/mp4", "data": "AAAA"}}, "video"),
        ({"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}, "file"),
        ({"text": "x", "somethingNew": {}}, "parts[].somethingNew"),
    ],
)
def test_what_a_part_brings_without_a_bound_is_named(part: dict[str, Any], named: str) -> None:
    assert of_parts(part).unbounded == (named,)


def test_only_what_becomes_no_text_is_taken_off() -> None:
    blob = {"mimeType": "image/png", "data": PNG}
    found = of_parts({"inlineData": blob})
    assert found.text_bytes == 1_000 - len(PNG)
    assert found.images[0].base64_bytes == len(PNG)
    nested = {"functionResponse": {"name": "f", "response": {}, "parts": [{"inlineData": blob}]}}
    assert of_parts(nested).text_bytes == 1_000 - len(PNG)
    # Text in base64 becomes text, and what is no base64 at all must not shrink the bound.
    assert of_parts({"inlineData": {"mimeType": "text/plain", "data": "AAAA"}}).text_bytes == 1_000
    assert of_parts({"inlineData": {"mimeType": "image/png", "data": "é" * 100}}).text_bytes == 1_000


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"generationConfig": {}, "generation_config": {}}, "generationConfig"),
        ({"generationConfig": {"maxOutputTokens": 1, "max_output_tokens": 9}}, "generationConfig.maxOutputTokens"),
        ({"generationconfig": {"maxOutputTokens": 1}}, "generationconfig"),
        ({"generationConfig": {"MaxOutputTokens": 1}}, "generationConfig.MaxOutputTokens"),
        ({"contents": []}, "contents"),
        ({"contents": {"parts": []}}, "contents"),
        ({"generationConfig": {"candidateCount": 1_000}}, "generationConfig.candidateCount"),
    ],
)
def test_what_could_be_read_otherwise_upstream_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        facts(**fields)
    assert refused.value.param == param


def test_reasoning_is_seen() -> None:
    def reasons(**thinking: Any) -> bool:
        return facts(generationConfig={"thinkingConfig": thinking}).has_reasoning

    assert reasons(includeThoughts=True)
    assert reasons(thinkingLevel="LOW")
    assert reasons(thinkingBudget=-1)
    assert not reasons(thinkingBudget=0)
    assert not facts().has_reasoning


def test_googles_schemas_become_json_schema() -> None:
    given = {
        "type": "OBJECT",
        "nullable": True,
        "properties": {
            "type": {"type": "STRING", "format": "enum", "enum": ["a"], "nullable": True},
            "many": {"type": "ARRAY", "items": {"type": "NUMBER"}, "min_items": "1", "maxItems": 3},
            "either": {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}], "nullable": True},
            "loose": {"type": "TYPE_UNSPECIFIED", "description": "d"},
        },
        "propertyOrdering": ["type"],
        "required": ["type"],
    }
    assert json_schema(given, "s") == {
        "type": ["object", "null"],
        "properties": {
            "type": {"type": ["string", "null"], "format": "enum", "enum": ["a", None]},
            "many": {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 3},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
            "loose": {"description": "d"},
        },
        "required": ["type"],
    }
    with pytest.raises(MalformedRequest) as refused:
        json_schema({"properties": {"a": {"type": "TUPLE"}}}, "s")
    assert refused.value.param == "s.properties.a.type"


def test_signatures_keep_their_issuer() -> None:
    own, other = Signature("gemini", "Cs/+gA=="), Signature("anthropic_messages", "sig/é")
    assert read(written(own)) == own
    assert read(written(other)) == other
    assert read(written(other, redacted=True)) == RedactedThinking(signature=other)
    # SDKs write bytes in the other alphabet of base64, and without padding.
    assert read(written(other).replace("+", "-").replace("/", "_").rstrip("=")) == other
    for value in (b64encode(b"bascula!").decode(), MARKED.decode(), MARKED.decode() + "!!"):
        assert read(value) == Signature("gemini", value)


def test_only_googles_own_signatures_go_to_google() -> None:
    foreign = written(Signature("anthropic_messages", "s"))
    contents = [
        {"role": "model", "parts": [{"text": "hm", "thought": True, "thought_signature": foreign}]},
        {
            "role": "model",
            "parts": [{"text": "a", "thoughtSignature": "AAAA"}, {"text": "b", "thoughtSignature": foreign}],
        },
        "odd",
        {"parts": 5},
    ]
    assert without_foreign(contents) == [
        {"role": "model", "parts": [{"text": ""}]},
        {"role": "model", "parts": [{"text": "a", "thoughtSignature": "AAAA"}, {"text": "b"}]},
        "odd",
        {"parts": 5},
    ]


@pytest.mark.parametrize(
    ("name", "older"),
    [
        ("gemini-2.5-pro", True),
        ("models/gemini-1.5-flash", True),
        ("gemini-3.8-flash", False),
        ("gemini-4-argon", False),
        ("gemini-10-x", False),
        ("gemini-flash-latest", False),
        ("some-model", False),
    ],
)
def test_generations_are_told_by_name(name: str, older: bool) -> None:
    assert is_older(name) is older


@pytest.mark.parametrize(
    ("model", "wanted", "expected"),
    [
        ("gemini-3.8-flash", None, None),
        ("gemini-3.8-flash", Reasoning(), None),
        ("gemini-3.8-flash", Reasoning(enabled=True), {"includeThoughts": True}),
        (
            "gemini-3.8-flash",
            Reasoning(enabled=True, budget_tokens=9_000),
            {"thinkingLevel": "HIGH", "includeThoughts": True},
        ),
        (
            "gemini-3.1-pro",
            Reasoning(enabled=True, effort="minimal"),
            {"thinkingLevel": "LOW", "includeThoughts": True},
        ),
        ("gemini-3.1-pro", Reasoning(enabled=False), {"thinkingLevel": "LOW"}),
        ("gemini-2.5-flash", Reasoning(enabled=False), {"thinkingBudget": 0}),
        ("projects/my-project/gemini-2.5-flash", Reasoning(enabled=False), {"thinkingBudget": 0}),
        ("gemini-2.5-pro", Reasoning(enabled=False), {"thinkingBudget": 128}),
        ("gemini-2.5-pro", Reasoning(enabled=True, effort="low"), {"thinkingBudget": 1_024, "includeThoughts": True}),
        ("gemini-2.5-pro", Reasoning(enabled=True), {"includeThoughts": True}),
    ],
)
def test_thinking_is_asked_for_in_the_generations_words(
    model: str, wanted: Reasoning | None, expected: dict[str, Any] | None
) -> None:
    assert thinking_config(wanted, model, cap=None) == expected


@pytest.mark.parametrize(
    ("model", "wanted", "cap", "budget"),
    [
        ("gemini-2.5-flash", Reasoning(enabled=True, budget_tokens=60_000), None, 24_576),
        ("models/gemini-2.5-pro", Reasoning(enabled=True, budget_tokens=60_000), None, 32_768),
        ("gemini-2.5-pro", Reasoning(enabled=True, budget_tokens=5), None, 128),
        ("gemini-2.5-flash-lite", Reasoning(enabled=True, budget_tokens=60_000), None, 24_576),
        ("gemini-2.5-flash-lite", Reasoning(enabled=True, budget_tokens=100), None, 512),
        ("gemini-2.5-flash", Reasoning(enabled=True, budget_tokens=100), None, 100),
        ("gemini-2.5-flash", Reasoning(enabled=True, budget_tokens=9_000), 4_000, 3_999),
        ("gemini-2.5-flash", Reasoning(enabled=True, effort="high"), 4_000, 3_200),
        ("gemini-2.5-flash", Reasoning(enabled=True, effort="minimal"), 4_000, 800),
        ("gemini-2.5-flash", Reasoning(enabled=True, effort="medium"), 64_000, 8_192),
        ("gemini-2.5-pro", Reasoning(enabled=True, effort="low"), 400, 128),
    ],
)
def test_a_budget_keeps_to_the_models_range_and_leaves_room_for_the_answer(
    model: str, wanted: Reasoning, cap: int | None, budget: int
) -> None:
    assert thinking_config(wanted, model, cap) == {"thinkingBudget": budget, "includeThoughts": True}


@pytest.mark.parametrize(
    ("model", "cap", "budget"),
    [("gemini-2.5-flash-lite", 512, 0), ("gemini-2.5-flash", 1, 0), ("gemini-2.5-pro", 100, 128)],
)
def test_where_no_thought_fits_in_there_is_as_little_as_can_be(model: str, cap: int, budget: int) -> None:
    wanted = Reasoning(enabled=True, effort="high")
    assert thinking_config(wanted, model, cap) == {"thinkingBudget": budget}


def test_errors_are_googles() -> None:
    refusal = Refusal(
        kind="budget_exhausted", message="no money", needed_nanousd=2_000_000_000, left_nanousd=0, scope="key:a"
    )
    status, raw = dialect("gemini").error(refusal, "req_1")
    error = json.loads(raw)["error"]
    assert (status, error["code"], error["status"], error["message"]) == (402, 402, "FAILED_PRECONDITION", "no money")
    info, request = error["details"]
    assert (info["reason"], info["metadata"]["scope"]) == ("BUDGET_EXHAUSTED", "key:a")
    assert info["metadata"]["needed_usd"].startswith("2")
    assert request == {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "req_1"}


def test_a_time_to_wait_and_a_field_are_told() -> None:
    refusal = Refusal(kind="rate_limited", message="slow down", retry_after_s=2.1, param="contents")
    _, raw = dialect("gemini").error(refusal, "req_1")
    details = {detail["@type"].rpartition(".")[2]: detail for detail in json.loads(raw)["error"]["details"]}
    assert details["RetryInfo"]["retryDelay"] == "3s"
    assert details["BadRequest"]["fieldViolations"][0]["field"] == "contents"
    fault = dialect("gemini").read_fault(429, {}, raw)
    assert (fault.error_class, fault.retry_after_s) == ("rate_limited", 3.0)


def test_a_providers_own_status_is_kept() -> None:
    for status, word in ((400, "INVALID_ARGUMENT"), (404, "NOT_FOUND"), (403, "PERMISSION_DENIED")):
        refusal = Refusal(kind="upstream_rejected", message="m", status=status)
        found, raw = dialect("gemini").error(refusal, "r")
        assert (found, json.loads(raw)["error"]["status"]) == (status, word)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"cachedContent": "cachedContents/x"}, "cachedContent"),
        ({"tools": [{"urlContext": {}}]}, "tools"),
        ({"generationConfig": {"responseModalities": ["AUDIO"]}}, "generationConfig.responseModalities"),
        ({"generationConfig": {"responseLogprobs": True}}, "generationConfig.responseLogprobs"),
        ({"generationConfig": {"responseMimeType": "text/x.enum"}}, "generationConfig.responseMimeType"),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}}]}]}, "inlineData"),
        ({"contents": [{"parts": [{"fileData": {"fileUri": "https://youtu.be/x"}}]}]}, "fileData"),
        ({"contents": [{"parts": [{"fileData": {"fileUri": "gs://a/b.pdf"}}]}]}, "messages"),
        ({"contents": [{"role": "model", "parts": [{"toolCall": {}}]}]}, "contents[0].parts[0].toolCall"),
        ({"contents": [{"parts": [{"somethingNew": {}}]}]}, "contents[0].parts[0]"),
    ],
)
def test_what_only_google_can_do_is_refused_elsewhere(fields: dict[str, Any], param: str) -> None:
    body = {"model": "m", "stream": False, "contents": HI, **fields}
    raw = json.dumps(body).encode()
    for provider in ("openai_chat", "anthropic_messages"):
        refusal = codec("gemini", provider).request(body, raw, facts(**fields), Target(upstream_model="m"))
        assert isinstance(refusal, Refusal)
        assert (refusal.kind, (refusal.param or "").endswith(param)) == ("unsupported", True)
    assert isinstance(codec("gemini", "gemini").request(body, raw, facts(**fields), Target(upstream_model="m")), bytes)


def test_functions_that_may_be_called_are_the_only_ones_elsewhere() -> None:
    tools = [{"functionDeclarations": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}]
    choice = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["a", "c"]}}
    body = {"model": "m", "contents": HI, "tools": tools, "toolConfig": choice}
    sent = codec("gemini", "openai_chat").request(body, b"", facts(), Target(upstream_model="m"))
    assert isinstance(sent, bytes)
    told = json.loads(sent)
    assert ([tool["function"]["name"] for tool in told["tools"]], told["tool_choice"]) == (["a", "c"], "required")
    choice["functionCallingConfig"]["allowedFunctionNames"] = ["a", "z"]
    refusal = codec("gemini", "openai_chat").request(body, b"", facts(), Target(upstream_model="m"))
    assert isinstance(refusal, Refusal)
    assert refusal.param == "toolConfig.functionCallingConfig.allowedFunctionNames"


def test_context_length_is_told_in_googles_words_once() -> None:
    def message(text: str) -> str:
        raw = dialect("gemini").error(Refusal(kind="context_length", message=text), "r")[1]
        assert dialect("openai_chat").read_fault(400, {}, raw).error_class == "context_length"
        return str(json.loads(raw)["error"]["message"])

    assert message("300 tokens").startswith("The input token count exceeds the maximum number of tokens allowed")
    own = "The input token count (9) exceeds the maximum number of tokens allowed (8)."
    assert message(own) == own


def test_an_error_in_a_stream_is_one_that_the_sdk_raises() -> None:
    stream = codec("gemini", "gemini").stream(facts(), "m", True)
    event = stream.fail(Refusal(kind="upstream_failed", message="cut"))
    assert event.startswith(b'data: {"error":{')  # its SDK looks for exactly this beginning
    assert b"candidates" not in event


def test_a_streams_events_are_whole_responses() -> None:
    body = {"model": "m", "contents": HI, "stream": True}
    read_facts = dialect("gemini").read_facts(body, 10)
    stream = codec("gemini", "openai_chat").stream(read_facts, "m", True)
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    step = stream.feed(chunk)
    assert step.terminal
    first, last = parse_stream("gemini", step.forward + stream.close(None))
    assert (first.text, last.candidates[0].finish_reason.name, last.usage_metadata) == ("a", "STOP", None)
    assert all(event.candidates[0].content.parts for event in (first, last))  # without, the SDK's chats drop the turn


def test_usage_of_nothing_is_unknown() -> None:
    for raw in (b"null", b"{}", b"[]", b'"x"'):
        assert read_usage(raw).source == "none"
    assert read_usage(b'{"promptTokenCount":9,"totalTokenCount":12}').tokens_out is None
    assert read_usage(b'{"promptTokenCount":9,"totalTokenCount":9}').tokens_out == 0
    assert read_usage(b'{"promptTokenCount":9,"thoughtsTokenCount":3,"totalTokenCount":12}').tokens_out == 0


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://example[DONE].com/a.png", "image/png"),  # found by the fuzzer: no host that can be taken apart
        ("https://[::1/b.webp?c=d.gif#e", "image/webp"),
        ("https://e.com/a.png?b", "image/png"),
    ],
)
def test_an_address_that_is_none_is_handed_on_as_it_is(url: str, kind: str) -> None:
    content = [{"type": "image_url", "image_url": {"url": url}}]
    body = {"model": "m", "messages": [{"role": "user", "content": content}]}
    raw = json.dumps(body).encode()
    facts = dialect("openai_chat").read_facts(body, len(raw))
    sent = codec("openai_chat", "gemini").request(body, raw, facts, Target(upstream_model="m"))
    assert isinstance(sent, bytes)
    (part,) = json.loads(sent)["contents"][0]["parts"]
    assert part["fileData"] == {"fileUri": url, "mimeType": kind}
