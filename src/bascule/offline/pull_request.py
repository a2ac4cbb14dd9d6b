"""Pull requests as rows, commits and addresses name them, and which rows belong to which. Pure.

A row belongs to the pull requests that it names itself (`x-bascule-pr`, the tag `pr`, an agent's log), else to the one
of its branch. Rows that name neither, or a trunk (work before a branch was made), belong to whatever else their session
worked on; where that is several, or a row names several, they share it evenly.
"""

import re
from collections.abc import Collection

from msgspec import Struct

from bascule.model.row import AttemptRow

TRUNKS = frozenset({"main", "master", "trunk", "develop", "HEAD"})
"""Branches whose work belongs to no one pull request."""

_SEPARATORS = re.compile(r"[\s,;]+")
_NAMED = re.compile(
    r"(?:https?://[^/\s]+/)?(?:([\w.-]+(?:/[\w.-]+)+?)(?:/pull/|/-/merge_requests/|/pull-requests/|[#!]))?"
    r"(?:[#!]|pr[-# ]?)?([0-9]{1,9})(?:/[\w/]*)?",
    re.IGNORECASE,
)


class PullRequest(Struct, frozen=True):
    """`repository` is `owner/name` in lower case, None where it was not said."""

    repository: str | None
    number: int

    def __str__(self) -> str:
        return f"{self.repository or ''}#{self.number}"

    def is_of(self, repository: str | None) -> bool:
        """Whether it may be one of this repository; what is not said may be."""
        return self.repository is None or repository is None or self.repository == repository.lower()

    def same(self, other: "PullRequest") -> bool:
        return self.number == other.number and self.is_of(other.repository)


def pull_requests(text: str | None) -> tuple[PullRequest, ...]:
    """The pull requests in a header, tag or log: `12`, `#12`, `pr-12`, `owner/name#12`, an address; several with
    commas between. What is none of these is left out."""
    if not text:
        return ()
    found = [
        PullRequest(match[1].lower() if match[1] else None, int(match[2]))
        for word in _SEPARATORS.split(text.strip())
        if (match := _NAMED.fullmatch(word))
    ]
    return tuple(dict.fromkeys(found))


def named_in(row: AttemptRow) -> str | None:
    """What a row says of its pull requests, as it says it."""
    return row.pr or row.tags.get("pr") or None


def is_trunk(branch: str | None, trunks: Collection[str] = ()) -> bool:
    return branch is None or branch in TRUNKS or branch in trunks


def repository_of(remote: str) -> str | None:
    """`owner/name` of a remote's address (`git@host:owner/name.git`, `https://host/owner/name`), in lower case."""
    text = remote.strip().rstrip("/").removesuffix(".git")
    if "://" in text:
        path = text.partition("://")[2].partition("/")[2]
    elif ":" in text and "/" not in text.partition(":")[0]:
        path = text.partition(":")[2]
    else:
        return None
    parts = [part for part in path.split("/") if part]
    return "/".join(parts).lower() if len(parts) >= 2 else None
