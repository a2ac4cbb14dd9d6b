"""A gateway for one run: the configuration's own, with limits enforced, nothing from a cache, and the run's budget."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy

from msgspec import structs

from bascule.cli.evaluating.calling import GatewayCaller, Payers
from bascule.cli.explaining import policy_of
from bascule.compose import Gateway, Store, budgets_of, snapshot_of
from bascule.config.load import Document
from bascule.decide.budget import matching
from bascule.decide.resolve import resolve
from bascule.gateway.admission import OPEN_KEY
from bascule.link import Snapshot
from bascule.model.budget import Attribution
from bascule.model.catalog import Model
from bascule.model.errors import BasculeError, Refusal, StoreError
from bascule.model.policy import Budget, KeyPolicy
from bascule.offline.evaluation.calls import TAG
from bascule.storage.claim import claim
from bascule.storage.journal.segments import FileLock


def evaluating(document: Document) -> Document:
    """The configuration as a run needs it: a budget that does not bind would be none, an answer from a cache is no
    measurement, many like requests are no session that runs away, asking a cheap model for a test saves nothing, and
    what a suite asks is no traffic that a challenger could earn."""
    config = document.config
    cache = structs.replace(
        config.cache,
        exact=structs.replace(config.cache.exact, enabled=False),
        semantic=structs.replace(config.cache.semantic, enabled=False),
    )
    runaway = structs.replace(config.runaway, action="off", keys={}, routes={})
    routes = {name: structs.replace(route, evidence=None) for name, route in config.routes.items()}
    changed = structs.replace(config, mode="enforce", cache=cache, runaway=runaway, baseline=None, routes=routes)
    return structs.replace(document, config=changed)


@contextmanager
def opened(
    document: Document,
    environment: dict[str, str],
    store: Store,
    *,
    run: str,
    names: tuple[str, ...],
    max_nanousd: int | None,
    key: str | None,
    now_ms: int,
) -> Iterator[GatewayCaller]:
    """`names`: every model that will be asked. `key` pays. Raises BasculeError where a name stands for nothing, the cap
    cannot be kept, or budgets are being counted elsewhere."""
    snapshot = snapshot_of(evaluating(document), environment, stored_keys=True)
    payer = None if key is None else policy_of(key, snapshot, store, now_ms)
    if key is not None and payer is None:
        raise BasculeError(f"there is no key {key!r}; `bascule keys list` has all there are")
    _check_names(snapshot, names, priced=max_nanousd is not None)
    scope = f"tag:{TAG}={run}"
    if max_nanousd is not None:
        budget = Budget(scope=scope, limit_nanousd=max_nanousd, window="total", mode="strict")
        snapshot = copy(snapshot)
        snapshot.budgets = (*snapshot.budgets, budget)
    payers = Payers(payer)
    gateway = Gateway(snapshot, store, payers)
    lock = None
    try:
        if _others_count(budgets_of(snapshot, store.governance.budgets()), payer or OPEN_KEY, run):
            lock = _claim(store, document)
        gateway.open()
        yield GatewayCaller(gateway, snapshot, payers)
    finally:
        gateway.close()
        if lock is not None:
            lock.release()


def _check_names(snapshot: Snapshot, names: tuple[str, ...], *, priced: bool) -> None:
    for name in dict.fromkeys(names):
        found = resolve(name, snapshot)
        if isinstance(found, Refusal):
            raise BasculeError(f"{found.message} (asked for with --models or --judge)")
        if priced and found.model is not None and not _has_price(found.model):
            raise BasculeError(
                f"the price of {name!r} is not known, so --max-usd cannot be kept; state its `price`, or give "
                "--max-usd none"
            )


def _has_price(model: Model) -> bool:
    return any(endpoint.free or endpoint.prices is not None for endpoint in model.endpoints)


def _others_count(budgets: tuple[Budget, ...], payer: KeyPolicy, run: str) -> bool:
    """A budget binds the run's calls that a gateway beside would count too. The run's own, and those of its sessions,
    are nobody else's."""
    attribution = Attribution(
        key=None if payer.source == "open" else payer.name,
        org=payer.org,
        team=payer.team,
        project=payer.project,
        user=payer.user,
        session_id=run,
        tags={TAG: run, **payer.tags},
    )
    own = (f"tag:{TAG}=", "session:")
    return any(
        budget.mode != "warn" and not concrete.startswith(own) for budget, concrete in matching(budgets, attribution)
    )


def _claim(store: Store, document: Document) -> FileLock:
    if document.config.database is not None:
        raise BasculeError(
            "budgets of the configuration apply to this run, and the replicas at its database count them; run it "
            "with a --key that no budget applies to, or with a configuration of its own"
        )
    try:
        return claim(store.data_dir)
    except StoreError as error:
        raise BasculeError(
            f"budgets of the configuration apply to this run, and {error}; or run it with a --key that no budget "
            "applies to"
        ) from error
