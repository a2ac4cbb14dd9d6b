"""What a client's program is given and tells, the same for every client.

Runs under the client's own interpreter, which has neither Bascule nor its tests.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

URL = os.environ["CLIENT_URL"]
"""The gateway's origin, without a path."""
KEY = os.environ["CLIENT_KEY"]
MODEL = os.environ["CLIENT_MODEL"]
SURFACE = os.environ["CLIENT_SURFACE"]
TASK: dict[str, Any] = json.loads(os.environ["CLIENT_TASK"])
QUESTION: str = TASK["question"]
ANSWER: str = TASK["answer"]
"""What the model says to everything that is neither a tool call nor asked for in a schema."""
CITY: str = TASK["city"]
WEATHER: str = TASK["weather"]
"""What the tool `weather` says of that city; the harness looks for it in what reaches the provider."""
CALL: str = TASK["call"]
"""A prompt that the model answers with a call of `weather` for that city."""
PERSON_CALL: str = TASK["person_call"]
"""A prompt that is answered with a call of a tool `Person`, the same person as PERSON."""
PERSON: dict[str, Any] = TASK["person"]
"""What the model makes of a schema with a string `name` and an integer `age`."""


class Told:
    """One JSON line at the end: each step `ok` or its error, and the usage that the client was told of."""

    def __init__(self) -> None:
        self._steps: dict[str, str] = {}
        self._usage: list[tuple[int, int]] = []

    def step(self, name: str, act: Callable[[], None]) -> None:
        """A step that fails does not keep the others from being tried: clients fail in their own ways."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            traceback.print_exc()
            self._steps[name] = f"{type(error).__name__}: {error}"[:400]
        else:
            self._steps[name] = "ok"

    def used(self, tokens_in: int | None, tokens_out: int | None) -> None:
        """All of the prompt and all of the answer of one request, as the client says."""
        assert tokens_in, "no usage was told"
        assert tokens_out, "no usage was told"
        self._usage.append((tokens_in, tokens_out))

    def end(self) -> None:
        print(json.dumps({"steps": self._steps, "usage": self._usage}))
        sys.exit(any(step != "ok" for step in self._steps.values()))


def same(found: object, wanted: object) -> None:
    """An assertion that shows both sides wherever it runs."""
    if found != wanted:
        raise AssertionError(f"{found!r} instead of {wanted!r}")
