"""`python -m bascule.cli` is `bascule`."""

from bascule.cli import main

main()
