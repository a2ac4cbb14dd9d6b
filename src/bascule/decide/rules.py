"""What the CEL rules of a route may ask of a request."""

from typing import Any

from bascule.model.budget import Attribution
from bascule.model.facts import Facts
from bascule.model.identity import Identity

RULE_FACTS: tuple[tuple[str, str], ...] = (
    ("task", "string"),
    ("has_image", "bool"),
    ("has_tools", "bool"),
    ("has_document", "bool"),
    ("has_audio", "bool"),
    ("has_json_schema", "bool"),
    ("has_reasoning", "bool"),
    ("stream", "bool"),
    ("text_bytes", "int"),
    ("est_input_tokens", "int"),
    ("messages", "int"),
    ("tools", "int"),
    ("max_tokens", "int or null"),
    ("model", "string"),
    ("key", "string"),
    ("org", "string"),
    ("team", "string"),
    ("project", "string"),
    ("user", "string"),
    ("tags", "map of strings"),
    ("client", "string"),
    ("session_known", "bool"),
    ("hour_utc", "int"),
)
"""What a rule's CEL may name. Text that is not known is "", so that `task.startsWith("x")` is never an error."""


def rule_facts(
    facts: Facts,
    who: Attribution,
    identity: Identity,
    *,
    model: str,
    task: str | None,
    est_input_tokens: int,
    hour_utc: int,
) -> dict[str, Any]:
    """The facts of a request by the names in `RULE_FACTS`."""
    return {
        "task": task or "",
        "has_image": facts.has_image,
        "has_tools": facts.tools > 0,
        "has_document": facts.has_document,
        "has_audio": facts.has_audio,
        "has_json_schema": facts.has_json_schema,
        "has_reasoning": facts.has_reasoning,
        "stream": facts.stream,
        "text_bytes": facts.text_bytes,
        "est_input_tokens": est_input_tokens,
        "messages": facts.messages,
        "tools": facts.tools,
        "max_tokens": facts.max_tokens,
        "model": model,
        "key": who.key or "",
        "org": who.org or "",
        "team": who.team or "",
        "project": who.project or "",
        "user": who.user or "",
        "tags": who.tags,
        "client": identity.client or "",
        "session_known": identity.session_id is not None and identity.session_source != "derived",
        "hour_utc": hour_utc,
    }
