"""A running gateway enters its configurations in the audit trail and tells the log where that stands."""

import asyncio
import logging
from pathlib import Path

import pytest

from bascule.gateway.audit import SAID, AuditHead
from bascule.model.errors import ConfigError
from bascule.service import Service
from bascule.storage.memory.governance import MemoryGovernance

CONFIG = """
data_dir: data
providers: {local: {dialect: openai_chat, base_url: "http://127.0.0.1:9/v1", api_key: none}}
models: {small: {endpoints: [{provider: local, model: small-up}], price: {input: 1, output: 1}}}
"""


def acts(service: Service) -> list[tuple[str, str, object]]:
    trail = service.store.governance.audit()
    return [(entry.by, entry.action, entry.detail.get("changed")) for entry in trail]


async def test_a_configuration_is_entered_once_and_a_mistaken_one_never(tmp_path: Path) -> None:
    file = tmp_path / "bascule.yaml"
    file.write_text(CONFIG)
    service = Service(str(file), {}, host=None, port=None)
    await service.start()
    try:
        assert acts(service) == [("serve", "config.use", None)]
        await service.reload()
        assert len(acts(service)) == 1
        file.write_text(CONFIG + "budgets: [{scope: 'user:*', limit_usd: 1, window: day}]\n")
        await service.reload()
        assert acts(service)[1:] == [("serve", "config.use", ["budgets"])]
        file.write_text(CONFIG + "budgets: nonsense\n")
        with pytest.raises(ConfigError):
            await service.reload()
        assert len(acts(service)) == 2
    finally:
        await service.stop()


async def test_the_head_is_told_at_the_start_and_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    governance = MemoryGovernance()
    governance.record(ts_ms=1, by="ann", action="x", target="y", detail={})
    told = AuditHead(governance)
    with caplog.at_level(logging.INFO, "bascule.audit"):
        told.start()
        await asyncio.sleep(0.05)
        governance.record(ts_ms=2, by="ann", action="x", target="y", detail={})
        await told.stop()
    heads = [(entry.seq, entry.chain) for entry in governance.audit()]
    assert [record.getMessage() for record in caplog.records][-1] == SAID % heads[1]
    assert SAID % heads[0] in [record.getMessage() for record in caplog.records]
