"""What a report over ledger rows says: values, whoever computes them. Money in nano-USD, None is unknown.

Groups divide the attempts, so every sum of the groups adds up to the total, in integers. A request whose attempts
fall into several groups is counted in each of them, so requests need not add up. A request that reaches over the
edge of the period is counted by the attempts inside it. Percentiles are by nearest rank: values that occurred.
"""

from typing import Literal

from msgspec import Struct

from bascule.model.money import Rates
from bascule.model.sums import Sums

Sort = Literal["cost", "requests", "tokens", "saved", "failures", "name"]

SAME = ("task", "project", "client")
"""What runs have in common that are compared with each other, unless one says otherwise."""


class Fate(Struct, frozen=True):
    """What became of the work of a session's rows that name this pull request, branch and project."""

    session_id: str
    pr: str | None
    """As the rows or their tag `pr` say it."""
    branch: str | None
    project: str | None
    outcome: str


class Terms(Struct, frozen=True, kw_only=True):
    """What a reader may choose about the words of a report."""

    same: tuple[str, ...] = SAME
    """Two runs are runs of the same work where these dimensions agree."""
    departments: tuple[tuple[str, str], ...] = ()
    """Project and its department, for rows without a tag `department`."""
    fates: tuple[Fate, ...] = ()
    """What is known of outcomes, before the tag `outcome`."""


TERMS = Terms()


class Spread(Struct, frozen=True, kw_only=True):
    """Cost per session: what runs cost, whatever they were for."""

    runs: int
    p10_nanousd: int | None
    p50_nanousd: int | None
    p90_nanousd: int | None
    p90_over_p10: float | None
    """None with fewer than two runs, or where the tenth percentile costs nothing."""


class RunSpread(Struct, frozen=True, kw_only=True):
    """Cost per run of known work. A run is a session's part in one work: a combination of what `Terms.same` names.

    Runs without a task label are no runs of known work. `p90_over_p10` compares like with like: each run's cost is
    divided by the median of its work before percentiles are taken over all works with two runs or more. With one
    work that is the plain p90 over p10.
    """

    runs: int
    works: int
    """Different works among them."""
    compared_runs: int
    """Runs of works that have two or more, and whose median costs something."""
    p10_nanousd: int | None
    p50_nanousd: int | None
    p90_nanousd: int | None
    p90_over_p10: float | None


class Figures(Struct, frozen=True, kw_only=True):
    """One line of a report: sums, and what is typical. Times in milliseconds."""

    sums: Sums
    latency_p50_ms: int | None
    """Of attempts that ended well, from sending to the last byte."""
    latency_p95_ms: int | None
    ttft_p50_ms: int | None
    """Time to the first content of streamed attempts, to the first byte of others."""
    ttft_p95_ms: int | None
    request_cost_p50_nanousd: int | None
    """Median cost of a request, all its attempts in this group together; requests with an unknown cost left out."""
    request_tokens_p50: int | None
    session_cost: Spread
    run_cost: RunSpread
    summed_rows: int = 0
    """Rows of providers' reports, each the sum of many requests. `requests` has what they tell; of single requests
    nothing is known then."""
    uncounted_rows: int = 0
    """Those that do not tell how many: in no count of requests."""


class Group(Struct, frozen=True):
    values: tuple[str | None, ...]
    """One for each dimension asked for."""
    figures: Figures


class Report(Struct, frozen=True):
    by: tuple[str, ...]
    groups: tuple[Group, ...]
    """In the order asked for, the dearest first unless one says otherwise."""
    total: Figures
    """Its sums' `first_ms` and `last_ms`, as those of groups, are when the first and the last attempt began."""
    groups_total: int
    """How many there are; more than `groups` where only the first were asked for."""
    same: tuple[str, ...] = SAME


class Cell(Struct, frozen=True, kw_only=True):
    """Sums of one combination of dimensions' values, for what is computed beyond reports."""

    values: tuple[str | None, ...]
    """One for each dimension asked for."""
    rates: Rates | None = None
    """Where rates were asked for: what these attempts were priced at; None is unknown."""
    sums: Sums
    users: int | None = None
    """Different users that are known, where they were asked for; an attempt without one adds none."""
    sessions: int | None = None
    """Different sessions, where they were asked for; an attempt without one adds none."""


def spread_of(runs: int, p10: int | None, p50: int | None, p90: int | None) -> Spread:
    """The spread from its percentiles."""
    return Spread(runs=runs, p10_nanousd=p10, p50_nanousd=p50, p90_nanousd=p90, p90_over_p10=_over(runs, p90, p10))


def _over(runs: int, p90: int | None, p10: int | None) -> float | None:
    if runs < 2 or p90 is None or p10 is None or p10 <= 0:
        return None
    return round(p90 / p10, 3)
