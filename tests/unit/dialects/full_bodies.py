"""A request of each client dialect with every field that is read, so that each may be spoilt in turn."""

from typing import Any

from bascule.dialects.base import Target

TARGET = Target(
    upstream_model="m", quirks=frozenset({"reasoning_content", "reasoning_effort", "mid_system", "top_k", "claude"})
)
QUIRKS = frozenset(
    {"no_developer_role", "system_first_only", "no_parallel_tool_calls", "no_json_schema", "strip_unknown"}
    | {"adaptive_thinking", "no_sampling"}
)
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
EPHEMERAL = {"type": "ephemeral"}

CHAT: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Use tools.", "cache_control": EPHEMERAL}]},
        {
            "role": "user",
            "name": "ann",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "sig"}],
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"a":"b"}'}},
                {"id": "c2", "type": "custom", "custom": {"name": "own", "input": "text"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "note"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "done"}]},
        {"role": "assistant", "content": "Well.", "reasoning_content": "hm", "refusal": "no"},
        {"role": "user", "content": "Go on."},
    ],
    "tools": [
        {"type": "function", "function": {"name": "read", "description": "d", "parameters": SCHEMA, "strict": True}},
        {"type": "custom", "custom": {"name": "own", "description": "d"}},
    ],
    "tool_choice": {"type": "function", "function": {"name": "read"}},
    "parallel_tool_calls": False,
    "max_completion_tokens": 5_000,
    "max_tokens": 5_000,
    "n": 1,
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "logit_bias": {"50256": -100},
    "logprobs": False,
    "top_logprobs": 2,
    "seed": 5,
    "stop": ["END"],
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}},
    "reasoning_effort": "high",
    "reasoning": {"effort": "high", "max_tokens": 2_000},
    "stream": True,
    "stream_options": {"include_usage": True},
    "user": "ann",
    "metadata": {"a": "b"},
    "service_tier": "auto",
    "prompt_cache_key": "k",
    "modalities": ["text"],
}
MESSAGES: dict[str, Any] = {
    "model": "m",
    "max_tokens": 5_000,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": EPHEMERAL}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                {
                    "type": "document",
                    "title": "t",
                    "context": "c",
                    "source": {"type": "text", "media_type": "text/plain", "data": "body"},
                },
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "p"}]}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "sig"},
                {"type": "redacted_thinking", "data": "xx"},
                {"type": "text", "text": "I will."},
                {"type": "tool_use", "id": "t1", "name": "read", "input": {"a": "b"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "is_error": False, "content": "note"},
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "note"}]},
            ],
        },
        {"role": "system", "content": "Hurry."},
        {"role": "user", "content": "Go on."},
    ],
    "tools": [{"name": "read", "description": "d", "input_schema": SCHEMA, "strict": True}],
    "tool_choice": {"type": "tool", "name": "read", "disable_parallel_tool_use": True},
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "stop_sequences": ["END"],
    "thinking": {"type": "enabled", "budget_tokens": 2_000},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
    "metadata": {"user_id": "ann"},
    "service_tier": "auto",
    "inference_geo": "global",
    "stream": True,
}
RESPONSES: dict[str, Any] = {
    "model": "m",
    "instructions": "Be brief.",
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Use tools."}]},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "low"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
            ],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "gAAA",
        },
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I will."}]},
        {"type": "function_call", "call_id": "c1", "name": "read", "arguments": '{"a":"b"}', "namespace": "ns"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "own", "input": "text"},
        {"type": "function_call_output", "call_id": "c1", "output": "note"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "done"}]},
        {"role": "system", "content": "Hurry."},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"role": "user", "content": "Go on."},
    ],
    "tools": [
        {"type": "function", "name": "read", "description": "d", "parameters": SCHEMA, "strict": True},
        {
            "type": "namespace",
            "name": "ns",
            "description": "d",
            "tools": [{"type": "function", "name": "read", "parameters": SCHEMA}],
        },
        {
            "type": "custom",
            "name": "own",
            "description": "d",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"},
        },
        {"type": "web_search"},
    ],
    "tool_choice": {"type": "function", "name": "read"},
    "parallel_tool_calls": False,
    "max_output_tokens": 5_000,
    "max_tool_calls": 5,
    "temperature": 0.5,
    "top_p": 0.5,
    "top_logprobs": 0,
    "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True}},
    "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "stream": True,
    "store": False,
    "user": "ann",
    "metadata": {"a": "b"},
    "service_tier": "auto",
    "prompt_cache_key": "k",
}
GEMINI: dict[str, Any] = {
    "model": "m",
    "stream": True,
    "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "Look"},
                {"inlineData": {"mimeType": "image/png", "data": PNG}},
                {"inlineData": {"mimeType": "application/pdf", "data": "AAAA", "displayName": "a.pdf"}},
                {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True, "thoughtSignature": "AAAA"},
                {"text": "I will."},
                {"functionCall": {"id": "c1", "name": "read", "args": {"a": "b"}}, "thoughtSignature": "AAAA"},
                {"executableCode": {"language": "PYTHON", "code": "1"}},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "c1",
                        "name": "read",
                        "response": {"output": "note"},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": PNG}}],
                    }
                },
                {"text": "Go on."},
            ],
        },
    ],
    "tools": [{"functionDeclarations": [{"name": "read", "description": "d", "parameters": SCHEMA}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["read"]}},
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    "generationConfig": {
        "maxOutputTokens": 5_000,
        "candidateCount": 1,
        "temperature": 0.5,
        "topP": 0.5,
        "topK": 5,
        "seed": 5,
        "presencePenalty": 0.5,
        "frequencyPenalty": 0.5,
        "stopSequences": ["END"],
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
        "responseModalities": ["TEXT"],
        "responseLogprobs": False,
        "thinkingConfig": {"thinkingBudget": 2_000, "thinkingLevel": "HIGH", "includeThoughts": True},
    },
    "serviceTier": "standard",
}
BODIES = {"openai_chat": CHAT, "anthropic_messages": MESSAGES, "openai_responses": RESPONSES, "gemini": GEMINI}
