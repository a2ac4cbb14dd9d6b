"""What a judge's mistakes cost the tests.

A sample of a trial's own pairs is graded twice: by the judge, and by what is trusted (people, or a program). The mean
of (judged less true difference) is what the judge is wrong by: its bias for one side, and how far it blurs what
differs. Both tests then assume the end of that mean's interval that is against them, so that a wrong judge makes
promotion slower and never easier. This is the plain, fixed-sample form of prediction-powered inference (Angelopoulos
et al., Science 382, 2023): no model of how the judge errs, only that the labelled pairs were drawn at random from those
that are judged. Labelled pairs are not counted by the tests a second time.
"""

from collections.abc import Sequence

from msgspec import Struct

from bascule.decide.evidence.betting import lower_mean, upper_mean

ALPHA_SHARE = 0.5
"""Of a trial's alpha that is spent on the calibration; the test has the rest. Labels are dear and comparisons are not:
a wider interval of the judge's error costs far more comparisons than a stricter test does."""


class Labelled(Struct, frozen=True):
    """One pair that was graded twice; differences are challenger less incumbent, in [-1, 1]."""

    judged: float
    true: float


class JudgeError(Struct, frozen=True):
    """Between what bounds the mean error lies; each end fails with at most `alpha`."""

    labels: int
    low: float
    high: float
    alpha: float

    @property
    def for_promotion(self) -> float:
        """By how much a judged difference may flatter the challenger. A judge that is against it earns it no credit."""
        return max(0.0, self.high)

    @property
    def for_demotion(self) -> float:
        """By how much, as a number that is not positive, it may belittle the challenger."""
        return min(0.0, self.low)


EXACT = JudgeError(labels=0, low=0.0, high=0.0, alpha=0.0)
"""Of a program that checks answers: its word is what quality means."""


def judge_error(sample: Sequence[Labelled], alpha: float) -> JudgeError:
    """The judge's mean error from a sample whose size was settled beforehand. From none everything is possible.

    Raises ValueError for a difference outside [-1, 1].
    """
    for pair in sample:
        if not (-1.0 <= pair.judged <= 1.0 and -1.0 <= pair.true <= 1.0):
            raise ValueError(f"a labelled pair has differences from -1 to 1, not {pair.judged} and {pair.true}")
    halves = [(pair.judged - pair.true) / 2 for pair in sample]  # errors reach from -2 to 2
    return JudgeError(
        labels=len(halves), low=2 * lower_mean(halves, alpha), high=2 * upper_mean(halves, alpha), alpha=alpha
    )


def labels_needed(sample: Sequence[Labelled], margin: float, alpha: float) -> int | None:
    """About how many labels make the error's bound half the margin, if the rest is like the sample.

    None where no number does, since the judge's bias alone takes that much; it needs at least two labels.
    """
    errors = [pair.judged - pair.true for pair in sample]
    if len(errors) < 2:
        return None
    mean = sum(errors) / len(errors)
    spread = judge_error(sample, alpha).high - mean
    room = margin / 2 - max(0.0, mean)
    if room <= 0:
        return None
    return max(len(errors), round(len(errors) * (spread / room) ** 2))
