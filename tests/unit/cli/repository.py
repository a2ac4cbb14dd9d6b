"""A small real repository, made with git in a test's folder."""

import os
import subprocess
from pathlib import Path


class Repo:
    """Every commit and merge is made at a moment that the test gives, in seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, at_s: int | None = None) -> str:
        environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": "Ann",
            "GIT_AUTHOR_EMAIL": "ann@example.com",
            "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "ann@example.com",
            "GIT_MERGE_AUTOEDIT": "no",
        }
        if at_s is not None:
            environment |= {"GIT_AUTHOR_DATE": f"@{at_s} +0000", "GIT_COMMITTER_DATE": f"@{at_s} +0000"}
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def commit(self, message: str, at_s: int, file: str | None = None) -> str:
        path = self.folder / (file or f"file-{at_s}.txt")
        path.write_text(f"{message} at {at_s}\n")
        self.git("add", path.name)
        self.git("commit", "-q", "-m", message, at_s=at_s)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, at: str = "main") -> None:
        self.git("checkout", "-q", "-b", name, at)

    def on(self, name: str) -> None:
        self.git("checkout", "-q", name)

    def merge(self, branch: str, message: str, at_s: int) -> str:
        self.on("main")
        self.git("merge", "-q", "--no-ff", "-m", message, branch, at_s=at_s)
        return self.git("rev-parse", "HEAD")

    def squash(self, branch: str, message: str, at_s: int) -> str:
        self.on("main")
        self.git("merge", "-q", "--squash", branch)
        self.git("commit", "-q", "-m", message, at_s=at_s)
        return self.git("rev-parse", "HEAD")

    def revert(self, sha: str, at_s: int, *options: str) -> str:
        self.git("revert", "--no-edit", *options, sha, at_s=at_s)
        return self.git("rev-parse", "HEAD")
