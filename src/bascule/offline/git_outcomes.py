"""Whether sessions' work was merged, reverted or abandoned, told from a repository's history. Pure.

The rules, for each part of a session (the rows that name one pull request or branch):

1. A pull request that the rows name landed where a commit of the base carries its number.
2. A branch landed with the first merge of its name since the part began: names are used again, and what came before
   a merge is taken to be in it. Without such a merge: where its tip is in the base (fast-forward) and is no older than
   the part, or where one commit of the base changes exactly what the branch does (a squash or a rebase).
3. Work on the base itself landed with the commits that were written from the part's start until two hours after its
   end, if the session worked on no branch. Sessions side by side on the base cannot be told apart: all get them.
4. What landed is reverted where the commit, or everything that it brought, was reverted and that revert stands.
5. A branch that did not land is abandoned once neither it nor the session has moved for `quiet_ms`, and only where
   the history reaches back to the part's start. Work on the base is never called abandoned.

Whatever these leave open stays unknown.
"""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from bascule.model.session_outcome import GIT, OutcomeWord, SessionOutcome
from bascule.offline.git_history import Commit, History, Landing
from bascule.offline.parts import Part
from bascule.offline.pull_request import PullRequest, is_trunk, pull_requests

DAY_MS = 86_400_000
AFTER_MS = 2 * 3_600_000
"""How long after its last request a session's work on the base may still be committed."""
QUIET_MS = 30 * DAY_MS


class Ref(Struct, frozen=True):
    """A branch as the repository has it."""

    sha: str
    committed_ms: int


class Repository(Struct, frozen=True, kw_only=True):
    """A repository as far as outcomes need it."""

    history: History
    refs: Mapping[str, Ref] = {}
    """Branches by their name, local ones before a remote's."""
    absorbed: Mapping[str, str] = {}
    """Branches that one commit of the base has taken in with another identity: its id."""
    name: str | None = None
    """`owner/name`, where a remote says."""
    projects: frozenset[str] = frozenset()
    """What rows call it; empty: rows of every project are its."""


def concerned(found: Iterable[Part], repository: Repository) -> list[Part]:
    """The parts that may be work on this repository: by the pull request that they name, else by their project."""
    kept = []
    for part in found:
        named = pull_requests(part.pr)
        if part.session_id is None or (named and not any(each.is_of(repository.name) for each in named)):
            continue
        named_here = any(each.repository is not None for each in named)
        if named_here or part.project is None or not repository.projects or part.project in repository.projects:
            kept.append(part)
    return kept


def unresolved(found: Iterable[Part], repository: Repository) -> set[str]:
    """Branches that are there and have not landed by their name: only their content can tell."""
    return {
        part.branch
        for part in concerned(found, repository)
        if part.branch is not None
        and part.branch in repository.refs
        and not is_trunk(part.branch, {repository.history.base})
        and _landing(part, repository, alone=False) is None
    }


def derive(
    found: Iterable[Part],
    repository: Repository,
    *,
    now_ms: int,
    quiet_ms: int = QUIET_MS,
    closed: Mapping[int, int] | None = None,
) -> list[SessionOutcome]:
    """One statement for each part that has a name; without a word where the history does not tell.

    `closed` are pull requests that were closed without being merged, and when.
    """
    mine = concerned(found, repository)
    on_branches = {part.session_id for part in mine if part.pr or not _on_base(part, repository)}
    statements = []
    for part in _together(mine):
        alone = part.session_id not in on_branches
        landing = _landing(part, repository, alone=alone)
        if landing is None:
            statements.append(_unlanded(part, repository, now_ms, quiet_ms, closed or {}))
            continue
        out = landing.reverted_ms is not None
        word: OutcomeWord = "reverted" if out else "merged"
        note = f"{landing.how} {landing.sha[:12]}"
        if out:
            note += f", taken out by {(landing.reverted_by or '')[:12]}"
        statements.append(
            _statement(part, landing.reverted_ms or landing.at_ms, word, _work(landing, repository), note)
        )
    return statements


