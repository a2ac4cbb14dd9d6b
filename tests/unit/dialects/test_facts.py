"""What one pass over a request tells, in both dialects."""

import json
from typing import Any

import pytest

from bascule.dialects.registry import dialect
from bascule.model.errors import MalformedRequest
from bascule.model.facts import Facts, WebTool

USER = {"role": "user", "content": "hi"}
PAYLOAD = "A" * 4_000


def openai(**fields: Any) -> Facts:
    body = {"model": "m", "messages": [USER], **fields}
    return dialect("openai_chat").read_facts(body, len(json.dumps(body)))


def anthropic(**fields: Any) -> Facts:
    body = {"model": "m", "max_tokens": 5, "messages": [USER], **fields}
    return dialect("anthropic_messages").read_facts(body, len(json.dumps(body)))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": "a\nb"}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["hi"]}, "messages[0].role"),
        ({"messages": [USER, {"role": 1}]}, "messages[1].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, "messages[0].content[0].text"),
        ({"stream": "yes"}, "stream"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "10"}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 1e300}, "temperature"),
        ({"service_tier": 5}, "service_tier"),
        ({"tools": {}}, "tools"),
        ({"tools": ["x"]}, "tools"),
    ],
)
def test_wrong_types_name_their_field(fields: dict[str, Any], param: str) -> None:
    for read in (openai, anthropic):
        with pytest.raises(MalformedRequest) as caught:
            read(**fields)
        assert caught.value.param == param


@pytest.mark.parametrize("n", [0, 129, "2", 1.5, True])
def test_n_is_checked(n: Any) -> None:
    with pytest.raises(MalformedRequest):
        openai(n=n)


def test_base64_never_counts_as_text() -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PAYLOAD}"}}
    facts = openai(messages=[{"role": "user", "content": [image]}])
    assert facts.text_bytes < 200
    assert [(fact.kind, fact.base64_bytes) for fact in facts.images] == [("base64", 4_000)]
    assert facts.unbounded == ()
    source = {"type": "base64", "media_type": "image/png", "data": PAYLOAD}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": source}]}
    nested = anthropic(messages=[{"role": "user", "content": [result]}])
    assert nested.text_bytes < 300
    assert nested.has_image


def test_text_that_looks_like_base64_counts_in_full() -> None:
    assert openai(messages=[{"role": "user", "content": f"data:image/png;base64,{PAYLOAD}"}]).text_bytes > 4_000
    fake = {"type": "image_url", "image_url": {"url": f"data:text/plain;base64,{PAYLOAD}"}}
    facts = openai(messages=[{"role": "user", "content": [fake]}])
    assert facts.text_bytes > 4_000
    assert facts.unbounded == ("image_url",)


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}, "image_url"),
        ({"type": "file", "file": {"file_id": "f"}}, "file"),
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, "audio"),
        ({"type": "video_url", "video_url": {"url": "x"}}, "video_url"),
    ],
)
def test_what_has_no_bound_is_named_openai(part: dict[str, Any], word: str) -> None:
    assert word in openai(messages=[{"role": "user", "content": [part]}]).unbounded


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "x"}}]}]},
            "image_url",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "document", "source": {"type": "base64", "data": "AA"}}]}
                ]
            },
            "file",
        ),
        ({"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]}, "code_execution"),
        ({"tools": [{"type": "computer_toolset_20260801"}]}, "computer_toolset"),
        ({"mcp_servers": [{"url": "x"}]}, "mcp"),
    ],
)
def test_what_has_no_bound_is_named_anthropic(fields: dict[str, Any], word: str) -> None:
    assert word in anthropic(**fields).unbounded


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"metadata": 3}, "metadata"),
        ({"metadata": {"user_id": 7}}, "metadata.user_id"),
        ({"thinking": 7}, "thinking"),
        ({"output_config": 5}, "output_config"),
        ({"output_config": {"format": 5}}, "output_config.format"),
        ({"system": [5]}, "system[0]"),
        ({"system": [{"type": "text", "text": 5}]}, "system[0].text"),
        ({"inference_geo": ["us"]}, "inference_geo"),
        ({"tools": [{"type": 5}]}, "tools[0].type"),
        ({"tools": [{"type": "web_search_20250305", "max_uses": "2"}]}, "tools[0].max_uses"),
    ],
)
def test_anthropics_own_fields_are_checked_where_they_are_read(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        anthropic(**fields)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"user": 5}, "user"),
        ({"stream_options": 7}, "stream_options"),
        ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
        ({"response_format": "x"}, "response_format"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": 5}}},
            "response_format.json_schema.schema",
        ),
        ({"modalities": "audio"}, "modalities"),
        ({"reasoning_effort": 5}, "reasoning_effort"),
        ({"reasoning": "high"}, "reasoning"),
        ({"functions": {}}, "functions"),
        ({"web_search_options": True}, "web_search_options"),
    ],
)
def test_openais_own_fields_are_checked_where_they_are_read(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        openai(**fields)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("Max_Tokens", "max_tokens"),
        ("MODEL", "model"),
        ("Stream", "stream"),
        ("meſſages", "messages"),  # Go folds the long s, and the sign for kelvin, as Unicode does
        ("max_to\u212aens", "max_tokens"),
        ("SERVICE_TIER", "service_tier"),
    ],
)
def test_a_key_that_differs_by_case_alone_is_refused(key: str, meant: str) -> None:
    for read in (openai, anthropic):
        with pytest.raises(MalformedRequest, match=f"write `{meant}`") as caught:
            read(**{key: 5})
        assert caught.value.param == key


