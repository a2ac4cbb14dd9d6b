"""bascule.yaml: its shape, reading it, and every mistake in it at its line."""
