"""What a runner of GitHub Actions says in its environment, and in the file with the event that it runs for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bascule.model.errors import BasculeError
from bascule.offline.moment import moment_ms


class Runner(Struct, frozen=True, kw_only=True):
    """Where this runs. Everything is None outside of GitHub Actions."""

    repository: str | None = None
    """`owner/name`."""
    number: int | None = None
    """Of the pull request."""
    branch: str | None = None
    """Of the pull request's head."""
    base: str | None = None
    fork: bool = False
    """The head lies in another repository, so the token may only read."""
    title: str | None = None
    closed_ms: int | None = None
    """When the pull request was closed without being merged."""
    token: str | None = None
    api_url: str = "https://api.github.com"
    summary: Path | None = None
    output: Path | None = None


def runner(environment: Mapping[str, str]) -> Runner:
    """Raises BasculeError where the event's file cannot be read."""
    event = _event(environment.get("GITHUB_EVENT_PATH"))
    pull = _object(event, "pull_request")
    head, base = _object(pull, "head"), _object(pull, "base")
    head_name = _text(_object(head, "repo"), "full_name")
    repository = environment.get("GITHUB_REPOSITORY") or _text(_object(event, "repository"), "full_name")
    base_name = _text(_object(base, "repo"), "full_name") or repository
    summary, output = environment.get("GITHUB_STEP_SUMMARY"), environment.get("GITHUB_OUTPUT")
    return Runner(
        repository=repository,
        number=_number(event, pull, environment.get("GITHUB_REF")),
        branch=environment.get("GITHUB_HEAD_REF") or _text(head, "ref"),
        base=environment.get("GITHUB_BASE_REF") or _text(base, "ref"),
        fork=bool(pull) and head_name != base_name,
        title=_text(pull, "title"),
        closed_ms=_closed_ms(pull),
        token=environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or None,
        api_url=environment.get("GITHUB_API_URL") or "https://api.github.com",
        summary=Path(summary) if summary else None,
        output=Path(output) if output else None,
    )


def _event(path: str | None) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        raise BasculeError(f"GITHUB_EVENT_PATH={path} holds no event: {error}") from error


def _number(event: dict[str, Any], pull: dict[str, Any], ref: str | None) -> int | None:
    """From the event, an issue comment's issue if that is a pull request, else from `refs/pull/12/merge`."""
    issue = _object(event, "issue")
    for found in (pull.get("number"), issue.get("number") if "pull_request" in issue else None):
        if isinstance(found, int):
            return found
    parts = (ref or "").split("/")
    return int(parts[2]) if parts[:2] == ["refs", "pull"] and len(parts) > 2 and parts[2].isdigit() else None


def _closed_ms(pull: dict[str, Any]) -> int | None:
    at = _text(pull, "closed_at")
    return moment_ms(at, 0) if at and pull.get("merged") is False else None


def _object(holder: dict[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _text(holder: dict[str, Any], name: str) -> str | None:
    found = holder.get(name)
    return found if isinstance(found, str) and found else None
