"""What only the Responses dialect has: its facts, its signatures, its errors in a stream."""

import json
from typing import Any

import pytest

from bascule.dialects.base import Target
from bascule.dialects.openai_responses.names import known_tools
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
        ({"reasoning": {"effort": "low", "mode": "pro"}}, "reasoning.mode"),
        ({"reasoning": {"Mode": "pro"}}, "reasoning.Mode"),
        ({"prompt_cache_options": {"ttl": "12h"}}, "prompt_cache_options.ttl"),
        ({"prompt_cache_options": {"novelty": 1}}, "prompt_cache_options.novelty"),
        ({"prompt_cache_options": "all"}, "prompt_cache_options"),
        (
            {
                "input": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "input_text",
                                "text": "x",
                                "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"},
                            }
                        ],
                    }
                ]
            },
            "prompt_cache_breakpoint.ttl",
        ),
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


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning": {"effort": "high", "summary": "auto", "generate_summary": None, "context": "all_turns"}},
        {"reasoning": {"mode": "standard"}},
        {"reasoning": {"mode": None, "novelty": None}},
        {"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}},
    ],
)
def test_what_is_known_of_reasoning_and_of_the_cache_is_bounded(fields: dict[str, Any]) -> None:
    assert facts(**fields).unbounded == ()


def test_tools_of_namespaces_count_and_searches_are_bounded_by_their_limit() -> None:
    inner = {"type": "function", "name": "f"}
    tools = [inner, {"type": "namespace", "name": "n", "tools": [inner, inner]}, {"type": "web_search_preview"}]
    found = facts(tools=tools, max_tool_calls=3)
    assert (found.tools, found.web_tools, found.unbounded) == (5, (WebTool("web_search", 3),), ())
    assert facts(tools=tools).web_tools == (WebTool("web_search", None),)
    assert facts(tools=[{"type": "local_shell"}]).vendor_tools == 1


FUNCTION = {"type": "function", "name": "f"}
PLACES: dict[str, Any] = {
    "tools": lambda tool: {"tools": [tool]},
    "a namespace": lambda tool: {"tools": [{"type": "namespace", "name": "n", "tools": [tool]}]},
    "additional_tools": lambda tool: {"input": [{"type": "additional_tools", "role": "developer", "tools": [tool]}]},
    "tool_search_output": lambda tool: {"input": [{"type": "tool_search_output", "call_id": "c", "tools": [tool]}]},
    "a namespace that was found": lambda tool: {
        "input": [{"type": "tool_search_output", "tools": [{"type": "namespace", "name": "n", "tools": [tool]}]}]
    },
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_tool_is_bounded_or_named_wherever_it_stands(place: Any) -> None:
    for kind in ("image_generation", "mcp", "code_interpreter", "file_search", "shell", "invented_tomorrow"):
        assert facts(**place({"type": kind})).unbounded == (kind,)
    assert facts(**place({"type": "web_search"}), max_tool_calls=2).web_tools == (WebTool("web_search", 2),)
    assert facts(**place({"type": "apply_patch"})).vendor_tools == 1
    counted = facts(**place(FUNCTION))
    assert (counted.tools - str(place(FUNCTION)).count("namespace"), counted.unbounded) == (1, ())
    with pytest.raises(MalformedRequest):
        facts(**place({"type": 5}))


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"type": "reasoning", "summary": []}, "reasoning.id"),
        ({"type": "reasoning", "summary": [], "encrypted_content": ""}, "reasoning.id"),
        ({"type": "reasoning", "summary": [{"type": "summary_text", "text": "So."}]}, "reasoning.id"),
        ({"type": "compaction", "encrypted_content": None}, "compaction.id"),
        ({"type": "web_search_call", "status": "completed", "action": {"type": "search"}}, "web_search_call.id"),
        ({"type": "file_search_call", "queries": ["x"], "results": None}, "file_search_call.id"),
        ({"type": "code_interpreter_call", "code": "1", "outputs": None}, "code_interpreter_call.id"),
        ({"type": "mcp_call", "name": "f", "arguments": "{}"}, "mcp_call.id"),
        ({"type": "mcp_list_tools", "server_label": "s", "tools": []}, "mcp_list_tools.id"),
        ({"type": "tool_search_output"}, "tool_search_output.id"),
    ],
)
def test_an_item_whose_content_is_kept_elsewhere_is_a_reference(item: dict[str, Any], name: str) -> None:
    assert facts(input=[{**item, "id": "x_1"}]).unbounded == (name,)
    assert facts(input=[item]).unbounded == ()  # without an id there is nothing to find it by


@pytest.mark.parametrize(
    "item",
    [
        {"type": "reasoning", "summary": [], "content": None, "encrypted_content": "gAAA"},
        {"type": "compaction", "encrypted_content": "gAAA"},
        {"type": "file_search_call", "queries": ["x"], "results": [{"file_id": "f", "text": "found"}]},
        {"type": "code_interpreter_call", "code": "1", "outputs": [{"type": "logs", "logs": "1"}]},
        {"type": "mcp_call", "name": "f", "arguments": "{}", "output": "done"},
        {"type": "mcp_list_tools", "server_label": "s", "tools": [{"name": "f", "input_schema": {}}]},
        {"type": "tool_search_output", "tools": [FUNCTION]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "tool_search_call", "call_id": "c", "arguments": {}},
    ],
)
def test_an_item_that_stands_in_the_body_is_bounded_with_its_id_too(item: dict[str, Any]) -> None:
    assert facts(input=[{**item, "id": "x_1"}]).unbounded == ()


