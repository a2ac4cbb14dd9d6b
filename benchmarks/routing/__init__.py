"""What routing is worth, and how far its evidence can be trusted: `python -m benchmarks.routing`."""
