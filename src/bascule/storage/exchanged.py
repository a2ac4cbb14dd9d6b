"""One exchange between a worker and the authority, on accounts that a store has read and will write."""

from collections.abc import Collection, Iterable, Sequence

from bascule.decide.lease import Account, Need, exchange, standing
from bascule.model.errors import StoreError
from bascule.ports import Counted, Exchanged, Holder

NO_ONE: tuple[str, ...] = ()


def exchanged(
    holder: Holder,
    accounts: Sequence[Account | None],
    counted: Sequence[Counted],
    needs: Sequence[Need],
    live: Collection[str],
    now_ms: int,
) -> tuple[Exchanged, list[Account]]:
    """The answer, and the accounts to write: none where an account is missing and nobody knows what it begins with."""
    found: list[Account] = []
    for account, each in zip(accounts, counted, strict=True):
        if account is not None:
            found.append(account)
        elif each.opening_nanousd is not None:
            found.append(Account(closed_nanousd=each.opening_nanousd))
    if len(found) < len(counted):
        known = [None if account is None else standing(holder.name, account, live) for account in accounts]
        return Exchanged(tuple(known), ()), []
    verdicts = exchange(holder.name, found, [each.report for each in counted], needs, live, now_ms)
    return Exchanged(tuple([standing(holder.name, account, live) for account in found]), verdicts), found


def living(holders: Iterable[Holder], now_ms: int, *also: str) -> set[str]:
    """Those whose term has not ended."""
    return {each.name for each in holders if each.until_ms > now_ms} | {*also}


def fenced(holder: str) -> StoreError:
    """A worker that was taken for dead, or an exchange that another has overtaken."""
    return StoreError(
        f"worker {holder} is not enrolled for budgets any more, or said something older than what is known of it. "
        "It spends nothing until it is started anew"
    )
