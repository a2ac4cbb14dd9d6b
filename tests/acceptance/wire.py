"""The client of bare HTTP that the chaos tools have."""

from bascule.testing.chaos.client import Leave, Seen, post, raw

__all__ = ["Leave", "Seen", "post", "raw"]
