"""Sets on which a router can only do harm: few prompts, models that are nearly alike, and nothing to be learned."""

import numpy as np

from bascule.learned.outcomes import NO_ANSWER, Ints, Outcomes, Questions


def made_up(prompts: int, models: int, seed: int) -> Outcomes:
    """Every model is right by chance alone, with a probability from 0.60 to 0.62; costs vary threefold between prompts
    and tenfold between models. Words and tasks of prompts say nothing of either."""
    rng = np.random.default_rng(seed)
    words = np.array([f"word{number}" for number in range(400)])
    texts = tuple([" ".join(rng.choice(words, int(rng.integers(10, 60)))) for _ in range(prompts)])
    chances = rng.uniform(0.60, 0.62, models)
    quality = (rng.random((prompts, models)) < chances).astype(float)
    cost = (
        np.geomspace(1e-4, 1e-3, models) * rng.lognormal(0.0, 0.5, (prompts, 1)) * rng.lognormal(0.0, 0.2, (prompts, 1))
    )
    questions = Questions(
        name="made up",
        prompt_ids=tuple([str(number) for number in range(prompts)]),
        prompts=texts,
        labels=tuple([f"task{number % 5}" for number in range(prompts)]),
        models=tuple([f"model{number:02}" for number in range(models)]),
        answers=np.full((prompts, models), NO_ANSWER, np.int64),
    )
    return Outcomes(questions=questions, quality=quality, cost_usd=cost)


def nearly_tied(found: Outcomes, prompts: int, spread: float, seed: int) -> tuple[Outcomes, Ints]:
    """Of a real set: so many prompts, and the largest group of models whose mean qualities lie within `spread`, with
    the rows of `found` that were drawn."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(found.questions))[:prompts])
    mean = found.quality.mean(axis=0)
    groups = [np.flatnonzero((mean >= low) & (mean <= low + spread)) for low in mean]
    columns = max(groups, key=len)
    few = found.only(rows)
    asked = few.questions
    return (
        Outcomes(
            questions=Questions(
                name=f"{asked.name}, {len(columns)} models within {spread}",
                prompt_ids=asked.prompt_ids,
                prompts=asked.prompts,
                labels=asked.labels,
                models=tuple([asked.models[column] for column in columns]),
                answers=asked.answers[:, columns],
            ),
            quality=few.quality[:, columns],
            cost_usd=few.cost_usd[:, columns],
        ),
        rows,
    )
