"""A chain: models called in order, until what they agree on is sure enough. A model alone is a chain of one."""

from dataclasses import dataclass

import numpy as np

from bascule.learned.outcomes import Floats, Ints, Outcomes
from bascule.learned.voting import Confidence, counted


@dataclass(frozen=True, order=True)
class Chain:
    """`models` are columns, in order of calls. It stops where confidence reaches `sure`."""

    models: tuple[int, ...]
    sure: float = 1.0


@dataclass(frozen=True)
class Traced:
    """What came of calling a chain's models on training prompts; (prompts, calls) each."""

    confidence: Floats
    quality: Floats
    """Of the leading answer after so many calls."""
    cost_usd: Floats
    """Of all calls so far."""

    def stopped(self, sure: float) -> tuple[Floats, Floats]:
        """Quality and cost of each prompt, (prompts,)."""
        enough = self.confidence >= sure
        enough[:, -1] = True
        calls, rows = enough.argmax(axis=1), np.arange(len(enough))
        return self.quality[rows, calls], self.cost_usd[rows, calls]


def traced(models: tuple[int, ...], outcomes: Outcomes, quality: Floats, confidence: Confidence) -> Traced:
    """`quality`: predicted, (prompts, models), out of fold."""
    columns = list(models)
    votes = counted(outcomes.questions.answers[:, columns], quality[:, columns])
    led = np.take_along_axis(outcomes.quality[:, columns], votes.leader, axis=1)
    return Traced(confidence(votes.features), led, outcomes.cost_usd[:, columns].cumsum(axis=1))


def called(chain: Chain, answers: Ints, quality: Floats, confidence: Confidence) -> tuple[Ints, Ints]:
    """How many of the chain's models are called for each prompt, and the model whose answer is given; (prompts,) each.

    `answers` and `quality` (predicted) are (prompts, models). An answer is read only once its model has been called.
    """
    prompts = len(answers)
    calls, answer_from = np.full(prompts, len(chain.models)), np.full(prompts, chain.models[0])
    if len(chain.models) == 1:
        return calls, answer_from
    going = np.arange(prompts)
    for count in range(1, len(chain.models) + 1):
        asked = np.array(chain.models[:count])
        votes = counted(answers[np.ix_(going, asked)], quality[np.ix_(going, asked)])
        answer_from[going] = asked[votes.leader[:, -1]]
        enough = confidence(votes.features[:, -1]) >= chain.sure
        calls[going[enough]] = count
        going = going[~enough]
    calls[going] = len(chain.models)
    return calls, answer_from
