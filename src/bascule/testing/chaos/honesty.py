"""Whether clients were told the truth: a whole answer, or an error, and never the one for the other."""

from collections.abc import Sequence

from bascule.testing.chaos.bills import Row
from bascule.testing.chaos.client import Seen
from bascule.testing.chaos.surfaces import looks_complete, tells_an_error
from bascule.testing.chaos.traffic import Planned


def dishonest(traffic: Sequence[Planned], seen: Sequence[Seen], rows: Sequence[Row]) -> list[str]:
    """Answers that look whole and are not, or are whole and look broken, among those that clients waited for.

    Whole is what the last row of the request says it was.
    """
    last = {row["tags"]["n"]: row for row in sorted(rows, key=lambda row: int(row["attempt_no"]))}
    found = []
    for one, answer in zip(traffic, seen, strict=True):
        if answer.left:
            continue
        whole = looks_complete(one.surface, answer)
        row = last.get(str(one.number))
        confirmed = row is not None and row["error_class"] is None
        if answer.broken is not None or whole == tells_an_error(answer) or whole != confirmed:
            told = "no row" if row is None else row["error_class"]
            found.append(
                f"#{one.number} {one.surface} {one.faults}: looks whole: {whole}, broken: {answer.broken}, "
                f"the row says {told}; ends {answer.body[-300:]!r}"
            )
    return found
