"""Traffic in a thread, while something is done to the gateway."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from bascule.testing.chaos.client import Seen

WAIT_S = 120.0


class WhileDriving:
    """Runs `send` beside the block. `seen` has its answers once the block has ended; its error is raised there."""

    def __init__(self, send: Callable[[], Coroutine[Any, Any, list[Seen]]]) -> None:
        self.seen: list[Seen] = []
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(send,), name="driving", daemon=True)

    def _run(self, send: Callable[[], Coroutine[Any, Any, list[Seen]]]) -> None:
        try:
            self.seen = asyncio.run(send())
        except BaseException as error:  # noqa: BLE001 - the outermost of this thread: told to who waits
            self._failed = error

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.join(WAIT_S)
        if error is not None:
            return
        if self._failed is not None:
            raise self._failed
        if self._thread.is_alive():
            raise TimeoutError(f"the traffic is not over after {WAIT_S:.0f} s")
