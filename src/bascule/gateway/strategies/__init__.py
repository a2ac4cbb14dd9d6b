"""How several models work on one request. See docs/strategies.md."""
