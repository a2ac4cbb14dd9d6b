"""Where recorded requests of real clients lie, if they do: beside the checkout."""

from pathlib import Path

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "clients"
