"""The seam between what happens and who is told of it."""

from collections.abc import Callable

from bascule.model.alert import Alert

Tell = Callable[[Alert], None]
"""Takes an alert on the event loop, at once and without failing."""


def untold(alert: Alert) -> None:
    """Where nobody is to be told."""
