"""The $87,000 month: what a company of 200 developers pays under several policies, and what it gets for it.

`python -m benchmarks.routing.month [--data DIR] [--seed N] [--small] [--json]`. docs/the-month.md explains each figure.
Exit 1 where a strict budget was overspent.
"""

from benchmarks.routing.month.telling import main

__all__ = ["main"]
