"""Whether the names in a configuration lead somewhere."""

from importlib.metadata import entry_points
from shutil import which

from bascule.config.check import Checks
from bascule.config.load import Document
from bascule.config.places import Path
from bascule.config.shape import DataConstraint, Route
from bascule.config.suggest import nearest, remedy
from bascule.decide.resolve import aliased, resolve
from bascule.link.endpoint import Book
from bascule.link.snapshot import Snapshot
from bascule.link.strategies import strategy_of
from bascule.link.strategy_models import answering_of, helpers_of
from bascule.model.catalog import Model
from bascule.model.errors import Refusal
from bascule.model.imported import AGENTS
from bascule.model.strategy import COMMAND_PATH, VERIFIERS, Cascade
from bascule.providers.registry import Presets


def _preset_of(name: str, document: Document) -> str:
    provider = document.config.providers.get(name)
    return name if provider is None or provider.preset is None else provider.preset


class References:
    """Names that the file has, even where what they stand for could not be read: one mistake is reported once."""

    def __init__(self, document: Document, snapshot: Snapshot, presets: Presets, book: Book, checks: Checks) -> None:
        self.book = book
        self.unlinked = tuple(
            [
                spec.price_provider
                for name in document.places.names("providers")
                if name not in snapshot.providers
                and (spec := presets.get(_preset_of(name, document))) is not None
                and spec.price_provider is not None
            ]
        )
        """Price lists of providers that have a mistake of their own; what they sell is not unknown for that."""
        self.config = document.config
        self.places = document.places
        self.snapshot = snapshot
        self.checks = checks

    def has(self, section: str, name: str) -> bool:
        return (section, name) in self.places or name in getattr(self.config, section)

    def leads_somewhere(self, name: str) -> bool:
        provider, slash, _ = name.partition("/")
        if self.snapshot.is_price_only(name):
            return False
        if self.has("models", name) or self.has("routes", name) or (slash and self.has("providers", provider)):
            return True
        if not isinstance(resolve(name, self.snapshot), Refusal):
            return True
        return any(self.book.entry(sold_by, name) is not None for sold_by in self.unlinked)

    def alias_leads_somewhere(self, target: str) -> bool:
        """A target that only another alias, or a pattern, would find is none: aliases are followed once."""
        if self.snapshot.alias(target) is None or self.has("models", target) or self.has("routes", target):
            return self.leads_somewhere(target)
        return aliased(target, self.snapshot) is not None

    def check(self) -> Model | None:
        """Note every name that leads nowhere; the baseline's model."""
        for name, route in self.config.routes.items():
            self.candidates(("routes", name, "candidates"), route.candidates)
            for index, rule in enumerate(route.rules):
                self.candidates(("routes", name, "rules", index, "candidates"), rule.candidates or ())
            self.data(("routes", name), route.data)
            self.strategy(name, route)
            self.judge_of_evidence(name, route)
        for alias, target in self.config.aliases.items():
            if target not in self.config.aliases and not self.alias_leads_somewhere(target):
                self.unknown_model(("aliases", alias), target)
        self.keys()
        self.runaway()
        self.contracts()
        return self.baseline()

    def data(self, path: Path, data: DataConstraint) -> None:
        self.providers((*path, "data", "providers", "allow"), data.providers.allow)
        self.providers((*path, "data", "providers", "deny"), data.providers.deny)

    def candidates(self, path: Path, names: tuple[str, ...]) -> None:
        for index, name in enumerate(names):
            self.candidates_at((*path, index), name)

    def candidates_at(self, path: Path, name: str) -> None:
        if self.has("routes", name):
            mend = "Name models: a route cannot lead to another, and its name wins over a model's"
            self.checks.wrong(path, f"the candidate `{name}` is a route", mend)
        elif not self.leads_somewhere(name):
            self.unknown_model(path, name)

    def strategy(self, name: str, route: Route) -> None:
        """Models that a strategy names: there, of the candidates where they answer, and able to do their part."""
        policy = strategy_of(route)
        if policy is None:
            return
        place: Path = ("routes", name, "strategy")
        helping = helpers_of(policy)
        for where, model in answering_of(policy):
            if model not in route.candidates and (*place, *where) in self.places:
                mend = remedy(model, route.candidates, "candidate")
                self.checks.wrong((*place, *where), f"`{model}` is no candidate of the route", mend)
        for where, model, need in helping:
            self.candidates_at((*place, *where), model)
            found = resolve(model, self.snapshot)
            if isinstance(found, Refusal) or found.model is None:
                continue
            if need == "json_schema" and found.model.json_schema is False:
                mend = "Name a model that can answer in a JSON schema"
                self.checks.wrong((*place, *where), f"`{model}` cannot answer in a schema, as a judge must", mend)
            if need == "tools" and found.model.tools is False:
                mend = "Name a model that can call tools"
                self.checks.wrong((*place, *where), f"`{model}` calls no tools, so it cannot delegate", mend)

        command = policy.accept.command if isinstance(policy, Cascade) else None
        if command is not None and which(command.run[0], path=COMMAND_PATH) is None:
            what = f"there is no program `{command.run[0]}`"
            mend = "Write its whole path, or one that is found in /usr/local/bin, /usr/bin or /bin"
            self.checks.wrong((*place, "cascade", "accept", "command", "run"), what, mend)
        verifier = policy.accept.verifier if isinstance(policy, Cascade) else None
        if verifier is not None and not entry_points(group=VERIFIERS, name=verifier.name):
            what = f"no installed package brings a verifier `{verifier.name}`"
            mend = f"Install it; it is found by its entry point in the group `{VERIFIERS}`"
            self.checks.wrong((*place, "cascade", "accept", "verifier", "name"), what, mend)
        if isinstance(policy, Cascade) and policy.accept.logprob is not None:
            for index, model in enumerate(policy.order[:-1]):
                found = resolve(model, self.snapshot)
                if isinstance(found, Refusal) or found.model is None:
                    continue
                if not any("openai_chat" in (one.dialect, *one.also) for one in found.model.endpoints):
                    at = (*place, "cascade", "order", index)
                    where = at if at in self.places else (*place, "cascade", "accept", "logprob")
                    mend = "Use another test, or models that speak OpenAI's Chat Completions"
                    self.checks.wrong(where, f"no provider of `{model}` tells the probabilities of its tokens", mend)

    def judge_of_evidence(self, name: str, route: Route) -> None:
        judge = None if route.evidence is None else route.evidence.judge
        if judge is None:
            return
        path: Path = ("routes", name, "evidence", "judge", "model")
        self.candidates_at(path, judge.model)
        found = resolve(judge.model, self.snapshot)
        if not isinstance(found, Refusal) and found.model is not None and found.model.json_schema is False:
            mend = "Name a model that can answer in a JSON schema"
            self.checks.wrong(path, f"`{judge.model}` cannot answer in a schema, as a judge must", mend)

    def unknown_model(self, path: Path, name: str) -> None:
        if self.snapshot.is_price_only(name):
            mend = "Add `endpoints` under its name, or leave it out here"
            self.checks.wrong(path, f"`{name}` has a price and no `endpoints`, so nobody serves it", mend)
            return
        # Only names that would do here: aliases may be what is being mended, and nothing may lead to two routes.
        near = nearest(name, [*self.snapshot.models, *self.snapshot.catalog_names()])
        known = "" if near is None else f"Did you mean `{near}`? "
        mend = f"{known}Add it under `models`, or write provider/upstream-model"
        self.checks.wrong(path, f"there is no model `{name}`", mend)

    def providers(self, path: Path, names: tuple[str, ...]) -> None:
        for index, name in enumerate(names):
            if not self.has("providers", name):
                mend = remedy(name, self.config.providers, "provider")
                self.checks.warn((*path, index), f"no provider is called `{name}`", mend)

    def keys(self) -> None:
        for name, key in self.config.keys.items():
            self.data(("keys", name), key.data)
            for index, model in enumerate(key.models):
                if not self.leads_somewhere(model):
                    mend = remedy(model, self.snapshot.names(), "model")
                    self.checks.warn(("keys", name, "models", index), f"there is no model `{model}` to grant", mend)
        for index, budget in enumerate(self.config.budgets):
            kind, _, name = budget.scope.partition(":")
            if kind == "key" and name != "*" and not self.has("keys", name):
                mend = "It counts once a key of this name is created; " + remedy(name, self.config.keys, "key")
                self.checks.warn(("budgets", index, "scope"), f"no key of this file is called `{name}`", mend)

    def runaway(self) -> None:
        """Keys may be made by command; routes are of this file alone."""
        self.candidates(("runaway", "degrade_to"), self.config.runaway.degrade_to)
        for name in self.config.runaway.routes:
            if not self.has("routes", name):
                mend = remedy(name, self.config.routes, "route")
                self.checks.wrong(("runaway", "routes", name), f"there is no route `{name}`", mend)

    def contracts(self) -> None:
        """Contracts may be with those who sold imported rows, whom no request is sent to."""
        for index, contract in enumerate(self.config.contracts):
            provider = contract.provider
            if next(iter(self.book.models_of(provider)), None) is None:
                self.providers(("contracts", index, "provider"), (provider,))
            for place, name in enumerate(contract.covers):
                if name in AGENTS or name in self.config.models:
                    continue  # also one that only imports name
                if self.leads_somewhere(name) or self.sold(provider, name):
                    continue
                near = nearest(name, [*AGENTS, *self.config.models, *self.snapshot.catalog_names()])
                mend = f"Did you mean `{near}`?" if near is not None else f"Clients are {', '.join(AGENTS)}"
                what = f"`{name}` is neither a client whose logs are imported nor a model"
                self.checks.wrong(("contracts", index, "covers", place), what, mend)

    def sold(self, provider: str, model: str) -> bool:
        """Whether the price list of a provider of this name has the model."""
        linked = self.snapshot.providers.get(provider)
        listed = provider if linked is None else linked.spec.price_provider
        return listed is not None and self.book.entry(listed, model) is not None

    def baseline(self) -> Model | None:
        """The model that savings are measured against."""
        if self.config.baseline is None:
            return None
        name = self.config.baseline.model
        path: Path = ("baseline", "model")
        found = resolve(name, self.snapshot)
        if isinstance(found, Refusal):
            if not self.leads_somewhere(name):
                self.unknown_model(path, name)
            return None
        if found.model is None:
            self.checks.wrong(path, f"the baseline `{name}` is a route", "Name one model: its prices are the measure")
            return None
        if all(endpoint.prices is None for endpoint in found.model.endpoints):
            self.checks.warn(
                path, f"no price of the baseline `{name}` is known", "Give it a `price`; no saving can be told"
            )
        return found.model