def test_reasoning_of_other_vendors_is_left_out_so_that_its_id_finds_nothing() -> None:
    assert facts(input=[{"type": "reasoning", "id": "rs_bascule_1", "summary": []}]).unbounded == ()


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (
            {"type": "code_interpreter_call", "outputs": [{"type": "image", "url": "u"}]},
            "code_interpreter_call.outputs",
        ),
        ({"type": "file_search_call", "results": [{"file_id": "f"}]}, "file_search_call.results"),
        ({"type": "mcp_approval_response", "approval_request_id": "a", "approve": True}, "mcp_approval_response"),
    ],
)
def test_what_an_item_names_or_sets_off_has_no_bound(item: dict[str, Any], name: str) -> None:
    assert facts(input=[item]).unbounded == (name,)


def test_tools_that_items_bring_along_are_translated_once() -> None:
    found = {"type": "namespace", "name": "crew", "tools": [{"type": "function", "name": "hire"}]}
    body = {
        "model": "m",
        "input": [
            {"role": "user", "content": "hi"},
            {"type": "additional_tools", "role": "developer", "tools": [{"type": "custom", "name": "g"}]},
            {"type": "tool_search_output", "call_id": "c", "tools": [FUNCTION, found, {"type": "web_search"}]},
        ],
        "tools": [{**FUNCTION, "description": "first"}],
    }
    raw = json.dumps(body).encode()
    read = dialect("openai_responses").read_facts(body, len(raw))
    sent = codec("openai_responses", "openai_chat").request(body, raw, read, Target(upstream_model="m"))
    assert isinstance(sent, bytes)
    told = json.loads(sent)
    assert [tool["function"]["name"] for tool in told["tools"]] == ["f", "g", "crew__hire"]
    assert told["tools"][0]["function"]["description"] == "first"
    assert [message["role"] for message in told["messages"]] == ["user"]
    assert known_tools(body)["crew__hire"].namespace == "crew"
    assert known_tools(body)["g"].custom


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


SEARCHED = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search"}}


def stream_of(client: str, *events: dict[str, Any]) -> Any:
    """A stream codec from a Responses provider that was fed these events."""
    stream = codec(client, "openai_responses").stream(facts(stream=True), "m", False)
    for event in events:
        assert stream.feed(b"data: " + json.dumps(event).encode() + b"\n\n").fault is None
    return stream


def done(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": 0, "item": item}


@pytest.mark.parametrize("client", ["openai_chat", "openai_responses"])
@pytest.mark.parametrize(
    ("output", "usage", "searches"),
    [
        ([], {"input_tokens": 9, "output_tokens": 1}, 2),
        ([SEARCHED], {"input_tokens": 9, "output_tokens": 1}, 2),
        ([SEARCHED] * 3, {"input_tokens": 9, "output_tokens": 1}, 3),
        ([SEARCHED] * 3, None, 3),
        (None, None, 2),
    ],
)
def test_searches_of_a_stream_count_whether_or_not_its_end_repeats_them(
    client: str, output: Any, usage: Any, searches: int
) -> None:
    opened = {**SEARCHED, "id": "ws_3", "action": {"type": "open_page"}}
    items = [done(SEARCHED), done({**SEARCHED, "id": "ws_2"}), done(opened)]
    last = {"type": "response.completed", "response": {"id": "r", "output": output, "usage": usage}}
    told = stream_of(client, *items, last).facts.usage
    assert (told.web_searches, told.source) == (searches, "none" if usage is None else "reported")


@pytest.mark.parametrize("client", ["openai_chat", "openai_responses"])
def test_searches_of_a_cut_stream_are_known(client: str) -> None:
    stream = stream_of(client, done(SEARCHED))
    assert stream.end().fault is not None
    assert stream.facts.usage.web_searches == 1
    assert stream_of(client, done({"type": "message", "content": []})).facts.usage.web_searches is None


@pytest.mark.parametrize("provider", ["openai_chat", "anthropic_messages", "openai_responses"])
def test_a_stream_that_fails_says_so_to_the_sdk_and_to_codex(provider: str) -> None:
    stream = codec("openai_responses", provider).stream(facts(stream=True), "m", True)
    refusal = Refusal(kind="context_length", message="9 tokens do not fit")
    error, failed = [json.loads(event.split(b"data: ")[1]) for event in stream.fail(refusal).strip().split(b"\n\n")]
    assert (error["type"], error["code"], error["error"]["code"]) == ("error", *["context_length_exceeded"] * 2)
    assert (failed["type"], failed["response"]["status"]) == ("response.failed", "failed")
    assert failed["response"]["error"]["code"] == "context_length_exceeded"
    assert (error["sequence_number"], failed["sequence_number"]) == (0, 1)
