"""A worker that is started while others serve."""

from pathlib import Path

import pytest

from bascule.model.errors import ConfigError
from bascule.service import Service

CONFIG = """
providers: {local: {dialect: openai_chat, base_url: "http://127.0.0.1:9/v1", api_key: none}}
models: {small: {endpoints: [{provider: local, model: small-up}], price: {input: 1, output: 1}}}
"""


@pytest.mark.parametrize("change", ["data_dir: another", "data_dir: data\nserver: {workers: 1}"])
def test_it_does_not_serve_from_another_ledger_or_alone(tmp_path: Path, change: str) -> None:
    file = tmp_path / "bascule.yaml"
    file.write_text(f"data_dir: data\nserver: {{workers: 3}}\n{CONFIG}")
    first = Service(str(file), {}, host=None, port=None)
    try:
        file.write_text(f"{change}\n{CONFIG}")
        with pytest.raises(ConfigError, match="Restart the gateway"):
            Service(str(file), {}, host=None, port=None, worker=1, others=first.snapshot.config)
        assert not (tmp_path / "another").exists()
    finally:
        first.gateway.close()
