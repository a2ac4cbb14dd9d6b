"""A whole configuration, and what linking says of one."""

import pytest

from bascule.config.load import Document, load_text
from bascule.config.sources import Secrets
from bascule.link import Snapshot, link
from bascule.model.errors import ConfigError, Problem
from bascule.prices.book import PriceBook

BOOK = PriceBook()
KEY = "sk-CANARY-0123456789"
ENV = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": f"{KEY}-2", "CI_KEY": f"{KEY}-ci", "BASCULE_ADMIN": f"{KEY}-admin"}

FULL = """\
providers:
  openai: {}
  local:
    dialect: openai_chat
    base_url: http://127.0.0.1:11434/v1
    api_key: none
    data: {retention: none, training: false, region: local}
models:
  big:
    endpoints: [{provider: local, model: big-upstream}]
    price: {input: 3.00, output: 15.00, cache_read: 0.30, cache_write: 3.75}
    context_window: 200000
    input: [text, image]
    quality: {default: 0.88, code_generation: 0.67}
  small: {endpoints: [{provider: openai, model: gpt-4o-mini}], quality: 0.7}
routes:
  auto:
    candidates: [small, big, openai/gpt-4o, gpt-4.1]
    quality: medium
    max_cost_usd: 0.05
    data: {retention: 30d, providers: {deny: [local]}}
    rules:
      - {when: 'task == "security_audit"', quality: high}
      - {when: 'has_image', candidates: [big]}
aliases: {claude-haiku-4-5: small}
baseline: {model: big}
admin: {secret: env:BASCULE_ADMIN}
keys:
  ci: {secret: env:CI_KEY, org: acme, team: platform, models: [auto, small], rate: {rpm: 600}}
budgets:
  - {scope: key:ci, limit_usd: 50, window: day}
"""


def linked(text: str, env: dict[str, str] | None = None) -> Snapshot:
    return link(load_text(text, "f.yaml"), BOOK, Secrets(ENV if env is None else env))


def problems(document: Document, env: dict[str, str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        link(document, BOOK, Secrets(ENV if env is None else env))
    assert "CANARY" not in str(caught.value)
    return caught.value.problems


def found(text: str, env: dict[str, str] | None = None) -> list[tuple[str, str]]:
    return [(problem.where, problem.what) for problem in problems(load_text(text, "f.yaml"), env)]
