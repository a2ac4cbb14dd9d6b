"""The scenarios of `bascule chaos`, by name."""

from collections.abc import Callable

from msgspec import Struct

from bascule.testing.chaos.arena import Arena
from bascule.testing.chaos.checks import Check
from bascule.testing.chaos.scenarios import budgets, crashes, outages, storms


class Scenario(Struct, frozen=True, kw_only=True):
    name: str
    does: str
    run: Callable[[Arena], list[Check]]
    owns: bool = False
    """It stops or kills the gateway, so it must have started it."""


_ALL = (
    Scenario(name="mixed", does="every fault there is, and clients that leave", run=storms.mixed),
    Scenario(name="hostile", does="bodies and headers that no provider should send", run=storms.hostile),
    Scenario(name="usage", does="usage that lies, comes late, or not at all", run=storms.usage),
    Scenario(name="disconnects", does="every other client hangs up; the provider bills on", run=storms.disconnects),
    Scenario(name="outage", does="a provider that is down, all of it, and comes back", run=outages.outage),
    Scenario(name="overspend", does="300 requests at once at one small budget", run=budgets.overspend, owns=True),
    Scenario(name="crash", does="kill -9 in the middle of mixed faults, and a new start", run=crashes.crash, owns=True),
    Scenario(name="stop", does="SIGTERM with 50 open streams", run=crashes.stop, owns=True),
    Scenario(name="reload", does="reloads under load", run=crashes.reload, owns=True),
)
SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
