"""What each pair of dialects keeps, as the tests measured it (`tests/wire/cells`)."""

from importlib.resources import files

import msgspec

from bascule.model.matrix import Matrix

FILE = "matrix.json"


def shipped_matrix() -> Matrix:
    """The matrix of this release."""
    return msgspec.json.decode(files("bascule.dialects").joinpath(FILE).read_bytes(), type=Matrix)
