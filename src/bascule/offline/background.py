"""Agents that work without being asked: checks by the day, and commits by the month. Pure and exact."""

from collections.abc import Iterable
from fractions import Fraction

from msgspec import Struct

from bascule.decide.calibration import ASSUMED_TOKENS_PER_BYTE
from bascule.offline.quantity import Span
from bascule.offline.workloads import PriceOf, Workload, usd_per_call

DAYS = Fraction(30)
"""In a month."""
TOKENS_PER_BYTE = Fraction(str(ASSUMED_TOKENS_PER_BYTE))


class Agent(Struct, frozen=True, kw_only=True):
    check: Workload
    """One check; its `calls` is how many there are a day."""


class AgentCost(Struct, frozen=True, kw_only=True):
    agent: Agent
    usd_per_check: Span
    usd: Span
    """A month."""


class Commits(Struct, frozen=True, kw_only=True):
    """What a repository's history shows of a window of time."""

    commits: int
    diff_bytes: int
    days: Fraction

    def per_month(self, days: Fraction = DAYS) -> Fraction:
        return self.commits / self.days * days

    def tokens_each(self, tokens_per_byte: Fraction) -> Fraction | None:
        """Of the mean commit's diff; None without commits."""
        return self.diff_bytes * tokens_per_byte / self.commits if self.commits else None


def agent_cost(agent: Agent, price_of: PriceOf, days: Fraction = DAYS) -> AgentCost:
    """Checks a day x price of a check x days. Raises BasculeError where a price is not known."""
    each = usd_per_call(agent.check, price_of)
    return AgentCost(agent=agent, usd_per_check=each, usd=each.times(agent.check.calls).times(Span(days, days)))


def count_commits(lines: Iterable[bytes], mark: bytes, days: Fraction) -> Commits:
    """Commits and the bytes of their diffs from the lines of `git log -p`, each commit headed by a line `mark`."""
    commits = diff_bytes = 0
    for line in lines:
        if line.startswith(mark):
            commits += 1
        else:
            diff_bytes += len(line)
    return Commits(commits=commits, diff_bytes=diff_bytes, days=days)
