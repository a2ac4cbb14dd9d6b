"""The price book: every known price with its dates."""