def test_other_keys_may_be_written_as_they_like() -> None:
    for read in (openai, anthropic):
        assert read(**{"X-Vendor": 1, "ünknown": 2, "": 3, "enableThinking": True}).model == "m"
    with pytest.raises(MalformedRequest):
        dialect("openai_embeddings").read_facts({"model": "m", "input": "x", "INPUT": "y"}, 40)


def test_anthropics_tools_are_told_apart_by_who_works() -> None:
    tools = [
        {"type": "bash_20250124", "name": "bash"},
        {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
        {"type": "computer_20250124", "name": "computer"},
        {"type": "memory_20250818", "name": "memory"},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        {"type": "web_fetch_20250910", "name": "web_fetch"},
        {"name": "mine", "input_schema": {"type": "object"}},
    ]
    facts = anthropic(tools=tools)
    assert (facts.tools, facts.vendor_tools, facts.unbounded) == (7, 4, ())
    assert facts.web_tools == (WebTool("web_search", 2), WebTool("web_fetch", None))


def test_a_fetched_document_is_seen_in_the_history() -> None:
    document = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PAYLOAD}}
    result = {"type": "web_fetch_tool_result", "content": {"type": "web_fetch_result", "content": document}}
    facts = anthropic(messages=[{"role": "assistant", "content": [result]}])
    assert facts.has_document
    assert facts.unbounded == ("file",)


def test_hosted_tools_have_no_bound() -> None:
    assert openai(tools=[{"type": "web_search_preview"}]).unbounded == ("web_search",)
    assert openai(web_search_options={}).unbounded == ("web_search",)
    assert openai(tools=[{"type": "function", "function": {"name": "f"}}]).unbounded == ()


def test_the_cap_is_the_larger_where_both_are_sent() -> None:
    assert openai(max_tokens=5, max_completion_tokens=9).max_tokens == 9
    assert openai(max_completion_tokens=9).max_tokens == 9
    assert openai().max_tokens is None


def test_openai_attribution_and_texts() -> None:
    facts = openai(
        user="ann",
        prompt_cache_key="session-1",
        messages=[
            {"role": "developer", "content": "S" * 3_000},
            {"role": "user", "content": [{"type": "text", "text": "Q"}]},
        ],
        stream=True,
        stream_options={"include_usage": True},
        provider={"order": ["x"]},
        reasoning_effort="low",
        response_format={"type": "json_schema", "json_schema": {}},
    )
    assert (facts.end_user, facts.session_hint, facts.first_user_text) == ("ann", "session-1", "Q")
    assert facts.system_text == "S" * 2_000
    assert facts.wants_stream_usage
    assert facts.has_reasoning
    assert facts.has_json_schema
    assert facts.openrouter == {"provider": {"order": ["x"]}}


@pytest.mark.parametrize(
    ("user_id", "session", "end_user"),
    [
        ('{"device_id":"d","account_uuid":"","session_id":"s-1"}', "s-1", None),
        ("user_abc_account__session_s-2", "s-2", None),
        ("ann", None, "ann"),
        ('{"broken', None, None),
        (None, None, None),
    ],
)
def test_anthropic_user_id_may_be_a_clients_own_record(user_id: Any, session: str | None, end_user: str | None) -> None:
    facts = anthropic(metadata={"user_id": user_id})
    assert (facts.session_hint, facts.end_user) == (session, end_user)


def test_the_billing_line_is_not_the_system_prompt() -> None:
    system = [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=1;"},
        {"type": "text", "text": "You are."},
    ]
    assert anthropic(system=system).system_text == "You are."


def test_thinking_and_speed() -> None:
    assert anthropic(thinking={"type": "adaptive"}).has_reasoning
    assert not anthropic(thinking={"type": "disabled"}).has_reasoning
    assert anthropic(speed="fast").service_tier == "fast"
    assert anthropic().wants_stream_usage


@pytest.mark.parametrize(
    "name",
    [
        *("tools", "functions", "web_search_options", "modalities", "stream_options", "response_format", "n", "user"),
        *("prompt_cache_key", "service_tier", "reasoning_effort", "reasoning"),
    ],
)
def test_a_rare_field_that_says_nothing_changes_nothing(name: str) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PAYLOAD}}
    document = {"type": "file", "file": {"file_data": PAYLOAD}}
    body: dict[str, Any] = {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [image, document]}],
        "max_tokens": 7,
        "temperature": 0.5,
        "stream": True,
    }
    read_facts = dialect("openai_chat").read_facts
    assert read_facts({**body, name: None}, 9_000) == read_facts(body, 9_000)


def test_only_a_compaction_of_the_context_is_without_a_bound() -> None:
    clearing = {"edits": [{"type": "clear_thinking_20251015"}, {"type": "clear_tool_uses_20250919"}]}
    assert anthropic(context_management=clearing).unbounded == ()
    assert anthropic(context_management={"edits": [{"type": "compact_20260112"}]}).unbounded == ("compaction",)
    said = {"role": "assistant", "content": [{"type": "compaction", "content": "what was said before"}]}
    assert anthropic(messages=[USER, said, USER]).unbounded == ()
