"""What endpoints have left of their retry budgets: state around the pure `decide.retry_budget`."""

from collections.abc import Iterable

from bascule.decide.retry_budget import RetryBudget, RetryBudgetPolicy, earn, left, take

MAX_ENDPOINTS = 4_096
"""Whose budgets are kept; beyond it those that were not asked for the longest begin anew. Names come from clients."""


class RetryBudgets:
    """One budget per endpoint, in this process."""

    def __init__(self, policy: RetryBudgetPolicy) -> None:
        self.policy = policy
        self.refused = 0
        """Requests given up when a budget was spent."""
        self._budgets: dict[str, RetryBudget] = {}

    def first(self, endpoint_id: str, now_s: float) -> None:
        """A request's first attempt at an endpoint."""
        budget = self._budgets.pop(endpoint_id, None)
        if budget is None:
            budget = RetryBudget(float(self.policy.reserve))
            if len(self._budgets) >= MAX_ENDPOINTS:
                del self._budgets[next(iter(self._budgets))]
        self._budgets[endpoint_id] = earn(budget, now_s, self.policy)

    def again(self, endpoint_id: str, now_s: float) -> None:
        """A further attempt there; `spent` has said that there is room."""
        after = take(self._of(endpoint_id), now_s, self.policy)
        if after is not None:
            self._budgets[endpoint_id] = after

    def spent(self, endpoint_ids: Iterable[str], now_s: float) -> frozenset[str]:
        """Those of which no attempt is left."""
        return frozenset([one for one in endpoint_ids if left(self._of(one), now_s, self.policy) < 1.0])

    def _of(self, endpoint_id: str) -> RetryBudget:
        return self._budgets.get(endpoint_id) or RetryBudget(float(self.policy.reserve))
