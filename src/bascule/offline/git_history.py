"""What a repository's history says of branches and pull requests: merged, and does it still stand. Pure.

Read from the base branch: merge commits by the titles that git and the forges give them, squashed pull requests by the
`(#12)` at the end of the title, reverts by "This reverts commit …", "Reverts owner/name#12" or their title. A commit
takes effect when the base branch's first-parent line takes it in. A revert that was itself reverted does not count.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

LOG_FORMAT = "%H%x1f%P%x1f%at%x1f%ct%x1f%B"
"""For `git log -z --format=…`, read by `read_log`."""

_MERGES = (
    re.compile(r"Merge pull request #(?P<number>\d+) from [^/\s]+/(?P<branch>\S+)"),
    re.compile(r"Merged in (?P<branch>\S+) \(pull request #(?P<number>\d+)\)"),  # Bitbucket
    re.compile(r"Merge (?:remote-tracking )?branch '(?P<branch>[^']+)'(?: of \S+)?(?: into '?(?P<into>[^\s']+)'?)?$"),
)
_NUMBERED = (re.compile(r"\(#(\d+)\)$"), re.compile(r"Merged PR (\d+):"))  # GitHub's squash; Azure DevOps
_GITLAB = re.compile(r"^See merge request \S*!(\d+)$", re.MULTILINE)
_REVERTED_COMMIT = re.compile(r"This reverts commit ([0-9a-f]{7,40})")
_REVERTED_NUMBER = re.compile(r"^Reverts (?:[\w.-]+/[\w.-]+)?#(\d+)", re.MULTILINE)
_REVERTED_TITLE = re.compile(r'Revert "(.+)"(?: \(#\d+\))?$')


class Commit(Struct, frozen=True):
    sha: str
    parents: tuple[str, ...]
    authored_ms: int
    committed_ms: int
    message: str

    @property
    def title(self) -> str:
        return self.message.partition("\n")[0].strip()


class Landing(Struct, frozen=True, kw_only=True):
    """Work that came into the base branch, and whether it was taken out again."""

    sha: str
    at_ms: int
    how: str
    """`merge`, `squash`, `fast-forward` or `direct`."""
    number: int | None = None
    """Of the pull request."""
    branch: str | None = None
    reverted_ms: int | None = None
    reverted_by: str | None = None
    """The commit that took it out; None while it stands."""


class History(Struct, frozen=True, kw_only=True):
    """A base branch. `complete_since_ms`: nothing is known of before, as in a shallow clone; None is all there is."""

    base: str
    tip: str
    """The base's last commit."""
    landings: tuple[Landing, ...]
    """Merges and squashed pull requests on the first-parent line, oldest first."""
    commits: Mapping[str, Commit]
    taken_ms: Mapping[str, int]
    """When the base took each of its commits in."""
    reverted: Mapping[str, tuple[int, str]]
    """Commits of the base that do not stand: when they were taken out, and by which commit."""
    complete_since_ms: int | None = None

    def landed(self, sha: str, how: str, branch: str | None = None) -> Landing | None:
        """A commit of the base as a landing of its own; None where the base does not have it."""
        if sha not in self.taken_ms:
            return None
        at_ms, by = self.reverted.get(sha, (None, None))
        return Landing(sha=sha, at_ms=self.taken_ms[sha], how=how, branch=branch, reverted_ms=at_ms, reverted_by=by)

    def of_number(self, number: int) -> Landing | None:
        """The last landing of a pull request; it lands once, unless a backport carries its number too."""
        return next((landing for landing in reversed(self.landings) if landing.number == number), None)

    def of_branch(self, branch: str, since_ms: int) -> Landing | None:
        """The first landing of a branch of this name from a moment on: names are used again."""
        return next((each for each in self.landings if each.branch == branch and each.at_ms >= since_ms), None)

    def authored(self, since_ms: int, until_ms: int) -> list[Commit]:
        """Commits of the base, but merges and reverts, written within a stretch of time, oldest first."""
        found = [
            commit
            for commit in self.commits.values()
            if commit.sha in self.taken_ms
            and since_ms <= commit.authored_ms <= until_ms
            and len(commit.parents) < 2
            and not is_revert(commit)
        ]
        return sorted(found, key=lambda commit: (commit.authored_ms, commit.sha))


def read_log(output: bytes) -> list[Commit]:
    """The commits of `git log -z --format=LOG_FORMAT`. Raises ValueError for what is no such output."""
    found = []
    for record in output.decode(errors="replace").split("\0"):
        if not record.strip():
            continue
        fields = record.lstrip("\n").split("\x1f", 4)
        if len(fields) != 5:
            raise ValueError(f"not a record of git log: {record[:60]!r}")
        sha, parents, authored, committed, message = fields
        found.append(Commit(sha, tuple(parents.split()), int(authored) * 1000, int(committed) * 1000, message.strip()))
    return found


def is_revert(commit: Commit) -> bool:
    return bool(_REVERTED_COMMIT.search(commit.message) or is_revert_title(commit))


def is_revert_title(commit: Commit) -> bool:
    return bool(_REVERTED_TITLE.match(commit.title))


def history(commits: Iterable[Commit], *, base: str, tip: str, complete_since_ms: int | None = None) -> History:
    """What the commits that `tip` reaches say, given newest first, none before those made upon it
    (`git log --topo-order`). `base` is the branch's name, `tip` its last commit."""
    read = _Base({commit.sha: commit for commit in commits}, base, tip)
    return History(
        base=base,
        tip=tip,
        landings=tuple(read.landings()),
        commits=read.known,
        taken_ms=read.taken_ms,
        reverted=read.out,
        complete_since_ms=complete_since_ms,
    )


