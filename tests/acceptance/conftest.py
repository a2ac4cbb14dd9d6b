"""A scripted provider and real gateways before it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.configuration import PROVIDER_ENV, configuration
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider

MakeGateway = Callable[..., Gateway]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """Both provider types on loopback, counting."""
    made = Provider()
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def gateway(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """An open gateway before both types, shared by the tests of a module."""
    config = configuration(provider.openai_url, provider.anthropic_url)
    made = Gateway(tmp_path_factory.mktemp("gateway"), config, PROVIDER_ENV).start()
    yield made
    assert made.stop() == 0, made.output()


@pytest.fixture
def make_gateway(provider: Provider, tmp_path: Path) -> Iterator[MakeGateway]:
    """A gateway of the test's own, not started yet; `more` are sections of its configuration."""
    made: list[Gateway] = []

    def make(env: Mapping[str, str] | None = None, **more: Any) -> Gateway:
        folder = tmp_path / f"gateway{len(made)}"
        folder.mkdir()
        config = configuration(provider.openai_url, provider.anthropic_url, **more)
        gateway = Gateway(folder, config, {**PROVIDER_ENV, **(env or {})})
        made.append(gateway)
        return gateway

    yield make
    for gateway in made:
        gateway.kill()
