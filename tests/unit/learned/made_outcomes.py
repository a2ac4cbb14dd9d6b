"""Outcomes whose truth is known: two kinds of task, and which model is good at which."""

import numpy as np

from bascule.learned.features import Seen
from bascule.learned.outcomes import Floats, Outcomes, Questions

MODELS = ("cheap", "fair", "dear")
COST_USD = (0.0001, 0.0004, 0.004)


def made(
    easy: tuple[float, ...] = (0.9, 0.9, 0.92),
    hard: tuple[float, ...] = (0.2, 0.3, 0.9),
    prompts: int = 600,
    answered: bool = True,
    cost_usd: tuple[float, ...] = COST_USD,
    seed: int = 0,
) -> tuple[Outcomes, Seen]:
    """Half of the prompts are easy, half hard; each model is right by its own probability. The right answer is 0 of
    each prompt, wrong ones are drawn from five others."""
    random = np.random.default_rng(seed)
    is_hard = np.arange(prompts) % 2 == 1
    chance = np.where(is_hard[:, None], np.array(hard), np.array(easy))
    right = random.random(chance.shape) < chance
    wrong = random.integers(1, 6, size=chance.shape)
    answers = np.where(right, 0, wrong) + 10 * np.arange(prompts)[:, None]
    models = tuple([f"m{number}" for number in range(len(easy))]) if len(easy) != len(MODELS) else MODELS
    questions = Questions(
        name="made",
        prompt_ids=tuple([f"p{row}" for row in range(prompts)]),
        prompts=tuple([f"prompt {row}" for row in range(prompts)]),
        labels=tuple(["hard" if one else "easy" for one in is_hard]),
        models=models,
        answers=answers if answered else np.full(answers.shape, -1),
    )
    cost = np.array(cost_usd) * random.uniform(0.5, 1.5, size=chance.shape)
    return Outcomes(questions=questions, quality=right.astype(np.float64), cost_usd=cost), seen(questions, random)


def seen(questions: Questions, random: np.random.Generator) -> Seen:
    """Features that say nothing: what is learned, is learned from labels and answers."""
    size = len(questions)
    noise: Floats = random.normal(size=(size, 8))
    return Seen(noise.astype(np.float32), np.zeros((size, 4), np.float32), noise[:, :3], questions.labels)
