"""What only the Responses dialect has: its facts, its signatures, its errors in a stream."""

import json
from typing import Any

import pytest

from bascule.dialects.openai_responses.signature import encrypted_content, item_signature, own_item
from bascule.dialects.openai_responses.usage import read_usage
from bascule.dialects.registry import codec, dialect
from bascule.dialects.signatures import is_foreign, signature_of, signature_text
from bascule.model.errors import MalformedRequest, Refusal
from bascule.model.facts import Facts, WebTool
from bascule.model.request import Signature

PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
ISSUERS = ("openai_chat", "anthropic_messages", "openai_responses", "gemini")


def facts(**fields: Any) -> Facts:
    body = {"model": "m", "input": "hi", **fields}
    return dialect("openai_responses").read_facts(body, len(json.dumps(body)))


def test_facts_of_text_and_of_items() -> None:
    plain = facts(max_output_tokens=50, prompt_cache_key="thread", user="ann", temperature=0, stream=True)
    assert (plain.max_tokens, plain.session_hint, plain.end_user, plain.stream) == (50, "thread", "ann", True)
    assert (plain.first_user_text, plain.messages, plain.unbounded) == ("hi", 1, ())
    image = {"type": "input_image", "image_url": PNG, "detail": "low"}
    items = facts(
        input=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "input_text", "text": "Look"}, image]},
            {"type": "function_call_output", "call_id": "c", "output": [image]},
        ],
        reasoning={"effort": "low"},
        text={"format": {"type": "json_schema", "name": "a", "schema": {}}},
    )
    assert (items.system_text, items.first_user_text, items.messages) == ("Be brief.", "Look", 3)
    assert [(one.kind, one.width, one.detail) for one in items.images] == [("base64", 1, "low")] * 2
    assert items.has_reasoning
    assert items.has_json_schema
    assert items.text_bytes < len(json.dumps(items.first_user_text)) + 600


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"previous_response_id": "r"}, "previous_response_id"),
        ({"conversation": "c"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"background": True}, "background"),
        ({"context_management": [{"type": "compaction"}]}, "compaction"),
        ({"invented_tomorrow": 1}, "invented_tomorrow"),
        ({"input": [{"type": "item_reference", "id": "i"}]}, "item_reference"),
        ({"input": [{"type": "image_generation_call", "result": "x"}]}, "image_generation_call"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "file"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "https://x/y"}]}]}, "image_url"),
        ({"tools": [{"type": "file_search"}]}, "file_search"),
        ({"tools": [{"type": "mcp", "server_url": "https://x"}]}, "mcp"),
        ({"tools": [{"type": "code_interpreter"}]}, "code_interpreter"),
        ({"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]}, "shell"),
    ],
)
def test_what_has_no_bound_is_named(fields: dict[str, Any], name: str) -> None:
    assert facts(**fields).unbounded == (name,)


def test_tools_of_namespaces_count_and_searches_are_bounded_by_their_limit() -> None:
    inner = {"type": "function", "name": "f"}
    tools = [inner, {"type": "namespace", "name": "n", "tools": [inner, inner]}, {"type": "web_search_preview"}]
    found = facts(tools=tools, max_tool_calls=3)
    assert (found.tools, found.web_tools, found.unbounded) == (5, (WebTool("web_search", 3),), ())
    assert facts(tools=tools).web_tools == (WebTool("web_search", None),)
    assert facts(tools=[{"type": "local_shell"}]).vendor_tools == 1


@pytest.mark.parametrize("body", [{}, {"input": []}, {"input": 5}, {"input": [5]}, {"Input": "hi", "input": "hi"}])
def test_a_request_without_anything_to_answer_is_malformed(body: dict[str, Any]) -> None:
    with pytest.raises(MalformedRequest) as refused:
        dialect("openai_responses").read_facts({"model": "m", **body}, 10)
    assert refused.value.param is not None
    assert refused.value.param.lower().startswith("input")


@pytest.mark.parametrize("issuer", ISSUERS)
@pytest.mark.parametrize("own", ISSUERS)
def test_a_signature_survives_any_dialect_and_is_its_issuers_alone(issuer: str, own: str) -> None:
    signature = Signature(issuer, "si:gna#ture==")
    text = signature_text(signature, own)
    assert signature_of(text, own) == signature
    assert is_foreign(text) == (issuer != own)


@pytest.mark.parametrize("redacted", [True, False])
@pytest.mark.parametrize("issuer", ["anthropic_messages", "gemini"])
def test_a_reasoning_item_tells_whose_it_is_and_what_it_stands_for(issuer: str, redacted: bool) -> None:
    signature = Signature(issuer, "a:b#c")
    text = encrypted_content(signature, redacted=redacted)
    assert item_signature("rs_1", text) == (signature, redacted)
    assert own_item(signature) is None


def test_openais_own_goes_back_under_its_own_id() -> None:
    signature, redacted = item_signature("rs_1", "gAAA#x")
    assert redacted
    assert signature is not None
    assert own_item(signature) == {"id": "rs_1", "encrypted_content": "gAAA#x"}
    unnamed, _ = item_signature(None, "gAAA")
    assert unnamed is not None
    assert own_item(unnamed) == {"encrypted_content": "gAAA"}
    assert item_signature("rs_1", encrypted_content(None)) == (None, False)


def test_usage_has_disjoint_buckets_and_counts_searches() -> None:
    raw = b'{"input_tokens":100,"input_tokens_details":{"cached_tokens":60,"cache_write_tokens":10},"output_tokens":20,'
    raw += b'"output_tokens_details":{"reasoning_tokens":12},"total_tokens":120}'
    search = {"type": "web_search_call", "action": {"type": "search"}}
    opened = {"type": "web_search_call", "action": {"type": "open_page"}}
    usage = read_usage(raw, [search, search, opened, 5], "flex")
    assert (usage.tokens_in, usage.tokens_cache_read, usage.tokens_cache_write_5m) == (30, 60, 10)
    assert (usage.tokens_out, usage.tokens_reasoning, usage.web_searches) == (8, 12, 2)
    assert (usage.service_tier, usage.raw, usage.source) == ("flex", raw.decode(), "reported")
    assert read_usage(b"null").source == "none"
    assert "not_a_number" in read_usage(b'{"input_tokens":"7","output_tokens":true}').flags


@pytest.mark.parametrize("provider", ["openai_chat", "anthropic_messages", "openai_responses"])
def test_a_stream_that_fails_says_so_to_the_sdk_and_to_codex(provider: str) -> None:
    stream = codec("openai_responses", provider).stream(facts(stream=True), "m", True)
    refusal = Refusal(kind="context_length", message="9 tokens do not fit")
    error, failed = [json.loads(event.split(b"data: ")[1]) for event in stream.fail(refusal).strip().split(b"\n\n")]
    assert (error["type"], error["code"], error["error"]["code"]) == ("error", *["context_length_exceeded"] * 2)
    assert (failed["type"], failed["response"]["status"]) == ("response.failed", "failed")
    assert failed["response"]["error"]["code"] == "context_length_exceeded"
    assert (error["sequence_number"], failed["sequence_number"]) == (0, 1)
