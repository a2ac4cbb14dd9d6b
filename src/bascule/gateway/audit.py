"""What a running gateway does for the audit trail: it enters configurations, and tells the log where the trail stands.

The head goes to the log every hour: who cuts the trail's end has to reach the log as well.
"""

import asyncio
import logging
from typing import Any, Protocol

from bascule.gateway.recurring import Recurring
from bascule.model.chain import ChainHead
from bascule.model.errors import StoreError

log = logging.getLogger("bascule.audit")

TELL_EVERY_S = 3_600.0
SAID = "audit trail stands at %d:%s"
"""`bascule audit verify --log FILE` looks for this."""


VERSION = "audited_policy_version"
SERVE = "serve"


class Recording(Protocol):
    """What of the store `enter_configuration` needs. All raise StoreError."""

    def record(self, *, ts_ms: int, by: str, action: str, target: str, detail: dict[str, Any]) -> None: ...

    def setting(self, name: str) -> str | None: ...

    def set_setting(self, name: str, value: str) -> None: ...


def enter_configuration(store: Recording, version: str, *, changed: list[str] | None, now_ms: int) -> None:
    """An entry for a configuration that is about to be served, unless it was the last one already.

    `changed` names the sections that differ from the one served before, None where that is not known: at a start.
    """
    before = store.setting(VERSION)
    if before == version:
        return
    detail: dict[str, Any] = {"before": before} | ({} if changed is None else {"changed": changed})
    store.record(ts_ms=now_ms, by=SERVE, action="config.use", target=version, detail=detail)
    store.set_setting(VERSION, version)


class Headed(Protocol):
    """What of the store this needs."""

    def audit_head(self) -> ChainHead | None:
        """Raises StoreError."""
        ...


class AuditHead:
    """`start` and `stop` on the event loop; reading is done beside it."""

    def __init__(self, governance: Headed) -> None:
        self._governance = governance
        self._hourly = Recurring(self._tell, TELL_EVERY_S)

    def start(self) -> None:
        self._hourly.start()

    async def stop(self) -> None:
        """Tells once more: the last hour's entries are in no log yet."""
        await self._hourly.stop()

    async def _tell(self) -> None:
        try:
            head = await asyncio.to_thread(self._governance.audit_head)
        except StoreError as error:
            log.error("the audit trail's head cannot be told: %s", error)
            return
        if head is not None:
            log.info(SAID, head.seq, head.chain)
