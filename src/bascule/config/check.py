"""Mistakes that the configuration shows by itself, without presets, prices or secrets."""

import re
from collections.abc import Iterable

from bascule.config.contract_check import contract_mistakes
from bascule.config.evidence_check import evidence_mistakes
from bascule.config.learned import learned_mistakes
from bascule.config.places import Path, Places
from bascule.config.rules import mistake
from bascule.config.shape import QUALITY_LEVELS, Config, Floor, Price, Prices, Provider, Rates, Route
from bascule.config.strategy_check import strategy_mistakes
from bascule.config.suggest import remedy
from bascule.decide.aliases import WILDCARD
from bascule.model.errors import Problem

_OWN_HEADERS = frozenset(
    {"authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization", "cookie", "host"}
    | {"connection", "content-length", "content-type", "content-encoding", "transfer-encoding", "accept-encoding"}
    | {"upgrade", "te", "trailer", "expect", "keep-alive"}
)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ORIGIN = re.compile(r"https?://[^/\s@?#]+")
_EFFECTS = ("candidates", "objective", "quality", "tiers", "max_cost_usd", "refuse")
_RATE_NAMES = tuple(Rates.__struct_fields__)


class Checks:
    """Problems and warnings found so far, each with its place."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def wrong(self, path: Path, what: str, mend: str) -> None:
        self.problems.append(self.places.problem(path, what, mend))

    def warn(self, path: Path, what: str, mend: str) -> None:
        self.warnings.append(self.places.problem(path, what, mend))


def check(config: Config, places: Places) -> Checks:
    """Everything that is wrong with what was written, as far as the file alone can tell."""
    checks = Checks(places)
    _not_in_this_release(config, checks)
    _server(config, checks)
    _overload(config, checks)
    _privacy(config, checks)
    for name, provider in config.providers.items():
        _provider(name, provider, checks)
    for name, model in config.models.items():
        _prices(("models", name, "price"), model.price, checks)
        if model.price is None and ("models", name, "endpoints") not in places:
            mend = "Add `endpoints: …`, or a `price: …` alone for a model that only imports name"
            checks.wrong(("models", name), "has no `endpoints`", mend)
        for index, endpoint in enumerate(model.endpoints):
            _prices(("models", name, "endpoints", index, "price"), endpoint.price, checks)
    for name, route in config.routes.items():
        _route(name, route, config, checks)
    _names(config, checks)
    _budgets(config, checks)
    for found in contract_mistakes(config.contracts, places):
        checks.wrong(found.path, found.what, found.remedy)
    _webhooks(config, checks)
    _secrets(config, checks)
    return checks


def _not_in_this_release(config: Config, checks: Checks) -> None:
    if config.cache.exact.persist:
        checks.wrong(("cache", "exact", "persist"), "a cache on disk is not in this release", "Set it to false")
    if config.cache.semantic.enabled:
        checks.wrong(("cache", "semantic", "enabled"), "the semantic cache is not in this release", "Set it to false")


def _server(config: Config, checks: Checks) -> None:
    for index, origin in enumerate(config.server.allowed_origins):
        if not _ORIGIN.fullmatch(origin):
            mend = "Write scheme and host, e.g. https://tools.example.com"
            checks.wrong(("server", "allowed_origins", index), f"`{origin}` is not an origin", mend)
    for index, host in enumerate(config.server.allowed_hosts):
        if not host or "/" in host or host != host.strip() or not host.isprintable():
            mend = "Write the name alone, e.g. gateway.example.com"
            checks.wrong(("server", "allowed_hosts", index), f"`{host}` is not a host name", mend)


def _overload(config: Config, checks: Checks) -> None:
    memory = config.overload.memory
    if memory.shed_large_at > memory.shed_all_at:
        what = f"large bodies would be refused from {memory.shed_large_at:g} on, all work from {memory.shed_all_at:g}"
        mend = "Make shed_large_at the smaller one of the two"
        checks.wrong(("overload", "memory", "shed_large_at"), what, mend)
    path: Path = ("overload", "min_in_flight")
    most = config.server.limits.max_in_flight
    if path in checks.places and config.overload.min_in_flight > most:
        what = f"{config.overload.min_in_flight} is more than server.limits.max_in_flight"
        checks.wrong(path, what, f"Write at most {most}")


def _privacy(config: Config, checks: Checks) -> None:
    privacy = config.privacy
    if privacy.record_content == "full" and privacy.encryption == "on" and privacy.content_key is None:
        what = "content would be recorded, and there is no key to seal it under"
        mend = "Add `content_key: env:NAME` (32 random characters or more), or say `encryption: off`"
        checks.wrong(("privacy", "record_content"), what, mend)
    if privacy.encryption == "off" and (privacy.content_key is not None or privacy.previous_content_keys):
        mend = "Remove the keys, or say `encryption: on`"
        checks.wrong(("privacy", "encryption"), "there are keys, and encryption is off", mend)


def _provider(name: str, provider: Provider, checks: Checks) -> None:
    if "/" in name:
        mend = "Use a name without a slash: clients write provider/model"
        checks.wrong(("providers", name), f"the provider name `{name}` holds a slash", mend)
    _prices(("providers", name, "price"), provider.price, checks)
    for header, value in provider.headers.items():
        path: Path = ("providers", name, "headers", header)
        if not _TOKEN.fullmatch(header) or not value.isascii() or not value.isprintable():
            checks.wrong(
                path,
                f"`{header}` is not a header with a value",
                "Use letters, digits and hyphens, and printable ASCII as its value",
            )
        elif header.lower() in _OWN_HEADERS or header.lower().startswith("x-bascule-"):
            checks.wrong(
                path, f"the header `{header}` is set by the gateway", "Remove it; credentials go into `api_key`"
            )


def _route(name: str, route: Route, config: Config, checks: Checks) -> None:
    for wrong in strategy_mistakes(name, route):
        checks.wrong(wrong.path, wrong.what, wrong.remedy)
    for mistaken in evidence_mistakes(name, route):
        checks.wrong(mistaken.path, mistaken.what, mistaken.remedy)
    for place, what, mend in learned_mistakes(name, route.learned, route.candidates):
        checks.wrong(place, what, mend)
    _floor(("routes", name, "quality"), route.quality, config, checks)
    if route.dear is not None and route.dear.key_share is None and route.dear.session_share is None:
        checks.wrong(("routes", name, "dear"), "limits nothing", "Add `key_share` or `session_share`")
    for index, rule in enumerate(route.rules):
        path: Path = ("routes", name, "rules", index)
        found = mistake(rule.when)
        if found is not None:
            checks.wrong((*path, "when"), f"the rule {found.what}", found.remedy)
        _floor((*path, "quality"), rule.quality, config, checks)
        if rule.candidates == ():
            checks.wrong((*path, "candidates"), "an empty list of candidates", "Name at least one, or use `refuse`")
        if not any((*path, effect) in checks.places for effect in _EFFECTS):
            mend = "Add candidates, objective, quality, tiers, max_cost_usd or refuse"
            checks.wrong(path, "the rule changes nothing when it matches", mend)


def _floor(path: Path, floor: Floor | None, config: Config, checks: Checks) -> None:
    if isinstance(floor, str) and floor not in QUALITY_LEVELS and floor not in config.quality_levels:
        levels = {**QUALITY_LEVELS, **config.quality_levels}
        checks.wrong(path, f"`{floor}` is no quality level", remedy(floor, levels, "level") + " A number works too")


def _names(config: Config, checks: Checks) -> None:
    for name in config.routes:
        if name in config.models:
            mend = "Rename one of them; the route answers to the name"
            checks.warn(("routes", name), f"`{name}` is a route and a model", mend)
    for alias, target in config.aliases.items():
        path: Path = ("aliases", alias)
        if alias in config.routes or alias in config.models:
            checks.warn(
                path, f"`{alias}` is already a route or a model, so the alias is never used", "Remove the alias"
            )
        if WILDCARD in target:
            checks.wrong(path, f"`{target}` is a pattern, which no request can ask for", "Name a route or a model")
        if target in config.aliases:
            end = _end_of(target, config)
            mend = f"Write `{end}` here" if end is not None else "They lead in a circle: name a route or a model"
            checks.wrong(path, f"`{target}` is itself an alias", mend)


def _end_of(alias: str, config: Config) -> str | None:
    """What a chain of aliases leads to; None where it leads to itself."""
    name = alias
    for _ in config.aliases:
        if name not in config.aliases:
            return name
        name = config.aliases[name]
    return name if name not in config.aliases else None


def _budgets(config: Config, checks: Checks) -> None:
    seen: dict[tuple[str, str], int] = {}
    for index, budget in enumerate(config.budgets):
        first = seen.setdefault((budget.scope, budget.window), index)
        if first != index:
            where = checks.places.where(("budgets", first))
            what = f"a second budget for {budget.scope} by {budget.window}; the first is at {where}"
            checks.wrong(("budgets", index), what, "Keep one of the two")


def _webhooks(config: Config, checks: Checks) -> None:
    seen: set[str] = set()
    for index, webhook in enumerate(config.alerts.webhooks):
        path: Path = ("alerts", "webhooks", index)
        if webhook.name in seen:
            checks.wrong((*path, "name"), f"a second webhook `{webhook.name}`", "Give each its own name")
        seen.add(webhook.name)
        if webhook.url == "none":
            checks.wrong((*path, "url"), "a webhook needs an address", "Write env:NAME or file:PATH")
        if webhook.secret in (None, "none") and webhook.format == "bascule":
            mend = "Add `secret: env:NAME`, or write `format: slack` where the address is the secret"
            checks.wrong(path, f"`{webhook.name}` has no secret, so that anybody could send what it gets", mend)


def _secrets(config: Config, checks: Checks) -> None:
    needed: Iterable[tuple[Path, str]] = [(("keys", name, "secret"), key.secret) for name, key in config.keys.items()]
    if config.admin is not None:
        needed = [*needed, (("admin", "secret"), config.admin.secret)]
    if config.privacy.content_key is not None:
        needed = [*needed, (("privacy", "content_key"), config.privacy.content_key)]
    previous = enumerate(config.privacy.previous_content_keys)
    needed = [*needed, *[(("privacy", "previous_content_keys", index), key) for index, key in previous]]
    for path, reference in needed:
        if reference == "none":
            checks.wrong(path, "this secret cannot be `none`", "Write env:NAME or file:PATH")


def _prices(path: Path, prices: Prices | None, checks: Checks) -> None:
    if prices is None:
        return
    listed = isinstance(prices, tuple)
    periods = prices if isinstance(prices, tuple) else (prices,)
    days: set[int | None] = set()
    for index, period in enumerate(periods):
        at: Path = (*path, index) if listed else path
        if period.from_ms in days:
            checks.wrong(at, "two prices begin on the same day", "Give each its own `from`")
        days.add(period.from_ms)
        _price(at, period, checks)


def _price(path: Path, price: Price, checks: Checks) -> None:
    if (*path, "input") not in checks.places:
        checks.wrong(path, "the price has no `input`", "Add it; 0 is for what is free")
    stated = [name for name in _RATE_NAMES if getattr(price, name) is not None]
    parts: list[Path] = [(*path, "tiers", index) for index in range(len(price.tiers))]
    parts += [(*path, "windows", index) for index in range(len(price.windows))]
    parts += [(*path, "variants", name) for name in price.variants]
    for at in parts:
        missing = [name for name in stated if (*at, name) not in checks.places]
        if missing:
            # Nothing is inherited: a rate that was forgotten in a dearer tier would be too low without a sign.
            checks.wrong(at, f"lacks {', '.join(missing)}, which the price itself has", "State every rate again")
    edges = [tier.above_input_tokens for tier in price.tiers]
    if edges != sorted(set(edges)):
        checks.wrong((*path, "tiers"), "the tiers are not in rising order", "Order them by above_input_tokens")
    for index, window in enumerate(price.windows):
        if window.from_s == window.to_s:
            checks.wrong((*path, "windows", index), "the window begins when it ends", "Give it a length")
