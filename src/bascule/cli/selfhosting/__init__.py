"""What `bascule selfhost` does: where speed and volume come from, and how the answer is shown."""
