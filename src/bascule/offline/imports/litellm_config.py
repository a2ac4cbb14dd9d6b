"""LiteLLM's config.yaml as sections of a bascule.yaml. Pure.

Fields as of docs.litellm.ai/docs/proxy/config_settings. Several entries of one `model_name` are endpoints of one
model, and so are its fallbacks: endpoints are tried in their order, which is what a fallback is.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from bascule.config.urls import UrlError, check_base_url
from bascule.offline.imports.litellm_fragment import Fragment, reference, variable_of, window_of
from bascule.offline.imports.litellm_providers import COMPATIBLE, NO_PRESET, provider_and_model, root_url
from bascule.offline.imports.litellm_reasons import ELSEWHERE, MODEL_INFO_SILENT, PARAMS_SILENT, reason_of
from bascule.providers.registry import preset

SERVED_MODES = frozenset({"chat", "completion", "embedding", "responses"})
PRICES = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
}
_FLAGS = {"supports_function_calling": "tools", "supports_response_schema": "json_schema",
          "supports_reasoning": "reasoning"}  # fmt: skip
_PARAMS = {"model", "api_base", "base_url", "api_key", "api_version", "timeout", "stream_timeout", "organization",
           *PRICES}  # fmt: skip
_MODEL_INFO = {"mode", "max_tokens", "max_input_tokens", "max_output_tokens", "supports_vision", *PRICES, *_FLAGS}
MAX_TRIES = 20

Variables = Callable[[str], str | None]
"""The value of an environment variable that is no secret: an address."""


class Deployment(Struct, frozen=True):
    """An entry of `model_list` that could be taken."""

    name: str
    endpoint: dict[str, Any]


def fragment_of(config: dict[str, Any], variables: Variables) -> Fragment:
    """What of a config.yaml has a place in a bascule.yaml. Whatever it holds, it raises nothing."""
    return _Reading(config, variables).run()


class _Reading:
    def __init__(self, config: dict[str, Any], variables: Variables) -> None:
        self._config = config
        self._variables = variables
        self._made = Fragment()
        self._providers: dict[tuple[Any, ...], str] = {}
        self._literals: dict[str, str] = {}
        """Variables by the key that stood in the clear: the same key is the same variable."""

    def run(self) -> Fragment:
        made = self._made
        for name in ("providers", "models"):
            made.section(name)
        for place, entry in self._entries("model_list"):
            self._deployment(place, entry)
        settings = self._mapping("litellm_settings")
        router = self._mapping("router_settings")
        general = self._mapping("general_settings")
        self._fallbacks([("router_settings", router), ("litellm_settings", settings)])
        self._aliases(router.get("model_group_alias"), "router_settings.model_group_alias")
        self._aliases(settings.get("model_alias_map"), "litellm_settings.model_alias_map")
        self._retries(router, settings)
        self._timeouts(router, settings)
        self._budgets(settings)
        self._admin(general)
        for name, found in (("litellm_settings", settings), ("router_settings", router), ("general_settings", general)):
            for key in found:
                self._left(f"{name}.{key}")
        for key in self._config:
            if key not in ("model_list", "litellm_settings", "router_settings", "general_settings"):
                self._left(key)
        several = [name for name, model in made.section("models").items() if len(model["endpoints"]) > 1]
        if several:
            made.notes.append(
                f"Endpoints are tried in their order, the next where one fails, and not in turn: {', '.join(several)}."
            )
        return made

    def _left(self, place: str) -> None:
        if place not in ELSEWHERE:
            self._made.leave(place, reason_of(place))

    def _mapping(self, name: str) -> dict[str, Any]:
        found = self._config.get(name)
        if found is not None and not isinstance(found, dict):
            self._made.leave(name, "no mapping")
        return found if isinstance(found, dict) else {}

    def _entries(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        found = self._config.get(name)
        for index, entry in enumerate(found if isinstance(found, list) else []):
            if isinstance(entry, dict):
                yield f"{name}[{index}]", entry
            else:
                self._made.leave(f"{name}[{index}]", "no mapping")

    def _deployment(self, place: str, entry: dict[str, Any]) -> None:
        made = self._made
        name, params, info = entry.get("model_name"), entry.get("litellm_params"), entry.get("model_info") or {}
        if not isinstance(name, str) or not isinstance(params, dict) or not isinstance(params.get("model"), str):
            made.leave(place, "an entry needs model_name and litellm_params.model")
            return
        info = info if isinstance(info, dict) else {}
        mode = info.get("mode") or "chat"
        if mode not in SERVED_MODES:
            made.leave(place, f"mode {mode}: Bascule serves chat, responses, messages and embeddings")
            return
        provider = self._provider(f"{place}.litellm_params", params)
        if provider is None:
            return
        _, upstream = provider_and_model(params)
        if "*" in name or "*" in upstream:
            made.notes.append(f"Wildcard {name!r}: ask for {provider}/MODEL.")
            return
        model = made.section("models").setdefault(name, {"endpoints": []})
        endpoint: dict[str, Any] = {"provider": provider, "model": upstream}
        if (price := self._price(place, params, info)) is not None:
            endpoint["price"] = price
        model["endpoints"].append(endpoint)
        self._facts(model, info)
        for key in params:
            if key not in _PARAMS and key not in PARAMS_SILENT:
                made.leave(f"{place}.litellm_params.{key}", reason_of(f"litellm_params.{key}"))
        for key in info:
            if key not in _MODEL_INFO and key not in MODEL_INFO_SILENT:
                made.leave(f"{place}.model_info.{key}", reason_of(f"model_info.{key}"))
        for key in entry:
            if key not in ("model_name", "litellm_params", "model_info"):
                made.leave(f"{place}.{key}", reason_of(key))

    def _provider(self, place: str, params: dict[str, Any]) -> str | None:
        """The name of the entry under `providers`, made where there is none like it; None where there can be none."""
        known, _ = provider_and_model(params)
        if known in NO_PRESET:
            self._made.leave(f"{place}.model", NO_PRESET[known])
            return None
        base = params.get("api_base") or params.get("base_url")
        url = None
        if base is not None:
            url = self._url(place, known, base)
            if url is None:
                return None
        if known == COMPATIBLE and url is None:
            self._made.leave(f"{place}.model", "no provider that Bascule knows, and no api_base")
            return None
        entry = self._provider_entry(place, known, url, params)
        identity = tuple(sorted((name, str(value)) for name, value in entry.items()))
        if identity not in self._providers:
            self._providers[identity] = self._named(known, entry)
        return self._providers[identity]

    def _provider_entry(self, place: str, known: str, url: str | None, params: dict[str, Any]) -> dict[str, Any]:
        spec = None if known == COMPATIBLE else preset(known)
        entry: dict[str, Any] = {"preset": known} if spec is not None else {"dialect": "openai_chat"}
        if url is not None and (spec is None or url != spec.base_url):
            entry["base_url"] = url
        key = self._key(place, known, params)
        if key is not None or spec is None:
            entry["api_key"] = key or "none"
        if params.get("api_version") is not None:
            entry["api_version"] = str(params["api_version"])
        if isinstance(params.get("organization"), str) and reference(params["organization"]) is None:
            entry["headers"] = {"openai-organization": params["organization"]}
        timeouts = {ours: seconds for theirs, ours in (("timeout", "total_s"), ("stream_timeout", "first_byte_s"))
                    if (seconds := _seconds(params.get(theirs))) is not None}  # fmt: skip
        if timeouts:
            entry["timeouts"] = timeouts
        return entry

    def _named(self, known: str, entry: dict[str, Any]) -> str:
        providers = self._made.section("providers")
        stem = "local" if known == COMPATIBLE else known
        name, number = stem, 1
        while name in providers:
            number += 1
            name = f"{stem}-{number}"
        providers[name] = {key: value for key, value in entry.items() if (key, value) != ("preset", name)}
        return name

    def _key(self, place: str, known: str, params: dict[str, Any]) -> str | None:
        """A reference to the key: LiteLLM's own variable, or one for a key that stands there in the clear."""
        value = params.get("api_key")
        if value is None or value == "":
            return None
        variable = reference(value)
        if variable is not None:
            return f"env:{variable}"
        text = str(value)
        if text in self._literals:
            return f"env:{self._literals[text]}"
        spec = preset(known)
        stem = spec.key_envs[0] if spec is not None and spec.key_envs else variable_of(known, "API_KEY")
        taken = {*self._literals.values(), *self._referred()}
        variable, number = stem, 1
        while variable in taken:
            number += 1
            variable = f"{stem}_{number}"
        self._literals[text] = variable
        return self._made.needs(variable, f"the key that stands in the clear under {place}.api_key")

    def _referred(self) -> set[str]:
        """Variables that entries name themselves."""
        found = set()
        for entry in self._config.get("model_list") or []:
            params = entry.get("litellm_params") if isinstance(entry, dict) else None
            if isinstance(params, dict) and (name := reference(params.get("api_key"))) is not None:
                found.add(name)
        return found

    def _url(self, place: str, known: str, base: Any) -> str | None:
        variable = reference(base)
        value = base if variable is None else self._variables(variable)
        if not isinstance(value, str) or not value:
            self._made.leave(
                f"{place}.api_base", f"the address is in {variable or 'no text'}, which is not set here; set it, "
                "and import again"
            )  # fmt: skip
            return None
        url = root_url(known, value)
        try:
            check_base_url(url)
        except UrlError as error:
            self._made.leave(f"{place}.api_base", str(error))
            return None
        return url

    def _price(self, place: str, params: dict[str, Any], info: dict[str, Any]) -> dict[str, Any] | None:
        price: dict[str, Any] = {}
        for theirs, ours in PRICES.items():
            value = params.get(theirs, info.get(theirs))
            if value is None:
                continue
            text = per_million(value)
            if text is None:
                self._made.leave(f"{place}.{theirs}", "no price in dollars per token, or finer than a pico-dollar")
                return None
            price[ours] = text
        return price or None

    def _facts(self, model: dict[str, Any], info: dict[str, Any]) -> None:
        for theirs, ours in (("max_input_tokens", "context_window"), ("max_output_tokens", "max_output")):
            value = info.get(theirs)
            if isinstance(value, int) and value > 0:
                model.setdefault(ours, value)
        for theirs, ours in _FLAGS.items():
            if isinstance(info.get(theirs), bool):
                model.setdefault(ours, info[theirs])
        if info.get("supports_vision") is True:
            model.setdefault("input", ["text", "image"])

    def _fallbacks(self, sections: list[tuple[str, dict[str, Any]]]) -> None:
        models = self._made.section("models")
        own = {name: list(model["endpoints"]) for name, model in models.items()}
        for section, settings in sections:
            for name in ("fallbacks", "default_fallbacks"):
                for source, targets in _pairs(settings.get(name)):
                    for wanted in list(own) if source == "*" else [source]:
                        self._fall_back(f"{section}.{name}", wanted, targets, own)

    def _fall_back(self, place: str, source: str, targets: list[Any], own: dict[str, list[Any]]) -> None:
        if source not in own:
            self._made.leave(place, f"{source} is no model that was taken")
            return
        endpoints = self._made.section("models")[source]["endpoints"]
        for target in targets:
            if not isinstance(target, str) or target not in own:
                self._made.leave(place, f"{source} falls back to {target}, which is no model that was taken")
                continue
            endpoints += [endpoint for endpoint in own[target] if endpoint not in endpoints]

    def _aliases(self, found: Any, place: str) -> None:
        models = self._made.section("models")
        for alias, target in found.items() if isinstance(found, dict) else ():
            name = target.get("model") if isinstance(target, dict) else target
            if alias in models:
                self._made.leave(f"{place}.{alias}", "a model has that name, which wins")
            elif isinstance(name, str) and name in models:
                self._made.section("aliases")[str(alias)] = name
            else:
                self._made.leave(f"{place}.{alias}", f"{name} is no model that was taken")

    def _retries(self, *sections: dict[str, Any]) -> None:
        for settings in sections:
            tries = settings.get("num_retries")
            if isinstance(tries, int) and not isinstance(tries, bool) and tries >= 0:
                self._made.sections["retry"] = {"max_attempts": min(tries + 1, MAX_TRIES)}
                return

    def _timeouts(self, router: dict[str, Any], settings: dict[str, Any]) -> None:
        seconds = _seconds(router.get("timeout")) or _seconds(settings.get("request_timeout"))
        if seconds is None:
            return
        for provider in self._made.section("providers").values():
            timeouts = provider.setdefault("timeouts", {})
            timeouts.setdefault("total_s", seconds)

    def _budgets(self, settings: dict[str, Any]) -> None:
        if settings.get("max_budget") is not None:
            self._made.leave(
                "litellm_settings.max_budget",
                "there is no budget over everything; give your keys an org, and cap org:NAME",
            )
        users = settings.get("max_internal_user_budget")
        if users is not None:
            self.cap("litellm_settings.max_internal_user_budget", "user:*", users,
                     settings.get("internal_user_budget_duration"))  # fmt: skip
        end_users = settings.get("max_end_user_budget")
        if end_users is not None:
            self.cap("litellm_settings.max_end_user_budget", "user:*", end_users, None)

    def cap(self, place: str, scope: str, amount: Any, duration: Any) -> None:
        limit, window = dollars_text(amount), window_of(duration)
        if limit is None:
            self._made.leave(place, "no amount of dollars")
        elif window is None:
            self._made.leave(place, f"{duration}: windows are hour, day, week, month and total")
        else:
            self._made.budgets().append({"scope": scope, "limit_usd": limit, "window": window})

    def _admin(self, general: dict[str, Any]) -> None:
        key = general.get("master_key")
        if key is None:
            return
        variable = reference(key)
        secret = (
            f"env:{variable}"
            if variable is not None
            else self._made.needs("BASCULE_ADMIN", "a new secret; LiteLLM's stands in the clear under master_key")
        )
        self._made.sections["admin"] = {"secret": secret}


def per_million(value: Any) -> Decimal | None:
    """Dollars per token as dollars per million; None where it is no price, or finer than a pico-dollar per token."""
    try:
        price = Decimal(str(value)) * 1_000_000
    except InvalidOperation:
        return None
    if isinstance(value, bool) or not price.is_finite() or price < 0 or price * 1_000_000 % 1:
        return None
    return plain(price)


def dollars_text(value: Any) -> Decimal | None:
    """An amount that may stand in the file."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    if isinstance(value, bool) or not amount.is_finite() or not 0 <= amount < 10**15:
        return None
    return plain(amount.quantize(Decimal("0.000000001")))


def plain(amount: Decimal) -> Decimal:
    """Without zeros at its end, and without an exponent."""
    amount = amount.normalize()
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 < seconds <= 86_400 else None


def _pairs(found: Any) -> Iterator[tuple[str, list[Any]]]:
    """`[{a: [b, c]}]`, and `[b]` for every model."""
    for entry in found if isinstance(found, list) else []:
        if isinstance(entry, dict):
            for source, targets in entry.items():
                yield str(source), targets if isinstance(targets, list) else [targets]
        elif isinstance(entry, str):
            yield "*", [entry]
