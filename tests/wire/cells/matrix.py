"""The matrix: what each cell keeps of each feature, as this checkout's codecs do it.

python -m tests.wire.cells.matrix        writes src/bascule/dialects/matrix.json, which `bascule dialects matrix` prints
"""

from pathlib import Path

import msgspec
from msgspec import structs
from tests.wire.cells.cell import CELLS, exchange
from tests.wire.cells.features import FEATURES, Feature

from bascule.model.matrix import Cell, Matrix, Verdict

FILE = Path(__file__).parents[3] / "src" / "bascule" / "dialects" / "matrix.json"


def verdict(client: str, provider: str, feature: Feature, *, stream: bool) -> Verdict | None:
    """What becomes of a feature in a cell; None where the client has no word for it. Raises AssertionError where the
    provider would refuse what it is sent, or the client's SDK cannot read what it is told."""
    if client in feature.no_word:
        return None
    outcome = exchange(client, provider, structs.replace(feature.ask, stream=stream), feature.script)
    if outcome is None:
        return None
    if outcome.refusal is not None:
        return "refused"
    assert outcome.fault is None, (client, provider, feature.name, outcome.fault)
    return "kept" if feature.kept(outcome) else "lost"


def measured() -> Matrix:
    """All cells. A feature that a stream loses and a whole answer keeps is lost."""
    cells = []
    for client, provider in CELLS:
        found: dict[str, Verdict] = {}
        for feature in FEATURES:
            both = [verdict(client, provider, feature, stream=stream) for stream in (False, True)]
            worst: list[Verdict] = [one for one in ("refused", "lost", "kept") if one in both]
            if worst:
                found[feature.name] = worst[0]
        cells.append(Cell(client=client, provider=provider, features=found))
    return Matrix(
        asked=tuple([feature.name for feature in FEATURES if feature.kind == "asked"]),
        answered=tuple([feature.name for feature in FEATURES if feature.kind == "answered"]),
        cells=tuple(cells),
    )


def encoded(matrix: Matrix) -> bytes:
    return msgspec.json.format(msgspec.json.encode(matrix), indent=1) + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(encoded(measured()))
