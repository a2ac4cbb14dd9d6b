"""What a request is held at, and budgets of that size."""

from tests.playbooks.engine.conftest import Begin
from tests.playbooks.engine.wire import (
    answered,
    chat,
)

from bascule.model.money import usd_text

ALIASES = "\naliases: {lite: small, dear: big}"
"""Names as long as `auto`, so that the requests have the same number of bytes."""


def hold_of(begin: Begin, model: str, **more: object) -> int:
    """What one request holds, without a budget: the same as with a strict one."""
    world = begin(answered(), more=ALIASES)
    world.ask(chat(model, **more))
    held = world.row.hold_nanousd
    assert held is not None
    return held


def limit(nanousd: int) -> str:
    text = usd_text(nanousd)
    assert text is not None
    return text
