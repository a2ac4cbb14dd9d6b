"""Who and what a request belongs to: session, agent, user, tags, PR and task, from its headers and body.

All of it is attribution by the client's own word. It never grants anything, and what is odd in it is cut, cleaned
or left out; a request is never refused for it. The order in which session headers are believed is the clients'
own, measured (Claude Code, Codex, opencode) or documented (Helicone, Portkey).
"""

from functools import lru_cache
from hashlib import blake2b

import msgspec

from bascule.model.facts import Facts
from bascule.model.headers import Headers
from bascule.model.identity import Identity
from bascule.model.trace import read_traceparent

MAX_VALUE_CHARS = 256
MAX_TAG_NAME_CHARS = 64
MAX_TAGS = 32
MAX_METADATA_BYTES = 4_096
DERIVED = "derived"

ATTRIBUTION_HEADERS: frozenset[bytes] = frozenset(
    {
        b"x-bascule-session",
        b"x-bascule-task",
        b"x-bascule-tag",
        b"x-bascule-pr",
        b"x-bascule-user",
        b"x-claude-code-session-id",
        b"x-claude-code-agent-id",
        b"x-claude-code-parent-agent-id",
        b"session-id",
        b"thread-id",
        b"x-codex-window-id",
        b"x-codex-turn-metadata",
        b"x-session-id",
        b"x-session-affinity",
        b"helicone-session-id",
        b"helicone-session-path",
        b"helicone-session-name",
        b"helicone-user-id",
        b"helicone-request-id",
        b"x-portkey-trace-id",
        b"x-portkey-metadata",
    }
)
"""They say who asks, and are for nobody else: codecs forward only the headers that they name, none of these."""

_PROPERTY = b"helicone-property-"
_READ = ATTRIBUTION_HEADERS | {b"idempotency-key", b"traceparent"}
"""What `identify` reads besides the User-Agent and names that begin with `_PROPERTY`."""


def clean(value: bytes | str, limit: int = MAX_VALUE_CHARS) -> str:
    """`value` as text without control or invisible characters, outer space or anything after `limit` characters."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if len(text) > limit:
        text = text[:limit]
    if not text.isprintable():
        text = "".join([char for char in text if char.isprintable()])
    return text.strip()


def identify(headers: Headers, facts: Facts, key_name: str | None) -> Identity:
    """The client's own account of who is asking. `key_name` only salts a derived session id."""
    get = headers.get
    agent_name = get(b"user-agent")
    if not headers.has_any(_READ) and _PROPERTY not in b"\n".join(headers.names()):
        session_id, source = _session_of_body(facts, key_name)
        return Identity(
            session_id=session_id,
            session_source=source,
            user=(clean(facts.end_user) or None) if facts.end_user else None,
            client=client_product(agent_name) if agent_name is not None else None,
        )
    session_id, source = _session(headers, facts, key_name)
    agent = get(b"x-claude-code-agent-id")
    parent = get(b"x-claude-code-parent-agent-id")
    agent_id = (clean(agent) or None) if agent is not None else None
    if source == "session-id" and agent_id is None:
        agent_id = _codex_thread(headers, session_id)
    tags, portkey_user = _tags(headers)
    user = get(b"x-bascule-user") or get(b"helicone-user-id") or portkey_user or facts.end_user
    pr = get(b"x-bascule-pr") or tags.get("pr")
    task = get(b"x-bascule-task")
    idempotency_key = get(b"idempotency-key")
    return Identity(
        session_id=session_id,
        session_source=source,
        agent_id=agent_id,
        parent_id=(clean(parent) or None) if parent is not None else None,
        user=(clean(user) or None) if user else None,
        tags=tags,
        pr=(clean(pr) or None) if pr else None,
        branch=tags.get("branch"),
        task=(clean(task, MAX_TAG_NAME_CHARS) or None) if task is not None else None,
        client=client_product(agent_name) if agent_name is not None else None,
        trace=read_traceparent(get(b"traceparent")),
        idempotency_key=(clean(idempotency_key) or None) if idempotency_key is not None else None,
    )


