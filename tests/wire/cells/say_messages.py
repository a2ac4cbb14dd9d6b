"""A request in Messages' words."""

import json

from tests.wire.cells.ask import IMAGE_URL, PARAMETERS, PDF, PNG, SCHEMA, Ask, Body, Call


def say(ask: Ask) -> Body | None:
    """None where the dialect has no word for it."""
    if ask.custom_tool is not None:
        return None
    messages: list[Body] = []
    if ask.late_system is not None:
        messages += [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hello to you."}]
        messages += [{"role": "user", "content": "Go on."}, {"role": "system", "content": ask.late_system}]
        messages.append({"role": "assistant", "content": "Gladly."})
    content = _content(ask)
    if ask.calls:
        messages.append({"role": "user", "content": "Look it up."})
        messages.append({"role": "assistant", "content": [_call(call) for call in ask.calls]})
        content = [_result(ask, place) for place in range(len(ask.calls))] + content
    messages.append({"role": "user", "content": content})
    body: Body = {"model": "asked", "messages": messages, "max_tokens": ask.max_tokens}
    _settings(ask, body)
    return body


def _call(call: Call) -> Body:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments)}


def _result(ask: Ask, place: int) -> Body:
    call = ask.calls[place]
    content: list[Body] = [{"type": "text", "text": call.result}]
    result: Body = {"type": "tool_result", "tool_use_id": call.id, "content": content}
    if place == 0 and ask.result_image:
        content.append(_image("data"))
    if place == 0 and ask.result_error:
        result["is_error"] = True
    return result


def _image(kind: str) -> Body:
    data = {"type": "base64", "media_type": "image/png", "data": PNG}
    return {"type": "image", "source": {"type": "url", "url": IMAGE_URL} if kind == "url" else data}


def _content(ask: Ask) -> list[Body]:
    blocks: list[Body] = [{"type": "text", "text": ask.text}]
    if ask.image is not None:
        blocks.append(_image(ask.image))
    if ask.document:
        source = {"type": "base64", "media_type": "application/pdf", "data": PDF}
        blocks.append({"type": "document", "source": source, "title": "report.pdf"})
    return blocks


def _settings(ask: Ask, body: Body) -> None:
    if ask.system is not None:
        body["system"] = ask.system
    if ask.tools:
        body["tools"] = [
            {"name": name, "description": f"does {name}", "input_schema": PARAMETERS} for name in ask.tools
        ]
    choice: Body | None = None
    if ask.choice is not None:
        kinds = {"required": {"type": "any"}, "none": {"type": "none"}}
        choice = kinds.get(ask.choice, {"type": "tool", "name": ask.choice})
    if ask.one_call:
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    if choice is not None:
        body["tool_choice"] = choice
    if ask.schema:
        body["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
    if ask.stop is not None:
        body["stop_sequences"] = [ask.stop]
    if ask.effort is not None:
        body["thinking"] = {"type": "adaptive"}
        body.setdefault("output_config", {})["effort"] = ask.effort
    if ask.user is not None:
        body["metadata"] = {"user_id": ask.user}
    if ask.temperature is not None:
        body["temperature"] = ask.temperature
    if ask.stream:
        body["stream"] = True
