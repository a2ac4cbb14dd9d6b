"""The scripted upstream in a thread of this process, so that a script may be any function of the request."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from bascule.testing.script import Choice, ProviderRequest, Script
from bascule.testing.served import Served
from bascule.testing.upstream.server import ScriptedUpstream


class ThreadedUpstream:
    """Every dialect on one port, with what was counted."""

    def __init__(self, script: Choice | None = None, *, seed: int = 0, port: int = 0) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="scripted-upstream", daemon=True)
        self.upstream = ScriptedUpstream(script, seed=seed, port=port)
        self._mark = 0

    def start(self) -> None:
        self._thread.start()
        self._do(self.upstream.start())

    def refuse(self) -> None:
        """Nobody listens from now on: connections are refused."""
        self._do(self.upstream.stop_listening())

    def listen_again(self) -> None:
        """On the same port."""
        self._do(self.upstream.listen_again())

    def stop(self) -> None:
        self._do(self.upstream.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    @property
    def openai_url(self) -> str:
        return self.upstream.url("openai")

    @property
    def anthropic_url(self) -> str:
        return self.upstream.url("anthropic")

    def use(self, script: Choice) -> None:
        """Script the requests from now on, and forget what was served before."""
        self.upstream.use(script)
        self._mark = len(self.upstream.served)

    @property
    def served(self) -> list[Served]:
        """Since the last `use`."""
        return self.upstream.served[self._mark :]

    @property
    def last(self) -> Served:
        """The last one, once it is over: a client may have its answer before the provider has written its bill."""
        self.quiet()
        return self.served[-1]

    def quiet(self, timeout_s: float = 15.0) -> None:
        """Wait until it serves nothing."""
        deadline = time.monotonic() + timeout_s
        while self.upstream.in_flight:
            assert time.monotonic() < deadline, f"{self.upstream.in_flight} requests are still served"
            time.sleep(0.005)


def from_body(choose: Callable[[dict[str, Any]], Script]) -> Callable[[ProviderRequest], Script]:
    """A script chosen by the request's body alone."""
    return lambda request: choose(request.body)
