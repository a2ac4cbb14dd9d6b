"""A request in Gemini's words, with the model and the stream that its path names."""

import json

from tests.wire.cells.ask import IMAGE_URL, PARAMETERS, PDF, PNG, SCHEMA, Ask, Body


def say(ask: Ask) -> Body | None:
    """None where the dialect has no word for it."""
    if ask.late_system is not None or ask.custom_tool is not None or ask.one_call or ask.user is not None:
        return None
    if ask.result_error:
        return None
    contents: list[Body] = []
    if ask.calls:
        contents.append({"role": "user", "parts": [{"text": "Look it up."}]})
        called: list[Body] = [
            {"functionCall": {"id": c.id, "name": c.name, "args": json.loads(c.arguments)}} for c in ask.calls
        ]
        called[0]["thoughtSignature"] = "c2lnbmVkIGJ5IEdvb2dsZQ=="  # of parallel calls the first one has it
        contents.append({"role": "model", "parts": called})
        contents.append({"role": "user", "parts": [_result(ask, place) for place in range(len(ask.calls))]})
    contents.append({"role": "user", "parts": _parts(ask)})
    body: Body = {"model": "asked", "stream": ask.stream, "contents": contents}
    body["generationConfig"] = _config(ask)
    if ask.system is not None:
        body["systemInstruction"] = {"parts": [{"text": ask.system}]}
    if ask.tools:
        declared = [
            {"name": name, "description": f"does {name}", "parametersJsonSchema": PARAMETERS} for name in ask.tools
        ]
        body["tools"] = [{"functionDeclarations": declared}]
    if ask.choice is not None:
        modes = {"required": {"mode": "ANY"}, "none": {"mode": "NONE"}}
        named = {"mode": "ANY", "allowedFunctionNames": [ask.choice]}
        body["toolConfig"] = {"functionCallingConfig": modes.get(ask.choice, named)}
    return body


def _result(ask: Ask, place: int) -> Body:
    call = ask.calls[place]
    response: Body = {"id": call.id, "name": call.name, "response": {"output": call.result}}
    if place == 0 and ask.result_image:
        response["parts"] = [{"inlineData": {"mimeType": "image/png", "data": PNG}}]
    return {"functionResponse": response}


def _parts(ask: Ask) -> list[Body]:
    parts: list[Body] = [{"text": ask.text}]
    if ask.image == "data":
        parts.append({"inlineData": {"mimeType": "image/png", "data": PNG}})
    elif ask.image == "url":
        parts.append({"fileData": {"mimeType": "image/png", "fileUri": IMAGE_URL}})
    if ask.document:
        parts.append({"inlineData": {"mimeType": "application/pdf", "data": PDF}})
    return parts


def _config(ask: Ask) -> Body:
    config: Body = {"maxOutputTokens": ask.max_tokens}
    if ask.schema:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    if ask.stop is not None:
        config["stopSequences"] = [ask.stop]
    if ask.effort is not None:
        config["thinkingConfig"] = {"thinkingLevel": ask.effort.upper(), "includeThoughts": True}
    if ask.temperature is not None:
        config["temperature"] = ask.temperature
    return config
