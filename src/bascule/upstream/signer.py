"""Signing without a halt: credentials are looked for in a thread, and one search serves all calls that wait for it."""

import asyncio
from typing import TYPE_CHECKING

from bascule.ports import TransportError, UpstreamCall
from bascule.providers.signing import SigV4
from bascule.upstream.outbox import Outbox

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

_LEAST_S = 60
"""With less left than this, a call waits for new credentials; with more it goes out while they are renewed."""


class Signer:
    """Signs calls. Credentials that botocore found are kept, and renewed before they run out. Of one event loop."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._loading: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._found: Credentials | None = None
        self._frozen: ReadOnlyCredentials | None = None
        self._usable_until_s = 0.0
        """By the loop's clock: how long `_frozen` will surely do while the renewal goes on."""

    async def signed(self, call: UpstreamCall, signing: SigV4, limit_s: float) -> UpstreamCall:
        """The call, signed. Waits up to `limit_s`. Raises TransportError (nothing sent), or LedgerUnavailable where
        the round's ledger lines could not be written."""
        task = self._load() if signing.keys is not None else self._renew()
        if task is not None:
            unwritten = self._outbox.flush()  # the wait may be longer than the round
            if unwritten is not None:
                raise unwritten
            try:
                async with asyncio.timeout(limit_s):
                    await asyncio.shield(task)  # a call that gives up leaves the search to the others
            except TimeoutError:
                what = "AWS credentials were not found in time"
                raise TransportError("timeout_connect", what, request_sent=False) from None
        from bascule.upstream.sigv4 import given, sign

        credentials = self._frozen if signing.keys is None else given(signing.keys)
        assert credentials is not None
        return sign(call, signing, credentials)

    def _load(self) -> asyncio.Task[None] | None:
        """What to wait for before a call can be signed with given keys: a large import, once."""
        if self._loading is None:
            self._loading = asyncio.get_running_loop().create_task(asyncio.to_thread(_load))
        return None if self._loading.done() else self._loading

    def _renew(self) -> asyncio.Task[None] | None:
        """The same for credentials that are to be found. Begins a renewal where it is time for one."""
        loop = asyncio.get_running_loop()
        if self._renewal is None:
            if self._found is not None:
                from bascule.upstream.sigv4 import runs_out

                if not runs_out(self._found):
                    return None
                # Told now and not again: botocore's thread sets the new end before it has handed out the new keys.
                self._usable_until_s = 0.0 if runs_out(self._found, _LEAST_S) else loop.time() + _LEAST_S
            self._renewal = loop.create_task(self._renewed())
            self._renewal.add_done_callback(self._is_over)
        return self._renewal if loop.time() >= self._usable_until_s else None

    async def _renewed(self) -> None:
        self._found, self._frozen = await asyncio.to_thread(_renewed, self._found)

    def _is_over(self, task: asyncio.Task[None]) -> None:
        self._renewal = None
        if not task.cancelled():
            task.exception()  # whoever waited has it; the next call tries again


def _load() -> None:
    import bascule.upstream.sigv4  # noqa: F401


def _renewed(found: "Credentials | None") -> "tuple[Credentials, ReadOnlyCredentials]":
    from bascule.upstream.sigv4 import renewed

    return renewed(found)
