"""What became of the work that tokens were spent on, as somebody said it. Statements are never changed, only followed
by later ones: of one source about one thing the last counts."""

from typing import Literal

from msgspec import Struct

OutcomeWord = Literal["useful", "useless", "merged", "reverted", "abandoned"]
"""Two questions: was it of use (useful, useless), and where did it go (merged, reverted, abandoned)."""

GIT = "git"
"""The source of what was derived from a repository's history."""


class SessionOutcome(Struct, frozen=True, kw_only=True):
    """One statement. Neither `outcome` nor `score`: the source takes back what it said."""

    session_id: str | None
    """None where a request that belongs to no session is meant."""
    request_id: str | None = None
    """One request alone; None is the session."""
    part: str | None = None
    """Of the session, only what names this pull request, or else this branch; None is all of it."""
    work: str | None = None
    """What it was a part of: `owner/name#12`, or a commit. Parts of one work are one outcome."""
    at_ms: int
    """When it came about, as far as the source knows."""
    outcome: OutcomeWord | None = None
    score: float | None = None
    """0 to 1; from one half on it counts as useful."""
    source: str
    note: str | None = None

    @property
    def subject(self) -> tuple[str | None, str | None, str | None, str]:
        """What a later statement replaces this one by."""
        return self.session_id, self.request_id, self.part, self.source
