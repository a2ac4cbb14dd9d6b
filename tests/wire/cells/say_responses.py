"""A request in Responses' words."""

from tests.wire.cells.ask import IMAGE_URL, PARAMETERS, PDF, PNG, SCHEMA, Ask, Body


def say(ask: Ask) -> Body | None:
    """None where the dialect has no word for it."""
    if ask.stop is not None or ask.result_error:
        return None
    items: list[Body] = []
    if ask.late_system is not None:
        items.append(_message("user", [{"type": "input_text", "text": "Hello."}]))
        said = {"type": "output_text", "text": "Hello to you.", "annotations": []}
        items.append({**_message("assistant", [said]), "id": "msg_earlier", "status": "completed"})
        items.append(_message("developer", [{"type": "input_text", "text": ask.late_system}]))
    if ask.calls:
        items.append(_message("user", [{"type": "input_text", "text": "Look it up."}]))
        items += [
            {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}
            for call in ask.calls
        ]
        items += [_result(ask, place) for place in range(len(ask.calls))]
    items.append(_message("user", _content(ask)))
    body: Body = {"model": "asked", "input": items, "max_output_tokens": ask.max_tokens, "store": False}
    _settings(ask, body)
    return body


def _message(role: str, content: list[Body]) -> Body:
    return {"type": "message", "role": role, "content": content}


def _result(ask: Ask, place: int) -> Body:
    call = ask.calls[place]
    output: str | list[Body] = call.result
    if place == 0 and ask.result_image:
        output = [{"type": "input_text", "text": call.result}, _image("data")]
    return {"type": "function_call_output", "call_id": call.id, "output": output}


def _image(kind: str) -> Body:
    url = IMAGE_URL if kind == "url" else f"data:image/png;base64,{PNG}"
    return {"type": "input_image", "image_url": url, "detail": "auto"}


def _content(ask: Ask) -> list[Body]:
    parts: list[Body] = [{"type": "input_text", "text": ask.text}]
    if ask.image is not None:
        parts.append(_image(ask.image))
    if ask.document:
        data = f"data:application/pdf;base64,{PDF}"
        parts.append({"type": "input_file", "filename": "report.pdf", "file_data": data})
    return parts


def _settings(ask: Ask, body: Body) -> None:
    if ask.system is not None:
        body["instructions"] = ask.system
    if ask.tools or ask.custom_tool:
        body["tools"] = [
            {"type": "function", "name": name, "description": f"does {name}", "parameters": PARAMETERS, "strict": False}
            for name in ask.tools
        ]
        if ask.custom_tool:
            body["tools"].append({"type": "custom", "name": ask.custom_tool, "description": "free text"})
    if ask.choice is not None:
        plain = ask.choice in ("required", "none")
        body["tool_choice"] = ask.choice if plain else {"type": "function", "name": ask.choice}
    if ask.one_call:
        body["parallel_tool_calls"] = False
    if ask.schema:
        body["text"] = {"format": {"type": "json_schema", "name": "verdict", "schema": SCHEMA, "strict": True}}
    if ask.effort is not None:
        body["reasoning"] = {"effort": ask.effort, "summary": "auto"}
        body["include"] = ["reasoning.encrypted_content"]
    if ask.user is not None:
        body["user"] = ask.user
    if ask.temperature is not None:
        body["temperature"] = ask.temperature
    if ask.stream:
        body["stream"] = True
