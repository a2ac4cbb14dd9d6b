"""Answers that were paid for, by what was asked of whom, so that nothing is paid twice.

One file an answer, for its owner alone. The name is a digest of the request's body, the provider, and the provider's
own name of the model: a changed prompt or another snapshot has no answer here. Only answers to suites of the user's
own are kept; what was sampled from recordings leaves no copy.
"""

import os
from pathlib import Path

import msgspec

from bascule.model.errors import StoreError
from bascule.offline.evaluation.calls import Answered, Ask
from bascule.offline.evaluation.run_file import folder_of
from bascule.offline.evaluation.suite import digest_of


class Answers:
    def __init__(self, data_dir: Path, *, reads: bool = True) -> None:
        """`reads` False asks anew, and keeps what comes."""
        self._folder = folder_of(data_dir) / "answers"
        self._reads = reads

    def get(self, ask: Ask, snapshot: str) -> Answered | None:
        """What was answered before; None where nothing was, or what is there cannot be read."""
        if not self._reads:
            return None
        try:
            return msgspec.json.decode(self._path(ask, snapshot).read_bytes(), type=Answered)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def put(self, ask: Ask, snapshot: str, answered: Answered) -> None:
        """Raises StoreError."""
        path = self._path(ask, snapshot)
        fresh = path.with_suffix(f".{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh.touch(mode=0o600)
            fresh.write_bytes(msgspec.json.encode(answered))
            fresh.replace(path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error

    def _path(self, ask: Ask, snapshot: str) -> Path:
        name = digest_of([ask.surface, ask.body, snapshot])
        return self._folder / name[:2] / f"{name}.json"
