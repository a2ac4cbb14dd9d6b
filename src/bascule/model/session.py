"""What an agent run cost: a session, and within it each agent."""

from msgspec import Struct

from bascule.model.sums import Sums

WHO = ("key", "user", "org", "team", "project", "pr", "branch", "task", "client")
"""What a session has one of: the last that an attempt named."""


class Agent(Struct, kw_only=True):
    """One agent of a session. `agent_id` None is the main agent."""

    agent_id: str | None
    parent_id: str | None = None
    sums: Sums
    models: dict[str, int]
    """Attempts by model."""


class Session(Struct, kw_only=True):
    """A session as the ledger knows it. `session_id` None gathers what belongs to none."""

    session_id: str | None
    sums: Sums
    models: dict[str, int]
    agents: dict[str | None, Agent]
    """In order of appearance, the main agent first where it has any attempts."""
    who: dict[str, str]
    """By the names of `WHO`; what no attempt named is absent."""
    tags: dict[str, str]


class Sessions(Struct, frozen=True):
    """Some sessions, and how many there are."""

    found: tuple[Session, ...]
    total: int
