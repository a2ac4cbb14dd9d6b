"""Recorded content: sealed, in a database of its own, with an end."""
