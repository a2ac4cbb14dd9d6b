"""Parts of a gateway as the configuration wants them; None where it wants none."""

from bascule.compose.store import Store
from bascule.config.shape import Config, PromptCacheAlert, Retry
from bascule.decide.breaker import BreakerPolicy
from bascule.decide.cache_watch import CollapsePolicy
from bascule.decide.outlier import OutlierPolicy
from bascule.decide.retry_budget import RetryBudgetPolicy
from bascule.gateway.cache import ExactCache
from bascule.gateway.kept import KeptAnswers
from bascule.storage.stores import Idempotency

MAX_CACHED_ANSWERS = 100_000


def leaving_alone(config: Config) -> tuple[BreakerPolicy | None, OutlierPolicy | None]:
    """Who is left alone or tried last, and when. Observing, nobody is: nothing is changed or refused."""
    if config.mode == "observe":
        return None, None
    breaker, outlier = config.breaker, config.outlier
    return (
        BreakerPolicy(**{name: getattr(breaker, name) for name in BreakerPolicy.__struct_fields__})
        if breaker.enabled
        else None,
        OutlierPolicy(**{name: getattr(outlier, name) for name in OutlierPolicy.__struct_fields__})
        if outlier.enabled
        else None,
    )


def retry_budget(retry: Retry) -> RetryBudgetPolicy:
    return RetryBudgetPolicy(share=retry.budget_share, reserve=retry.budget_reserve, window_s=retry.budget_window_s)


def collapse(alert: PromptCacheAlert) -> CollapsePolicy | None:
    if not alert.enabled:
        return None
    return CollapsePolicy(**{name: getattr(alert, name) for name in CollapsePolicy.__struct_fields__})


def kept(config: Config) -> KeptAnswers | None:
    store = config.responses.store
    if not store.enabled:
        return None
    return KeptAnswers(
        ttl_s=store.ttl_s,
        max_entries=store.max_entries,
        max_bytes=store.max_bytes,
        max_body_bytes=config.server.limits.max_body_bytes,
        max_body_values=config.server.limits.max_body_values,
    )


def keys_used(config: Config, store: Store) -> Idempotency | None:
    """Raises StoreError."""
    limits = config.idempotency
    if not limits.enabled:
        return None
    return store.stores.idempotency(limits.max_rows, limits.max_rows_per_key)


def cache(config: Config) -> ExactCache | None:
    exact = config.cache.exact
    if not exact.enabled:
        return None
    return ExactCache(
        ttl_s=exact.ttl_s,
        max_entries=MAX_CACHED_ANSWERS,
        max_bytes=exact.max_bytes,
        max_entry_bytes=exact.max_entry_bytes,
    )
