"""The git program, as far as outcomes need it: read, never changed, no network."""

import os
import subprocess
from pathlib import Path

from bascule.model.errors import BasculeError
from bascule.offline.git_history import LOG_FORMAT, history, read_log
from bascule.offline.git_outcomes import Ref, Repository
from bascule.offline.pull_request import repository_of

TIMEOUT_S = 120
MAX_COMPARED = 2_000
"""Commits of the base that a branch's content is compared with."""
LEAST_STAMP_S = 100_000_000
"""Git takes smaller numbers for something else than seconds; nothing is as old."""
_BASES = ("origin/HEAD", "main", "master", "origin/main", "origin/master", "HEAD")
_ENVIRONMENT = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat"}


class Git:
    """One repository. Raises BasculeError where git is missing or refuses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.top = Path(self._text("rev-parse", "--show-toplevel"))

    @property
    def slug(self) -> str | None:
        """`owner/name`, from the remote's address."""
        remote = self._try("remote", "get-url", "origin")
        return None if remote is None else repository_of(remote)

    @property
    def checked_out(self) -> str | None:
        """The branch; None where none is."""
        return self._try("symbolic-ref", "--short", "--quiet", "HEAD")

    def repository(self, base: str | None, since_ms: int, projects: tuple[str, ...] = ()) -> Repository:
        """What there is to know of work since a moment. `base` None takes the branch that the remote calls its own."""
        name, tip = self._base(base)
        since = [f"--since=@{since_ms // 1000}"] if since_ms >= LEAST_STAMP_S * 1000 else []
        commits = read_log(self._run("log", "-z", "--topo-order", f"--format={LOG_FORMAT}", *since, tip, "--"))
        slug = self.slug
        known = {self.top.name, *([slug.rpartition("/")[2]] if slug else [])}
        return Repository(
            history=history(commits, base=name, tip=tip, complete_since_ms=self._complete_since_ms(tip)),
            refs=self._refs(),
            name=slug,
            projects=frozenset(projects or known),
        )

    def absorbed(self, branches: set[str], repository: Repository) -> dict[str, str]:
        """Branches of which one commit of the base changes exactly what they change as a whole, or as their last."""
        found: dict[str, str] = {}
        tip = repository.history.tip
        ids: dict[str, str] | None = None
        for branch in sorted(branches):
            sha = repository.refs[branch].sha
            fork = self._try("merge-base", tip, sha)
            if fork is None:
                continue
            whole = self._patch_ids(self._run("diff-tree", "-p", fork, sha), f"{sha}\n")
            last = self._patch_ids(self._run("diff-tree", "-p", "--root", "--no-commit-id", sha), f"{sha}\n")
            if ids is None:
                log = self._run("log", "-p", "--no-merges", f"--max-count={MAX_COMPARED}", "--format=%H", tip)
                ids = self._patch_ids(log)
            for patch in [*whole, *last]:
                if patch in ids:
                    found[branch] = ids[patch]
                    break
        return found

    def _base(self, base: str | None) -> tuple[str, str]:
        """The base's bare name and its last commit."""
        for name in (f"origin/{base}", base) if base else _BASES:
            sha = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            if sha:
                full = name if base else self._try("rev-parse", "--abbrev-ref", name) or name
                return full.removeprefix("origin/"), sha
        raise BasculeError(
            f"{self.top} has no branch {base!r}; name the one that work is merged into with --base"
            if base
            else f"{self.top} has no commits yet"
        )

    def _refs(self) -> dict[str, Ref]:
        found: dict[str, Ref] = {}
        for place in ("refs/remotes/origin", "refs/heads"):
            listed = self._text("for-each-ref", "--format=%(refname) %(objectname) %(committerdate:unix)", place)
            for line in listed.splitlines():
                name, sha, seconds = line.rsplit(" ", 2)
                if seconds:
                    found[name.removeprefix(place + "/")] = Ref(sha, int(seconds) * 1000)
        found.pop("HEAD", None)
        return found

    def _complete_since_ms(self, tip: str) -> int | None:
        """Of a shallow clone, when the youngest of the commits at its edge was made."""
        if self._text("rev-parse", "--is-shallow-repository") != "true":
            return None
        edge = Path(self._text("rev-parse", "--git-path", "shallow"))
        file = edge if edge.is_absolute() else self._folder / edge
        try:
            shas = file.read_text(encoding="ascii").split()
        except OSError as error:
            raise BasculeError(f"{file} cannot be read: {error.strerror}") from error
        stamps = self._text("show", "--no-patch", "--format=%ct", *shas, "--").split()
        return max([int(stamp) for stamp in stamps]) * 1000

    def _patch_ids(self, diff: bytes, head: str = "") -> dict[str, str]:
        """Commits by the id of what they change."""
        lines = self._run("patch-id", "--stable", stdin=head.encode() + diff).decode().splitlines()
        return {patch: sha for patch, _, sha in (line.partition(" ") for line in reversed(lines))}

    def _text(self, *arguments: str) -> str:
        return self._run(*arguments).decode(errors="replace").strip()

    def _try(self, *arguments: str) -> str | None:
        try:
            return self._text(*arguments) or None
        except BasculeError:
            return None

    def _run(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        command = ["git", "-C", str(self._folder), "--no-pager", *arguments]
        try:
            done = subprocess.run(  # noqa: S603  a fixed program; names are checked by git before they are used
                command,
                input=stdin,
                stdin=None if stdin is not None else subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                env={**os.environ, **_ENVIRONMENT},
                check=False,
            )
        except FileNotFoundError as error:
            raise BasculeError("the program `git` is not there; install it") from error
        except subprocess.TimeoutExpired as error:
            raise BasculeError(f"git {arguments[0]} took longer than {TIMEOUT_S} s; narrow it with --since") from error
        if done.returncode:
            why = done.stderr.decode(errors="replace").strip().splitlines()
            raise BasculeError(f"git {arguments[0]} in {self._folder}: {why[-1] if why else 'failed'}")
        return done.stdout
