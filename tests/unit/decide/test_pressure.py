"""How short memory is."""

import pytest

from bascule.decide.pressure import Pressure, pressure


@pytest.mark.parametrize(
    ("used", "before", "then"),
    [
        (0.5, "none", "none"),
        (0.92, "none", "large"),
        (0.95, "none", "all"),
        (0.94, "all", "all"),
        (0.929, "all", "large"),
        (0.91, "large", "large"),
        (0.899, "large", "none"),
        (0.94, "large", "large"),
        (0.5, "all", "none"),
    ],
)
def test_a_threshold_is_left_later_than_it_was_reached(used: float, before: Pressure, then: Pressure) -> None:
    assert pressure(used, before, shed_large_at=0.92, shed_all_at=0.95) == then
