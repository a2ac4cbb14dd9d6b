"""Figures of the gateway, each measured beside nginx in the same run. `python -m benchmarks` prints them."""
