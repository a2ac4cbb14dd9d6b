"""Has a promoted challenger turned bad? A detector that is looked at after every observation, for as long as it serves.

While quality stays at or above `null`, the mean time to a false alarm is at least as many observations as the level at
which the alarm is raised; once it has fallen, the alarm comes about as fast as any such detector can raise it. It is
the Shiryaev-Roberts e-detector of Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential
change detection" (NEJSDS 2(2), 2024): a gambler begins anew at every observation, with constant stakes as in
`betting`, and the capital of all of them is summed. So a long good past is no credit: what fell silently is not hidden
behind what it once was.
"""

from msgspec import Struct

_BOLDEST = 0.9
_STAKES = tuple([0.5**halving for halving in range(4)])
"""On every difference being smaller, as shares of the boldest."""
_MOST = 1e200


class Watch(Struct, frozen=True):
    """What is watched for: the mean of the next difference lies below `null`, in (-1, 1)."""

    null: float

    def __post_init__(self) -> None:
        if not -1.0 < self.null < 1.0:
            raise ValueError(f"no mean of differences lies below {self.null}")


class Alarm(Struct, frozen=True):
    """What all gamblers together have, for each stake; `Alarm()` is the start."""

    count: int = 0
    sums: tuple[float, ...] = (0.0,) * len(_STAKES)
    total: float = 0.0
    """Sum of the differences."""
    squares: float = 0.0
    """Sum of their squares."""

    @property
    def mean(self) -> float | None:
        return self.total / self.count if self.count else None

    @property
    def level(self) -> float:
        """An alarm at the number of observations that should pass between false ones. It grows by about 1 with each
        while quality is at the null, and less above it."""
        return sum(self.sums) / len(_STAKES)


def watched(before: Alarm, difference: float, watch: Watch) -> Alarm:
    """The level after one more difference (challenger less incumbent, in [-1, 1]). Raises ValueError outside."""
    if not -1.0 <= difference <= 1.0:
        raise ValueError(f"a difference of qualities lies between -1 and 1, not {difference}")
    boldest = (watch.null - difference) * _BOLDEST / (1.0 - watch.null)
    return Alarm(
        count=before.count + 1,
        sums=tuple([min(_MOST, (one + 1.0) * (1.0 + boldest * _STAKES[at])) for at, one in enumerate(before.sums)]),
        total=before.total + difference,
        squares=before.squares + difference * difference,
    )
