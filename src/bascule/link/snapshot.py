"""A linked configuration. Immutable; a reload makes a new one, and requests in flight keep theirs."""

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct

from bascule.config.rules import CompiledRules, Verdict
from bascule.config.secret import Secret
from bascule.config.shape import Config
from bascule.config.suggest import nearest
from bascule.decide.aliases import Aliases
from bascule.link.alerts import LinkedWebhook
from bascule.link.endpoint import Book, bare_endpoint, book_entry, named_model
from bascule.link.provider import LinkedProvider
from bascule.model.catalog import Endpoint, Model
from bascule.model.errors import Problem
from bascule.model.money import PriceTimeline
from bascule.model.policy import Budget, KeyPolicy, RoutePolicy, Rule
from bascule.prices.book import BookEntry

_Key = TypeVar("_Key")
MAX_REMEMBERED = 2_048
"""Models made on demand that are kept; names come from clients, so there must be an end."""

MAX_NAME_CHARS = 512
"""Of a model that only a client has named."""

MAX_GUESSED_CHARS = 100
"""Of a name that stands for nothing: looking for the nearest takes time."""


class ConfiguredKey(Struct, frozen=True):
    """A virtual key of the configuration file."""

    policy: KeyPolicy
    secret: Secret


class Snapshot:
    """Implements `model.registry.Registry`. Catalog models are looked up when first asked for, not at start."""

    def __init__(
        self,
        *,
        config: Config,
        policy_version: str,
        providers: Mapping[str, LinkedProvider],
        models: Mapping[str, Model],
        price_only: Mapping[str, PriceTimeline],
        routes: Mapping[str, RoutePolicy],
        keys: tuple[ConfiguredKey, ...],
        admin_secret: Secret | None,
        content_keys: tuple[Secret, ...],
        webhooks: tuple[LinkedWebhook, ...],
        telemetry_headers: Mapping[str, Secret],
        budgets: tuple[Budget, ...],
        book: Book,
    ) -> None:
        self.config = config
        self.policy_version = policy_version
        self.price_version = book.version
        self.providers = providers
        self.own_servers = tuple([name for name, linked in providers.items() if linked.is_own_server])
        self.models = models
        """The configured ones that can be asked for, by name."""
        self.price_only = price_only
        """Of configured models without endpoints, by name: for imports."""
        self.routes = routes
        self.aliases: Mapping[str, str] = config.aliases
        """As they were written, patterns included."""
        self._aliases = Aliases.of(config.aliases)
        self.keys = keys
        self.admin_secret = admin_secret
        self.content_keys = content_keys
        """What recordings are sealed under: the first; the others still open them."""
        self.webhooks = webhooks
        self.telemetry_headers = telemetry_headers
        self.budgets = budgets
        self.baseline_model: Model | None = None
        """What savings are measured against; set by `link` once names can be resolved."""
        self.warnings: tuple[Problem, ...] = ()
        self.read: tuple[Secret, ...] = ()
        """Whatever was read from the environment and from files as secrets; set by who linked it."""
        self._book = book
        self._rules = {name: CompiledRules(route.rules) for name, route in routes.items()}
        self._direct: dict[tuple[str, str], Model] = {}
        self._catalog: dict[str, Model] = {}
        self._catalog_names: tuple[str, ...] | None = None

    def route(self, name: str) -> RoutePolicy | None:
        return self.routes.get(name)

    def alias(self, name: str) -> str | None:
        return self._aliases.target(name)

    def model(self, name: str) -> Model | None:
        return self.models.get(name)

    def is_price_only(self, name: str) -> bool:
        return name in self.price_only

    def direct(self, provider: str, upstream_model: str) -> Model | None:
        """One endpoint at a configured provider, whatever the model is called there; its price may be unknown."""
        key = (provider, upstream_model)
        known = self._direct.get(key)
        if known is not None:
            return known
        linked = self.providers.get(provider)
        if linked is None or not upstream_model.isprintable() or not 0 < len(upstream_model) <= MAX_NAME_CHARS:
            return None
        entry = book_entry(linked, upstream_model, self._book)
        endpoint = bare_endpoint(linked, upstream_model, entry)
        return _remember(self._direct, key, named_model(endpoint.id, (endpoint,), entry))

    def catalog_model(self, name: str) -> Model | None:
        """A model that the price book lists for configured providers: one endpoint for each, in the file's order."""
        known = self._catalog.get(name)
        if known is not None:
            return known
        # What the operator wrote wins: at the book's price a request would not cost what the file says.
        if len(name) > MAX_NAME_CHARS or name in self.price_only:
            return None
        endpoints: list[Endpoint] = []
        first: BookEntry | None = None
        for linked in self.providers.values():
            if linked.spec.by_deployment:
                continue
            entry = book_entry(linked, name, self._book)
            if entry is not None:
                endpoints.append(bare_endpoint(linked, name, entry))
                first = first or entry
        if not endpoints:
            return None
        return _remember(self._catalog, name, named_model(name, tuple(endpoints), first))

    def judge_rules(self, route: RoutePolicy, facts: Mapping[str, Any]) -> Verdict:
        """The first rule that is true of `facts`, and the rules that could not be evaluated on them."""
        rules = self._rules.get(route.name)
        return (rules or CompiledRules(route.rules)).judge(facts)

    def nearest(self, name: str) -> str | None:
        """What a mistyped name was probably meant to be; patterns of aliases are no names."""
        if len(name) > MAX_GUESSED_CHARS:
            return None
        aliases = [alias for alias in self.aliases if "*" not in alias]
        return nearest(name, [*self.catalog_names(), *aliases, *self.models, *self.routes])

    def first_rule(self, route: RoutePolicy, facts: Mapping[str, Any]) -> Rule | None:
        return self.judge_rules(route, facts).rule

    def names(self) -> tuple[str, ...]:
        """What clients may ask for by a name of the configuration: routes, models, aliases that are no patterns."""
        return tuple(dict.fromkeys([*self.routes, *self.models, *self._aliases.exact]))

    def catalog_names(self) -> tuple[str, ...]:
        """Catalog models of the configured providers that are not deprecated, in the file's order."""
        if self._catalog_names is None:
            found: dict[str, None] = {}
            for linked in self.providers.values():
                if linked.spec.by_deployment or linked.spec.price_provider is None:
                    continue
                entries = self._book.models_of(linked.spec.price_provider)
                found.update({entry.id: None for entry in entries if not entry.facts.deprecated})
            self._catalog_names = tuple([name for name in found if name not in self.price_only])
        return self._catalog_names


def _remember(memory: dict[_Key, Model], key: _Key, model: Model) -> Model:
    if len(memory) >= MAX_REMEMBERED:
        memory.clear()
    memory[key] = model
    return model
