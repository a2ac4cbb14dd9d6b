"""A real gateway before a scripted provider of four dialects, for the promises about the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.acceptance.configuration import (
    ANTHROPIC_PRICE,
    GEMINI_PRICE,
    OPENAI_PRICE,
    PRICES,
    PROVIDER_ENV,
    configuration,
    model,
    providers,
)

from bascule.testing.chaos.bills import tariff_of
from bascule.testing.chaos.gateway import GatewayProcess
from bascule.testing.chaos.surfaces import SURFACES
from bascule.testing.chaos.traffic import Target
from bascule.testing.upstream.threaded import ThreadedUpstream

TIMEOUTS = {"first_byte_s": 2.5, "idle_s": 1.5, "total_s": 8}
SHORT = {"first_byte_s": 1.2, "idle_s": 0.8, "total_s": 4}
PATIENT = {"first_byte_s": 20, "idle_s": 20, "total_s": 60}
"""Where no provider is slow: a busy machine is not a fault."""
CUT = {
    "oai-cut": ("openai-type", OPENAI_PRICE),
    "ant-cut": ("anthropic-type", ANTHROPIC_PRICE),
    "res-cut": ("responses-type", OPENAI_PRICE),
    "gem-cut": ("gemini-type", GEMINI_PRICE),
}
"""The same models at providers that are cut off when a client leaves."""
TARIFF = tariff_of({**PRICES, **{name: price for name, (_, price) in CUT.items()}})
DRAINED = tuple([Target(model=name, surfaces=SURFACES) for name in ("oai", "ant", "res", "gem")])
CANCELLED = tuple([Target(model=name, surfaces=SURFACES, paced=True) for name in CUT])
TARGETS = (*DRAINED, *CANCELLED, Target(model="either", surfaces=SURFACES))


@contextmanager
def stormy(
    folder: Path, timeouts: dict[str, float] = TIMEOUTS, **more: Any
) -> Iterator[tuple[GatewayProcess, ThreadedUpstream]]:
    """A gateway that is not started yet, and its provider. `more`: sections of the configuration."""
    upstream = ThreadedUpstream()
    upstream.start()
    gateway = None
    try:
        both = providers(upstream.openai_url, upstream.anthropic_url)
        drained = {name: {**settings, "timeouts": timeouts, "disconnect": "drain"} for name, settings in both.items()}
        cut = {f"{name}-cut": {**settings, "disconnect": "cancel"} for name, settings in drained.items()}
        config = configuration(
            upstream.openai_url,
            upstream.anthropic_url,
            providers={**drained, **cut},
            models={name: model(f"{provider}-cut", name, price) for name, (provider, price) in CUT.items()},
            breaker={"enabled": False},  # it would keep most faults from being met
            outlier={"enabled": False},
            routes={"either": {"candidates": ["oai", "ant"], "objective": "cheapest"}},
            **more,
        )
        folder.mkdir(exist_ok=True)
        gateway = GatewayProcess(folder, config, PROVIDER_ENV)
        yield gateway, upstream
    finally:
        if gateway is not None:
            gateway.kill()
        upstream.stop()
