"""How several workers share budgets."""

from bascule.config.section import Count, Seconds, Section


class Leases(Section, frozen=True, kw_only=True):
    """Shares of budgets that workers borrow from their authority; they mean nothing to a lone worker on SQLite."""

    term_s: Seconds = 10.0
    """How long a worker spends what it has borrowed while the authority does not answer; then strict and expected
    budgets get 503 until it does."""
    ahead_s: Seconds = 1.0
    """How many seconds of its recent spend a worker borrows ahead, where there is plenty. More, together with `term_s`,
    bridges a longer outage of the authority."""
    wait_s: Seconds = 0.2
    """The longest that a request waits for the authority, where its worker has not borrowed enough; then 503."""
    max_waiting: Count = 2_000
    """Requests that wait for it at once, in each worker; one more gets 503."""
