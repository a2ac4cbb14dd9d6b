"""Verifiers of installed packages, each asked in a thread, so that a slow one keeps nobody else waiting.

A package brings one by an entry point of the group `bascule.verifiers`: a function of question and answer that gives a
number from 0 to 1. It is loaded when it is first asked. A thread cannot be stopped: one that takes too long is no
longer waited for, and holds its turn until it ends.
"""

import asyncio
import logging
from collections.abc import Callable
from importlib.metadata import entry_points
from math import isfinite

from bascule.model.strategy import VERIFIERS, VerifierPolicy

log = logging.getLogger("bascule.verifiers")

MAX_AT_ONCE = 4
Verifier = Callable[[str, str], float]


class InstalledVerifiers:
    """Implements `ports.Verifiers`."""

    def __init__(self) -> None:
        self._loaded: dict[str, Verifier] = {}
        self._busy = 0

    async def score(self, policy: VerifierPolicy, question: str, answer: str) -> float | str:
        if self._busy >= MAX_AT_ONCE:
            return "too many answers are being verified"
        self._busy += 1
        work = asyncio.get_running_loop().run_in_executor(None, self._asked, policy.name, question, answer)
        work.add_done_callback(self._done)
        try:
            found = await asyncio.wait_for(asyncio.shield(work), policy.timeout_s)
        except TimeoutError:
            return f"it took longer than {policy.timeout_s:g} s"
        except Exception as error:  # whatever another package raises is its own: it has said nothing of the answer
            log.warning("the verifier %r failed", policy.name, exc_info=True)
            return f"it failed: {type(error).__name__}"
        if not isinstance(found, int | float) or not isfinite(found) or not 0 <= found <= 1:
            return "it gave no number from 0 to 1"
        return float(found)

    def _done(self, work: "asyncio.Future[float]") -> None:
        self._busy -= 1
        if not work.cancelled():
            work.exception()  # looked at, so that asyncio does not warn of one that nobody waited for

    def _asked(self, name: str, question: str, answer: str) -> float:
        verifier = self._loaded.get(name)
        if verifier is None:
            (point,) = entry_points(group=VERIFIERS, name=name)
            verifier = self._loaded[name] = point.load()
        return verifier(question, answer)
