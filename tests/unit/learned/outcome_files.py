"""A set of outcomes in files: `<set>_prompts.parquet` and `<set>_responses.parquet`."""

from pathlib import Path

import duckdb
from tests.unit.learned.made_outcomes import made


def written(
    folder: Path, name: str, prompts: int, answer: str | None = None, leave_out: tuple[str, str] | None = None
) -> None:
    """What `made` makes; `answer` replaces every answer, `leave_out` leaves out one prompt's response of one model."""
    folder.mkdir(parents=True, exist_ok=True)
    outcomes, _ = made(prompts=prompts)
    questions = outcomes.questions
    asked = zip(questions.prompt_ids, questions.prompts, questions.labels, strict=True)
    given = [
        (
            *(prompt_id, model, float(outcomes.quality[row, column]), float(outcomes.cost_usd[row, column])),
            str(questions.answers[row, column] % 10) if answer is None else answer,
        )
        for row, prompt_id in enumerate(questions.prompt_ids)
        for column, model in enumerate(questions.models)
        if (prompt_id, model) != leave_out
    ]
    with duckdb.connect() as made_of:
        made_of.execute("CREATE TABLE p (prompt_id TEXT, prompt TEXT, dataset TEXT)")
        made_of.executemany("INSERT INTO p VALUES (?, ?, ?)", list(asked))
        made_of.execute("CREATE TABLE r (prompt_id TEXT, model TEXT, quality DOUBLE, cost_usd DOUBLE, answer TEXT)")
        made_of.executemany("INSERT INTO r VALUES (?, ?, ?, ?, ?)", given)
        for table, what in (("p", "prompts"), ("r", "responses")):
            made_of.execute(f"COPY {table} TO '{folder / f'{name}_{what}.parquet'}' (FORMAT parquet)")
