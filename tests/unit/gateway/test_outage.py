"""An outage of the journal: said once, and unready for a while, never for good."""

import logging

import pytest

from bascule.gateway.outage import RECENT_MS, Outage


def test_it_is_said_once_and_recent_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    now = [1_000]
    outage = Outage(lambda: now[0])
    assert not outage.is_recent
    with caplog.at_level(logging.WARNING, "bascule.ledger"):
        for _ in range(3):
            outage.refused("intent not written", OSError("full"), "req-1")
        outage.is_over()
        outage.is_over()
    assert len(caplog.records) == 2
    assert "3 were refused" in caplog.text
    assert outage.is_recent  # whoever balances load has not looked yet
    now[0] += RECENT_MS
    assert not outage.is_recent