class _Base:
    """A base branch being read."""

    def __init__(self, known: dict[str, Commit], base: str, tip: str) -> None:
        self.known = known
        self.base = base
        self.line = self._first_parents(tip)
        self.taken_ms: dict[str, int] = {}
        self.brought: dict[str, list[str]] = {}
        self._take()
        self.out: dict[str, tuple[int, str]] = {}
        self.out_numbers: dict[int, tuple[int, str]] = {}
        self._take_out()

    def _first_parents(self, tip: str) -> list[str]:
        """The base's own line, oldest first."""
        line = []
        sha: str | None = tip
        while sha is not None and sha in self.known:
            line.append(sha)
            parents = self.known[sha].parents
            sha = parents[0] if parents else None
        line.reverse()
        return line

    def _take(self) -> None:
        """When the line took each commit in, and what each commit of the line brought with it."""
        for sha in self.line:
            at_ms = self.known[sha].committed_ms
            waiting, found = [sha], []
            while waiting:
                each = waiting.pop()
                if each in self.taken_ms or each not in self.known:
                    continue
                self.taken_ms[each] = at_ms
                found.append(each)
                waiting += self.known[each].parents
            self.brought[sha] = found

    def _take_out(self) -> None:
        """What does not stand: when it was taken out and by which commit.

        From the newest commit back: when a revert is met, it is known whether it stands itself.
        """
        newest_first = [sha for sha in self.known if sha in self.taken_ms]
        older = _Older(newest_first, self.known)
        for sha in newest_first:
            commit = self.known[sha]
            older.pass_by(commit)
            out = self.out.get(sha) or self._out_by_number(commit)
            if out is not None:
                for each in [sha, *self.brought.get(sha, [])]:
                    self.out.setdefault(each, out)
                continue
            if len(commit.parents) > 1 and not is_revert_title(commit):
                continue  # its text may repeat what the commits say that it brings
            by = (self.taken_ms[sha], sha)
            for target in older.reverted_shas(commit):
                self.out.setdefault(target, by)
            for number in _REVERTED_NUMBER.findall(commit.message):
                self.out_numbers.setdefault(int(number), by)

    def _out_by_number(self, commit: Commit) -> tuple[int, str] | None:
        return next((self.out_numbers[n] for n, _, _ in self._names(commit) if n in self.out_numbers), None)

    def landings(self) -> list[Landing]:
        """Oldest first: what the line names, and branches merged into others that it then took in."""
        on_line = set(self.line)
        found = []
        for sha in self.taken_ms:
            commit = self.known[sha]
            if sha not in on_line and len(commit.parents) < 2:
                continue
            for number, branch, how in self._names(commit, anywhere=sha not in on_line):
                out = self.out.get(sha) or self._all_out(sha)
                found.append(
                    Landing(
                        sha=sha,
                        at_ms=self.taken_ms[sha],
                        how=how,
                        number=number,
                        branch=branch,
                        reverted_ms=None if out is None else out[0],
                        reverted_by=None if out is None else out[1],
                    )
                )
        found.sort(key=lambda each: (each.at_ms, each.sha))
        return found

    def _all_out(self, sha: str) -> tuple[int, str] | None:
        """Where every commit that this one brought was taken out: by the last of them."""
        parts = [each for each in self.brought.get(sha, []) if each != sha and len(self.known[each].parents) < 2]
        outs = [self.out[each] for each in parts if each in self.out]
        return max(outs) if outs and len(outs) == len(parts) else None

    def _names(self, commit: Commit, *, anywhere: bool = False) -> list[tuple[int | None, str | None, str]]:
        """Which pull request or branch a commit says that it lands: number, branch, how. `anywhere`: it need not be
        this base that the commit says it lands them in."""
        title = commit.title
        how = "merge" if len(commit.parents) > 1 else "squash"
        for pattern in _MERGES:
            match = pattern.match(title)
            if match is None:
                continue
            named = match.groupdict()
            branch = named["branch"].removeprefix("origin/")
            if branch == self.base or (named.get("into") not in (None, self.base) and not anywhere):
                return []  # the base merged into a branch, or one branch into another
            gitlab = _GITLAB.search(commit.message)
            number = named.get("number") or (gitlab[1] if gitlab else None)
            return [(None if number is None else int(number), branch, how)]
        for pattern in _NUMBERED:
            match = pattern.search(title)
            if match is not None:
                return [(int(match[1]), None, how)]
        return []


class _Older:
    """Finds commits that a revert names, among those older than it."""

    def __init__(self, newest_first: Sequence[str], known: Mapping[str, Commit]) -> None:
        self._place = {sha: place for place, sha in enumerate(newest_first)}
        self._short: dict[str, list[str]] = {}
        self._titles: dict[str, list[str]] = {}
        for sha in reversed(newest_first):
            self._short.setdefault(sha[:7], []).append(sha)
            self._titles.setdefault(known[sha].title, []).append(sha)

    def pass_by(self, commit: Commit) -> None:
        """This commit and all newer ones are not older than what comes next."""
        self._titles[commit.title].pop()

    def reverted_shas(self, commit: Commit) -> list[str]:
        """What a commit says that it takes out; by its title alone where it names no commit and no pull request."""
        place = self._place[commit.sha]
        named = _REVERTED_COMMIT.findall(commit.message)
        if named or _REVERTED_NUMBER.search(commit.message):
            meant = [[sha for sha in self._short.get(text[:7], []) if sha.startswith(text)] for text in named]
            return [one[0] for one in meant if len(one) == 1 and self._place[one[0]] > place]
        match = _REVERTED_TITLE.match(commit.title)
        return self._titles.get(match[1], [])[-1:] if match else []
