"""What a period was billed for, summed by model, rates and whether an answer came of it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from bascule.decide.price import BUCKETS
from bascule.model.billed import BilledCell, BilledPeriod
from bascule.model.money import Rates
from bascule.storage.analytics.frame import Frame, frame

_BY = ("provider", "model", "answers")


def billed(found: Frame) -> BilledPeriod:
    """The bill of the rows that the filter admits."""
    frame(found, _BY, rates=True)
    cells = found.run("billed", "cells", tokens=_sums("IS NOT NULL"), unknown=_sums("IS NULL"))
    ((users, sessions, attempts, without_user, without_session),) = found.run("billed", "people")
    return BilledPeriod(
        users=users,
        sessions=sessions,
        cells=tuple([_cell(line) for line in cells]),
        attempts=attempts,
        without_user=without_user,
        without_session=without_session,
    )


def _sums(condition: str) -> str:
    return ", ".join([f"coalesce(sum({name}) FILTER (cost_nanousd {condition}), 0)::BIGINT" for name in BUCKETS])


def _cell(line: Sequence[Any]) -> BilledCell:
    provider, model, answers, rates, cost, unknown, *tokens = line
    return BilledCell(
        provider=provider,
        model=model,
        answers=answers == "yes",
        rates=None if rates is None else msgspec.json.decode(rates, type=Rates),
        tokens=dict(zip(BUCKETS, tokens[: len(BUCKETS)], strict=True)),
        unknown_tokens=dict(zip(BUCKETS, tokens[len(BUCKETS) :], strict=True)),
        cost_nanousd=cost,
        unknown=unknown,
    )
