"""A gateway whose clock is not that of the database that it shares with others."""

import time
from pathlib import Path

import pytest

from bascule.model.errors import StoreError
from bascule.service import Service
from bascule.storage.postgres.watermarks import PostgresWatermarks

CONFIG = """
database: env:SHARED
data_dir: data
providers: {local: {dialect: openai_chat, base_url: "http://127.0.0.1:9/v1", api_key: none}}
models: {small: {endpoints: [{provider: local, model: small-up}], price: {input: 1, output: 1}}}
"""


def database_is(behind_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PostgresWatermarks, "now_ms", lambda _: int((time.time() - behind_s) * 1000))


def service(folder: Path, url: str) -> Service:
    file = folder / "bascule.yaml"
    file.write_text(CONFIG)
    return Service(str(file), {"SHARED": url}, host=None, port=None)


@pytest.mark.parametrize("behind_s", [86_400, -86_400])
async def test_a_day_off_it_does_not_start(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch, behind_s: float
) -> None:
    database_is(behind_s, monkeypatch)
    wrong = service(tmp_path, postgres_url)
    with pytest.raises(StoreError, match="Set the clock"):
        await wrong.start()
    assert wrong.gateway.leases is not None
    assert wrong.gateway.leases.holders() == []
    wrong.gateway.close()


async def test_a_minute_off_it_says_so(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    database_is(60, monkeypatch)
    late = service(tmp_path, postgres_url)
    await late.start()
    await late.stop()
    assert "clock is 60 s ahead of the database's" in caplog.text
