"""Splitting an integer amount so that the parts sum to it exactly.

The method of largest remainders (Hamilton's): every part is rounded down, and the units that are left go one each to
the parts that lost most. Ties go to the earlier part, so the same input always gives the same split.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `weights`.

    Raises ValueError where a weight is negative, or all are 0 and there is something to split.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("a share cannot be negative")
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError(f"{total} cannot be split: nobody has a share")
        return [0] * len(weights)
    # As `round_to_sum` of exact fractions would, in integers: some reports split a million amounts.
    parts = [total * weight // whole for weight in weights]
    left = total - sum(parts)
    if left:
        by_loss = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
        for place in by_loss[:left]:
            parts[place] += 1
    return parts


def round_to_sum(parts: Sequence[Fraction | Decimal], total: int) -> list[int]:
    """The nearest integers to `parts` that sum to `total`, which the parts together come to within one unit each.

    Raises ValueError where no rounding of the parts, up or down, sums to `total`.
    """
    down = [floor(part) for part in parts]
    left = total - sum(down)
    if not 0 <= left <= len(parts):
        raise ValueError(f"parts of {sum(parts, start=Fraction(0))} do not come to {total}")
    by_loss = sorted(range(len(parts)), key=lambda place: (down[place] - parts[place], place))
    for place in by_loss[:left]:
        down[place] += 1
    return down