@lru_cache(maxsize=1024)
def client_product(user_agent: bytes) -> str | None:
    """Product and version of a User-Agent: `claude-cli/2.1.197`, `OpenAI/Python 3.52.0`."""
    words = clean(user_agent).split(None, 2)
    if not words:
        return None
    if len(words) > 1 and words[1][0].isdigit():
        return f"{words[0]} {words[1]}"
    return words[0]


def _session(headers: Headers, facts: Facts, key_name: str | None) -> tuple[str | None, str | None]:
    get = headers.get
    if (value := get(b"x-bascule-session")) and (session := clean(value)):
        return session, "x-bascule-session"
    if (value := get(b"x-claude-code-session-id")) and (session := clean(value)):
        return session, "x-claude-code-session-id"
    if (get(b"session-id") or get(b"thread-id")) and _is_codex(get(b"user-agent")):
        # Other programs use such plain names for their own things, so only Codex is believed.
        for name in (b"session-id", b"thread-id"):
            if session := clean(get(name) or b""):
                return session, name.decode()
    if (value := get(b"x-session-id")) and (session := clean(value)):
        return session, "x-session-id"
    if (value := get(b"helicone-session-id")) and (session := clean(value)):
        return session, "helicone-session-id"
    if (value := get(b"x-portkey-trace-id")) and (session := clean(value)):
        return session, "x-portkey-trace-id"
    return _session_of_body(facts, key_name)


def _session_of_body(facts: Facts, key_name: str | None) -> tuple[str | None, str | None]:
    if facts.session_hint and (session := clean(facts.session_hint)):
        return session, "body"
    if facts.first_user_text:
        return _derived_session(key_name, facts.first_user_text), DERIVED
    return None, None


def _derived_session(key_name: str | None, first_user_text: str) -> str:
    """Agents resend their history, so key and first user message name a conversation well enough to group by."""
    text = f"{key_name or ''}\0{first_user_text}".encode("utf-8", "surrogatepass")
    return "d-" + blake2b(text, digest_size=9).hexdigest()


def _is_codex(user_agent: bytes | None) -> bool:
    return user_agent is not None and user_agent[:5].lower() == b"codex"


def _codex_thread(headers: Headers, session_id: str | None) -> str | None:
    """A Codex subagent has a thread of its own inside the session."""
    thread = headers.get(b"thread-id")
    if thread is None:
        return None
    thread_id = clean(thread)
    return thread_id if thread_id and thread_id != session_id else None


def _tags(headers: Headers) -> tuple[dict[str, str], str | None]:
    """Tags by name, and the user that Portkey's metadata names. Bascule's own header wins over the others."""
    tags: dict[str, str] = {}
    user: str | None = None
    metadata = headers.get(b"x-portkey-metadata")
    if metadata is not None:
        user = _read_metadata(metadata, tags)
    names = headers.names()
    if _PROPERTY in b"\n".join(names):
        for name in names:
            if name.startswith(_PROPERTY):
                _put(tags, name[len(_PROPERTY) :], headers.get(name) or b"")
    for value in headers.all(b"x-bascule-tag"):
        for part in value.split(b",")[:MAX_TAGS]:
            name, equals, text = part.partition(b"=")
            _put(tags, name, text if equals else b"true")
            if not equals and name.strip()[:3] == b"pr-" and name.strip()[3:].isdigit():
                _put(tags, "pr", name.strip()[3:])
    return tags, user


def _read_metadata(raw: bytes, tags: dict[str, str]) -> str | None:
    """Portkey's metadata: a flat JSON object; `_user` is the user, names with `_` are its own."""
    if len(raw) > MAX_METADATA_BYTES:
        return None
    try:
        metadata = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(metadata, dict):
        return None
    for name, value in metadata.items():
        if isinstance(value, str) and not name.startswith("_"):
            _put(tags, name, value)
    user = metadata.get("_user")
    return user if isinstance(user, str) else None


def _put(tags: dict[str, str], name: bytes | str, value: bytes | str) -> None:
    key = clean(name, MAX_TAG_NAME_CHARS)
    if key and (key in tags or len(tags) < MAX_TAGS):
        tags[key] = clean(value)
