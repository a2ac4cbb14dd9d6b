"""A request in Chat Completions' words."""

from tests.wire.cells.ask import IMAGE_URL, PARAMETERS, PDF, PNG, SCHEMA, Ask, Body


def say(ask: Ask) -> Body | None:
    """None where the dialect has no word for it."""
    if ask.result_image or ask.result_error:
        return None
    messages: list[Body] = []
    if ask.system is not None:
        messages.append({"role": "system", "content": ask.system})
    if ask.late_system is not None:
        messages += [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hello to you."}]
        messages.append({"role": "system", "content": ask.late_system})
    if ask.calls:
        messages.append({"role": "user", "content": "Look it up."})
        called = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in ask.calls
        ]
        messages.append({"role": "assistant", "content": None, "tool_calls": called})
        messages += [{"role": "tool", "tool_call_id": call.id, "content": call.result} for call in ask.calls]
    messages.append({"role": "user", "content": _content(ask)})
    body: Body = {"model": "asked", "messages": messages, "max_completion_tokens": ask.max_tokens}
    _settings(ask, body)
    return body


def _content(ask: Ask) -> str | list[Body]:
    parts: list[Body] = [{"type": "text", "text": ask.text}]
    if ask.image is not None:
        url = IMAGE_URL if ask.image == "url" else f"data:image/png;base64,{PNG}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    if ask.document:
        parts.append(
            {"type": "file", "file": {"filename": "report.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}
        )
    return ask.text if len(parts) == 1 else parts


def _settings(ask: Ask, body: Body) -> None:
    if ask.tools or ask.custom_tool:
        body["tools"] = [
            {"type": "function", "function": {"name": name, "description": f"does {name}", "parameters": PARAMETERS}}
            for name in ask.tools
        ]
        if ask.custom_tool:
            body["tools"].append({"type": "custom", "custom": {"name": ask.custom_tool, "description": "free text"}})
    if ask.choice is not None:
        named = {"type": "function", "function": {"name": ask.choice}}
        body["tool_choice"] = ask.choice if ask.choice in ("required", "none") else named
    if ask.one_call:
        body["parallel_tool_calls"] = False
    if ask.schema:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "verdict", "schema": SCHEMA, "strict": True},
        }
    if ask.stop is not None:
        body["stop"] = [ask.stop]
    if ask.effort is not None:
        body["reasoning_effort"] = ask.effort
    if ask.user is not None:
        body["user"] = ask.user
    if ask.temperature is not None:
        body["temperature"] = ask.temperature
    if ask.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
