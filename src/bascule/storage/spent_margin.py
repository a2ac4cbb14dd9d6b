"""How sums of what was spent deal with the edges of windows, in every store."""

WINDOW_MARGIN_MS = 600_000
"""How far the start of an attempt may lie from the moment that its hold was taken, at the edge of a window."""
FOR_EVER_MS = 1 << 60
"""The end of a window that has none."""
