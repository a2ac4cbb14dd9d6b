"""The scripted upstream beside a command that has an event loop of its own."""

import asyncio
import threading
from typing import Any

from bascule.testing.upstream import ScriptedUpstream


class Running:
    """The upstream in a thread."""

    def __init__(self, script: Any, models: tuple[str, ...]) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.upstream = ScriptedUpstream(script, models=models)
        self.thread.start()
        self.do(self.upstream.start())

    def do(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def stop(self) -> None:
        self.do(self.upstream.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()
