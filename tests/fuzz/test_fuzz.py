"""A short run of what `make fuzz` does a million times, with the same inputs every time."""

from tests.fuzz.__main__ import run

INPUTS = 12_000


def test_no_input_is_answered_by_an_exception() -> None:
    assert run(INPUTS, seed=20_261_130) == {}
