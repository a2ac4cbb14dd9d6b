"""`python -m bascule` is `bascule`."""

from bascule.cli import main

main()
