"""What a scenario has to do with: the upstream, one gateway or several, their ledger, and a seed."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bascule.model.errors import BasculeError
from bascule.testing.chaos.bills import Row, Tariff
from bascule.testing.chaos.client import Seen
from bascule.testing.chaos.findings import Reconciliation
from bascule.testing.chaos.gateway import GatewayProcess
from bascule.testing.chaos.reconcile import reconcile
from bascule.testing.chaos.traffic import Planned, Provided, Target, drive, nothing
from bascule.testing.upstream.threaded import ThreadedUpstream

SETTLED_WITHIN_S = 30.0
AT_ONCE = 200


@dataclass(kw_only=True)
class Arena:
    upstream: ThreadedUpstream
    urls: Sequence[str]
    """Of the gateways under attack."""
    export: Callable[[], list[Row]]
    """The ledger's rows."""
    tariff: Tariff
    targets: tuple[Target, ...]
    key: str
    seed: int
    requests: int
    run: str
    """Marks the rows of this run, in the tag `chaos`."""
    process: GatewayProcess | None = None
    """The gateway, where it is ours to stop and kill."""
    budget_key: str | None = None
    """A key whose budget may be used up."""
    advance: Callable[[], None] = field(default=nothing)

    @property
    def gateway(self) -> GatewayProcess:
        if self.process is None:
            raise BasculeError("this scenario stops or kills its gateway, and one that it has not started is not its")
        return self.process

    def send(self, traffic: Sequence[Planned], *, over_s: float = 0.0) -> list[Seen]:
        return asyncio.run(self.drive(traffic, over_s=over_s))

    async def drive(self, traffic: Sequence[Planned], *, over_s: float = 0.0) -> list[Seen]:
        return await drive(
            self.urls,
            traffic,
            over_s=over_s,
            key=self.key,
            tags=(f"chaos={self.run}",),
            at_once=AT_ONCE,
            advance=self.advance,
        )

    def provide(self, traffic: Sequence[Planned]) -> None:
        self.upstream.use(Provided(traffic))

    def rows(self) -> list[Row]:
        """Those of this run, once none of them is open. Raises BasculeError where one stays open."""
        self.upstream.quiet(SETTLED_WITHIN_S)
        until_s = time.monotonic() + SETTLED_WITHIN_S
        while True:
            rows = [row for row in self.export() if (row["tags"] or {}).get("chaos") == self.run]
            still = sum(row["kind"] != "settle" for row in rows)
            if not still:
                return rows
            if time.monotonic() > until_s:
                raise BasculeError(f"{still} attempts are still open after {SETTLED_WITHIN_S:.0f} s")
            time.sleep(0.2)

    def reconcile(self, rows: Sequence[Row], *, crashed: bool = False) -> Reconciliation:
        return reconcile(rows, self.upstream.served, self.tariff, crashed=crashed)
