"""How many more requests a session is likely to make, learnt from sessions that have ended. Pure.

The discrete hazard at turn t is (ended at t + prior) / (ended at t + went on from t + weight). Sessions that still run
count only for the turns they have left behind, so that they bias nothing (the life-table estimate; Kaplan and Meier
1958, in discrete time, with a geometric prior).
"""

from msgspec import Struct

TURNS = 256
"""Turns that are told apart; later ones are taken as the last."""
PRIOR_WEIGHT = 8
PRIOR_TURNS = 8
"""Before anything is known a session is taken to end at each turn with probability 1/8."""
MOST_TURNS_LEFT = 200


class Lengths(Struct):
    """How sessions went on. Counts by turn, the first is 1."""

    ended: list[int]
    went_on: list[int]


def no_lengths() -> Lengths:
    return Lengths(ended=[0] * (TURNS + 1), went_on=[0] * (TURNS + 1))


def hazard(lengths: Lengths, turn: int) -> float:
    """The chance that a session which has made `turn` requests makes no further one."""
    at = min(max(turn, 1), TURNS)
    ended, seen = lengths.ended[at], lengths.ended[at] + lengths.went_on[at]
    return (ended + PRIOR_WEIGHT / PRIOR_TURNS) / (seen + PRIOR_WEIGHT)


def turns_left(lengths: Lengths, turn: int) -> float:
    """Expected requests after the one that is the session's `turn`-th; at most `MOST_TURNS_LEFT`."""
    return expectations(lengths)[min(max(turn, 1), TURNS)]


def expectations(lengths: Lengths) -> list[float]:
    """`turns_left` of every turn up to `TURNS`, at the turn's place; all of them cost what one does.

    From the last turn, from which on sessions end at one rate, backwards: who goes on makes one request, and then those
    that are expected after it.
    """
    last = hazard(lengths, TURNS)
    left = (1.0 - last) / last
    found = [left] * (TURNS + 1)
    for turn in range(TURNS - 1, -1, -1):
        left = (1.0 - hazard(lengths, turn)) * (1.0 + left)
        found[turn] = left
    return [min(one, float(MOST_TURNS_LEFT)) for one in found]
