"""A configuration that asks for a search is refused where the package for it is missing."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from bascule.compose import snapshot_of
from bascule.config.load import load_text
from bascule.link import build
from bascule.model.errors import ConfigError

CONFIG = """
providers: {local: {dialect: openai_chat, base_url: "http://127.0.0.1:9/v1", api_key: none}}
models: {small: {endpoints: [{provider: local, model: up}], price: {input: 1, output: 1}}}
routes: {auto: {candidates: [small], protect: {personal: block}}}
"""


def test_what_is_to_be_searched_needs_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    document = load_text(CONFIG)
    assert snapshot_of(document, {}, stored_keys=False).routes["auto"].protect.personal == "block"
    monkeypatch.setattr(build, "find_spec", lambda name: None if name == "stdnum" else find_spec(name))
    with pytest.raises(ConfigError) as refused:
        snapshot_of(document, {}, stored_keys=False)
    (problem,) = refused.value.problems
    assert "bascule[protection]" in problem.remedy