def news(derived: Iterable[SessionOutcome], current: Collection[SessionOutcome]) -> list[SessionOutcome]:
    """The statements that say something that the store does not have yet; a word that no longer holds is taken back."""
    known = {each.subject: each for each in current}
    fresh = []
    for each in derived:
        before = known.get(each.subject)
        if before is None and each.outcome is None:
            continue
        if before is None or (before.outcome, before.work, before.note) != (each.outcome, each.work, each.note):
            fresh.append(each)
    return fresh


def _together(found: Iterable[Part]) -> list[Part]:
    """One part for each name in a session, whatever its projects: an outcome has room for one statement each."""
    merged: dict[tuple[str | None, str | None], Part] = {}
    for part in found:
        key = (part.session_id, part.label)
        known = merged.get(key)
        if known is None:
            merged[key] = Part(
                session_id=part.session_id,
                pr=part.pr,
                branch=part.branch,
                project=part.project,
                first_ms=part.first_ms,
                last_ms=part.last_ms,
            )
        else:
            known.first_ms = min(known.first_ms, part.first_ms)
            known.last_ms = max(known.last_ms, part.last_ms)
            known.branch = known.branch or part.branch
    return list(merged.values())


def _on_base(part: Part, repository: Repository) -> bool:
    return is_trunk(part.branch, {repository.history.base})


def _landing(part: Part, repository: Repository, *, alone: bool) -> Landing | None:
    history = repository.history
    for named in pull_requests(part.pr):
        landing = history.of_number(named.number) if named.is_of(repository.name) else None
        if landing is not None:
            return landing
    if not _on_base(part, repository):
        return _of_branch(part, part.branch or "", repository)
    if part.pr or not alone:
        return None
    return _direct(history.authored(part.first_ms, part.last_ms + AFTER_MS), history)


def _of_branch(part: Part, branch: str, repository: Repository) -> Landing | None:
    history = repository.history
    landing = history.of_branch(branch, part.first_ms)
    if landing is not None:
        return landing
    ref = repository.refs.get(branch)
    if ref is not None and ref.committed_ms >= part.first_ms and ref.sha in history.taken_ms:
        return history.landed(ref.sha, "fast-forward", branch)
    absorbed = repository.absorbed.get(branch)
    if absorbed is None or history.taken_ms.get(absorbed, 0) < part.first_ms:
        return None
    squashed = next((each for each in history.landings if each.sha == absorbed), None)
    return squashed or history.landed(absorbed, "squash", branch)


def _direct(commits: list[Commit], history: History) -> Landing | None:
    """Commits on the base as one landing: out where all of them are."""
    landings = [landing for each in commits if (landing := history.landed(each.sha, "direct")) is not None]
    standing = next((landing for landing in landings if landing.reverted_ms is None), None)
    return standing or (landings[-1] if landings else None)


def _work(landing: Landing, repository: Repository) -> str:
    if landing.number is not None:
        return str(PullRequest(repository.name, landing.number))
    return landing.sha[:12]


def _unlanded(
    part: Part, repository: Repository, now_ms: int, quiet_ms: int, closed: Mapping[int, int]
) -> SessionOutcome:
    for named in pull_requests(part.pr):
        if named.is_of(repository.name) and named.number in closed:
            closed_work = str(PullRequest(repository.name, named.number))
            return _statement(part, closed[named.number], "abandoned", closed_work, f"#{named.number} closed unmerged")
    since_ms = repository.history.complete_since_ms
    told = since_ms is None or part.first_ms >= since_ms
    if not told or (_on_base(part, repository) and not part.pr):
        return _statement(part, part.last_ms, None, None, None)
    ref = repository.refs.get(part.branch or "")
    moved_ms = max(part.last_ms, 0 if ref is None else ref.committed_ms)
    if now_ms - moved_ms < quiet_ms:
        return _statement(part, part.last_ms, None, None, None)
    work = next((str(PullRequest(repository.name, n.number)) for n in pull_requests(part.pr)), None)
    return _statement(part, moved_ms, "abandoned", work, f"not in {repository.history.base}")


def _statement(part: Part, at_ms: int, word: OutcomeWord | None, work: str | None, note: str | None) -> SessionOutcome:
    return SessionOutcome(
        session_id=part.session_id,
        part=part.label,
        work=work,
        at_ms=at_ms,
        outcome=word,
        source=GIT,
        note=note,
    )
