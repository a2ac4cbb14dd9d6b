"""What decisions may ask of a linked configuration. `link.Snapshot` implements it; tests use a dict."""

from collections.abc import Mapping
from typing import Any, Protocol

from bascule.model.catalog import Model
from bascule.model.policy import RoutePolicy, Rule


class Registry(Protocol):
    """Names and what they mean, fixed for the life of a request."""

    @property
    def policy_version(self) -> str: ...

    @property
    def price_version(self) -> str: ...

    @property
    def own_servers(self) -> tuple[str, ...]:
        """Configured providers that are servers of the operator's own: nothing but them says what models they have."""
        ...

    def route(self, name: str) -> RoutePolicy | None:
        """The route of exactly this name."""
        ...

    def alias(self, name: str) -> str | None: ...

    def model(self, name: str) -> Model | None:
        """The configured model of exactly this name."""
        ...

    def is_price_only(self, name: str) -> bool:
        """Whether the configuration has a price of this model and nobody to ask for it: it is there for imports."""
        ...

    def direct(self, provider: str, upstream_model: str) -> Model | None:
        """A model made of one endpoint, where `provider` is configured; its prices may be unknown."""
        ...

    def catalog_model(self, name: str) -> Model | None:
        """A shipped catalog model that at least one configured provider serves."""
        ...

    def nearest(self, name: str) -> str | None:
        """The name that can be asked for which `name` was probably meant to be."""
        ...

    def first_rule(self, route: RoutePolicy, facts: Mapping[str, Any]) -> Rule | None:
        """The first of the route's CEL rules that is true of `facts` (see `decide.rules.RuleFacts`)."""
        ...
