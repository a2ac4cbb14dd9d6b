"""How many requests each endpoint with a `concurrency` is serving, from this worker."""

from collections.abc import Iterator
from contextlib import contextmanager

from bascule.model.catalog import Endpoint

_NONE: frozenset[str] = frozenset()


class Occupancy:
    """Attempts in flight, by endpoint. An endpoint whose concurrency is used up is `full` until one of them ends."""

    def __init__(self) -> None:
        self._in_flight: dict[str, int] = {}
        self._full: set[str] = set()

    @property
    def full(self) -> frozenset[str]:
        return frozenset(self._full) if self._full else _NONE

    @contextmanager
    def during(self, endpoint: Endpoint) -> Iterator[None]:
        """An attempt at `endpoint`, from before it leaves until it has ended."""
        most = endpoint.concurrency
        if most is None:
            yield
            return
        name = endpoint.id
        self._in_flight[name] = self._in_flight.get(name, 0) + 1
        if self._in_flight[name] >= most:
            self._full.add(name)
        try:
            yield
        finally:
            left = self._in_flight[name] - 1
            if left < most:
                self._full.discard(name)
            if left:
                self._in_flight[name] = left
            else:
                del self._in_flight[name]
