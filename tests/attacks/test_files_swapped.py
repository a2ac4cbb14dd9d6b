"""Files of the configuration that become something else while the gateway serves."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bascule.config import load
from bascule.config.sources import SecretMissing, Secrets
from bascule.model.errors import ConfigError
from bascule.service import Service

CONFIG = """
data_dir: data
providers: {local: {dialect: openai_chat, base_url: "http://127.0.0.1:9/v1", api_key: none}}
models: {small: {endpoints: [{provider: local, model: small-up}], price: {input: 1, output: 1}}}
"""
KEYS = "keys: {ci: {secret: env:CI_KEY}}\n"
SECRET = "a-secret-of-the-file-0123"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "bascule.yaml").write_text(CONFIG + KEYS)
    made = Service(str(tmp_path / "bascule.yaml"), {"CI_KEY": SECRET}, host=None, port=None)
    yield made
    made.gateway.close()


@pytest.mark.parametrize("what", ["a pipe", "a folder", "zeros without end", "nothing"])
async def test_whatever_the_file_has_become_the_next_sound_one_is_read(service: Service, what: str) -> None:
    file = Path(str(service._path))
    file.unlink()
    match what:
        case "a pipe":
            os.mkfifo(file)
        case "a folder":
            file.mkdir()
        case "zeros without end":
            file.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match=r"cannot be read"):
        await service.reload()
    if what == "a folder":
        file.rmdir()
    else:
        file.unlink(missing_ok=True)
    file.write_text(CONFIG + KEYS + "aliases: {tiny: small}\n")
    await service.reload()
    assert service.snapshot.aliases == {"tiny": "small"}


async def test_a_file_that_lost_its_keys_opens_nothing(service: Service) -> None:
    file = Path(str(service._path))
    for without in ("", "keys: {}\n"):
        file.write_text(CONFIG + without)
        with pytest.raises(ConfigError, match="open the gateway to everybody"):
            await service.reload()
        assert not service.keys.is_open
        assert service.keys.lookup(b"anything") is None
        assert service.keys.lookup(SECRET.encode()) is not None


async def test_an_open_gateway_reads_its_file_again_as_before(tmp_path: Path) -> None:
    (tmp_path / "bascule.yaml").write_text(CONFIG)
    made = Service(str(tmp_path / "bascule.yaml"), {}, host=None, port=None)
    (tmp_path / "bascule.yaml").write_text(CONFIG + "aliases: {tiny: small}\n")
    await made.reload()
    assert made.snapshot.aliases == {"tiny": "small"}
    made.gateway.close()


def test_a_secret_behind_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key")
    with pytest.raises(SecretMissing, match="pipe"):
        Secrets({}, tmp_path).read("file:key")


def test_a_long_file_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MAX_FILE_BYTES", 100)
    (tmp_path / "f.yaml").write_text("# " + "x" * 99)
    with pytest.raises(ConfigError, match="longer than 100"):
        load.load_file(tmp_path / "f.yaml")
