"""A world per test, and what must be true of it in the end, whatever the test was about."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from bascule.testing.exchange import ListExchange
from bascule.testing.transport import Reply
from bascule.testing.world import World

CONFIG = """
data_dir: data
providers:
  one: {dialect: openai_chat, base_url: "https://one.test/v1", api_key: "env:ONE_KEY"}
  two: {dialect: openai_chat, base_url: "https://two.test/v1", api_key: "env:TWO_KEY"}
  claude: {dialect: anthropic_messages, base_url: "https://claude.test", api_key: "env:CLAUDE_KEY"}
models:
  small: {endpoints: [{provider: one, model: small-up}], price: {input: 1, output: 10}, max_output: 4000}
  big: {endpoints: [{provider: two, model: big-up}], price: {input: 3, output: 30}, max_output: 4000}
  opus: {endpoints: [{provider: claude, model: opus-up}], price: {input: 5, output: 25}, max_output: 4000}
  sight: {endpoints: [{provider: one, model: sight-up}], price: {input: 1, output: 10}, input: [text, image]}
  riddle: {endpoints: [{provider: one, model: riddle-up}]}
  own: {endpoints: [{provider: one, model: own-up}], price: {input: 0, output: 0}, input: [text, image]}
  vector: {endpoints: [{provider: one, model: vector-up}], price: {input: 1, output: 0}}
routes:
  auto: {candidates: [small, big]}
  mixed: {candidates: [small, opus]}
keys:
  ci: {secret: "env:CI_KEY", org: acme, team: platform, project: web, tags: {cost: "42"}}
  other: {secret: "env:OTHER_KEY"}
"""

CI = "ci-secret-0123456789abcdef"
OTHER = "other-secret-0123456789abcdef"
ENVIRONMENT = {
    "CI_KEY": CI,
    "OTHER_KEY": OTHER,
    "ONE_KEY": "sk-one-canary-0123456789",
    "TWO_KEY": "sk-two-canary-0123456789",
    "CLAUDE_KEY": "sk-claude-canary-0123456789",
}


class Playbook(World):
    """A world whose requests come from the key `ci`."""

    def exchange(self, body: Any, **how: Any) -> ListExchange:
        return super().exchange(body, **{"key": CI, **how})


class Begin(Protocol):
    def __call__(
        self, *replies: Reply, more: str = "", config: str = CONFIG, after: Playbook | None = None
    ) -> Playbook: ...


def strict(limit_usd: str, scope: str = "key:ci", **more: str) -> str:
    """One strict budget, by default on the key that asks."""
    return budget(limit_usd, "strict", scope, **more)


def budget(limit_usd: str, mode: str, scope: str = "key:ci", window: str = "day", on_exhausted: str = "refuse") -> str:
    return (
        f'budgets: [{{scope: "{scope}", limit_usd: {limit_usd}, window: {window}, mode: {mode},'
        f" on_exhausted: {on_exhausted}}}]"
    )


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Makes the world of a test; `more` is appended to the configuration. `after` is a closed one to go on from."""
    worlds: list[Playbook] = []

    def make(*replies: Reply, more: str = "", config: str = CONFIG, after: Playbook | None = None) -> Playbook:
        directory = tmp_path / f"world-{len(worlds)}" if after is None else after.directory
        directory.mkdir(exist_ok=True)
        worlds.append(Playbook(config + more, replies, directory, environment=ENVIRONMENT))
        return worlds[-1]

    yield make
    try:
        for world in worlds:
            if not world.closed:
                world.assert_at_rest()
    finally:
        for world in worlds:
            world.close()
