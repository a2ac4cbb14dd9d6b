"""How short memory is. Pure."""

from typing import Literal

Pressure = Literal["none", "large", "all"]
"""What is refused: nothing, large bodies, all new work."""

SLACK_SHARE = 0.02
"""Memory must fall so far below a threshold before that counts as left, or it would be crossed again at once."""


def pressure(used_share: float, before: Pressure, *, shed_large_at: float, shed_all_at: float) -> Pressure:
    """From the share of the limit that is used, and the pressure so far."""
    all_at = shed_all_at - (SLACK_SHARE if before == "all" else 0.0)
    large_at = shed_large_at - (SLACK_SHARE if before != "none" else 0.0)
    if used_share >= all_at:
        return "all"
    return "large" if used_share >= large_at else "none"
