"""Anthropic's cache marks in Chat Completions, for sellers of its models that take them.

OpenRouter passes `cache_control` of text parts on (openrouter.ai/docs/guides/best-practices/prompt-caching, read in
November 2026): in the system message, in what the user says and in a tool's result. Its types know none on tools;
that of the system message covers them, since they come first.
"""

from typing import Any

from bascule.dialects.base import Body, CacheMarks
from bascule.dialects.cache_marks import comes_again, last_user_turns, mark_last

_MAKER = "anthropic/"


def marked(body: Body, wanted: CacheMarks) -> Body:
    """The body with marks on its system prompt and the last two user turns, by the rules of `dialects.cache_marks`."""
    if wanted == "off" or not body["model"].startswith(_MAKER):
        return body
    goes_on = comes_again(body)
    if not goes_on and wanted != "always":
        return body
    messages: list[Any] = list(body["messages"])
    places = last_user_turns(messages) if goes_on else []
    if messages and messages[0]["role"] == "system":
        places.append(0)
    for at in places:
        if (content := mark_last(messages[at].get("content"))) is not None:
            messages[at] = {**messages[at], "content": content}
    return {**body, "messages": messages}
