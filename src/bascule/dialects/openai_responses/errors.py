"""Errors in the Responses format's words.

Before the first event they are HTTP errors in the form that all of OpenAI's APIs share. In a stream `error` is what
the official SDKs raise, and `response.failed` what Codex reads the code from; OpenAI sends both, in this order.
"""

import msgspec

from bascule.dialects.openai_chat.errors import error_object
from bascule.dialects.openai_responses.shell import Shell
from bascule.dialects.sse import named_event
from bascule.model.errors import Refusal


def error_events(refusal: Refusal, shell: Shell, sequence_number: int) -> bytes:
    """The two events that end a stream that failed. Nothing may follow."""
    error = error_object(refusal)
    told = {key: error[key] for key in ("code", "message", "param")}
    first = {"type": "error", "sequence_number": sequence_number, **told, "error": error}
    failed = shell.render("failed", [], error={"code": told["code"] or "server_error", "message": told["message"]})
    last = {"type": "response.failed", "sequence_number": sequence_number + 1, "response": failed}
    events = ((b"error", first), (b"response.failed", last))
    return b"".join([named_event(name, msgspec.json.encode(data)) for name, data in events])
