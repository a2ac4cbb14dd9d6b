"""Linking: document, presets, price book and secrets become a snapshot, or everything that is wrong with them."""

from hashlib import sha256
from importlib.util import find_spec

import msgspec
from msgspec.structs import replace

from bascule.config.check import Checks
from bascule.config.load import Document
from bascule.config.places import Path
from bascule.config.secret import Secret
from bascule.config.shape import Config, Protect
from bascule.config.sources import SecretMissing, SecretSource
from bascule.config.suggest import remedy
from bascule.config.urls import is_loopback
from bascule.link.alerts import link_webhooks
from bascule.link.endpoint import Book, book_entry, configured_endpoint, configured_model
from bascule.link.policy import budget_policy, key_policy, route_policy
from bascule.link.price import timeline
from bascule.link.provider import LinkedProvider, link_provider
from bascule.link.references import References
from bascule.link.snapshot import ConfiguredKey, Snapshot
from bascule.model.catalog import Model
from bascule.model.errors import ConfigError
from bascule.model.money import PriceTimeline
from bascule.providers.registry import Presets

SHORT_SECRET_BYTES = 16
LEAST_CONTENT_KEY_BYTES = 32


def link(
    document: Document,
    book: Book,
    secrets: SecretSource,
    presets: Presets | None = None,
    *,
    stored_keys: bool = False,
    providers_needed: bool = True,
    webhooks_needed: bool = True,
) -> Snapshot:
    """One snapshot of everything a request needs to know.

    `stored_keys` says that the database holds virtual keys: then an address that others can reach is allowed without
    keys in the file. Without `providers_needed` nothing is to be sent, and there may be none; without
    `webhooks_needed` nobody is to be told of anything, and their addresses are not read. Raises ConfigError with every
    problem of the document and of linking, each with its place and remedy. `snapshot.warnings` has what works but is
    probably not meant.
    """
    config = document.config
    checks = Checks(document.places)
    presets = presets or Presets()
    providers = _providers(document, presets, secrets, checks, needed=providers_needed)
    keys, admin_secret = _keys(config, secrets, checks)
    telemetry_headers = _telemetry(config, secrets, checks)
    _exposure(config, stored_keys, checks)
    _protection(config, checks)
    routes = {name: route_policy(name, route, config) for name, route in config.routes.items()}
    if document.problems:
        # A rule may be what is wrong, so none is compiled; nothing but names is asked of this snapshot.
        routes = {name: replace(route, rules=()) for name, route in routes.items()}
    snapshot = Snapshot(
        config=config,
        policy_version=policy_version(config),
        providers=providers,
        models=_models(document, providers, book, checks),
        price_only=_price_only(document),
        routes=routes,
        keys=keys,
        admin_secret=admin_secret,
        content_keys=_content_keys(config, secrets, checks),
        webhooks=link_webhooks(config.alerts, secrets, checks) if webhooks_needed else (),
        telemetry_headers=telemetry_headers,
        budgets=tuple([budget_policy(budget) for budget in config.budgets]),
        book=book,
    )
    snapshot.baseline_model = References(document, snapshot, presets, book, checks).check()
    problems = (*document.problems, *checks.problems)
    if problems:
        raise ConfigError(tuple(sorted(dict.fromkeys(problems), key=lambda problem: _line(problem.where))))
    snapshot.warnings = (*presets.warnings, *document.warnings, *checks.warnings)
    return snapshot


def policy_version(config: Config) -> str:
    """A short hash of the configuration as it was understood; it holds references to secrets, never secrets."""
    return sha256(msgspec.json.encode(config, order="deterministic")).hexdigest()[:12]


def with_server(
    document: Document, *, host: str | None = None, port: int | None = None, workers: int | None = None
) -> Document:
    """The document with what the command line says about the server."""
    server = document.config.server
    changed = replace(
        server,
        host=server.host if host is None else host,
        port=server.port if port is None else port,
        workers=server.workers if workers is None else workers,
    )
    return replace(document, config=replace(document.config, server=changed))


def _providers(
    document: Document, presets: Presets, secrets: SecretSource, checks: Checks, *, needed: bool
) -> dict[str, LinkedProvider]:
    linked: dict[str, LinkedProvider] = {}
    for name, config in document.config.providers.items():
        provider = link_provider(name, config, presets, secrets, checks, document.config.request.image_urls)
        if provider is not None:
            linked[name] = provider
    # Where an entry could not be read, that has been said already.
    if needed and not document.config.providers and not document.problems:
        mend = "Set a key such as OPENAI_API_KEY, or add one under `providers`, e.g. `openai: {}`"
        checks.wrong((), "no provider is configured", mend)
    return linked


def _models(document: Document, providers: dict[str, LinkedProvider], book: Book, checks: Checks) -> dict[str, Model]:
    models: dict[str, Model] = {}
    price_only = _price_only(document)
    for name, config in document.config.models.items():
        if name in price_only:
            continue
        endpoints = []
        first = None
        for index, endpoint in enumerate(config.endpoints):
            provider = providers.get(endpoint.provider)
            if provider is None:
                if ("providers", endpoint.provider) not in document.places:
                    mend = remedy(endpoint.provider, document.config.providers, "provider")
                    path: Path = ("models", name, "endpoints", index, "provider")
                    checks.wrong(path, f"there is no provider `{endpoint.provider}`", mend)
                continue
            entry = book_entry(provider, endpoint.model, book)
            first = first or entry
            endpoints.append(configured_endpoint(endpoint, config, provider, entry))
        stated = ("models", name, "input") in document.places
        models[name] = configured_model(name, config, tuple(endpoints), stated, first)
    return models


def _price_only(document: Document) -> dict[str, PriceTimeline]:
    """Prices of models without endpoints; endpoints that could not be read are no missing ones."""
    return {
        name: timeline(model.price, "anthropic_messages" if "claude" in name.lower() else "openai_chat")
        for name, model in document.config.models.items()
        if model.price is not None and ("models", name, "endpoints") not in document.places
    }


def _keys(config: Config, secrets: SecretSource, checks: Checks) -> tuple[tuple[ConfiguredKey, ...], Secret | None]:
    keys: list[ConfiguredKey] = []
    seen: dict[Secret, str] = {}
    for name, key in config.keys.items():
        secret = _read(key.secret, ("keys", name, "secret"), f"the key `{name}`", seen, secrets, checks)
        if secret is not None:
            keys.append(ConfiguredKey(key_policy(name, key), secret))
    if config.admin is None:
        return tuple(keys), None
    return tuple(keys), _read(config.admin.secret, ("admin", "secret"), "`admin`", seen, secrets, checks)


def _content_keys(config: Config, secrets: SecretSource, checks: Checks) -> tuple[Secret, ...]:
    privacy = config.privacy
    references: list[tuple[Path, str]] = []
    if privacy.content_key is not None:
        references.append((("privacy", "content_key"), privacy.content_key))
    references += [
        (("privacy", "previous_content_keys", i), key) for i, key in enumerate(privacy.previous_content_keys)
    ]
    found: list[Secret] = []
    seen: dict[Secret, str] = {}
    for path, reference in references:
        secret = _read(reference, path, "recordings", seen, secrets, checks)
        if secret is not None and len(secret.reveal()) < LEAST_CONTENT_KEY_BYTES:
            what = f"this key for recordings has fewer than {LEAST_CONTENT_KEY_BYTES} characters"
            checks.wrong(path, what, "Make one with `openssl rand -hex 32`")
        elif secret is not None:
            found.append(secret)
    return tuple(found)


def _read(
    reference: str, path: Path, owner: str, seen: dict[Secret, str], secrets: SecretSource, checks: Checks
) -> Secret | None:
    try:
        secret = secrets.read(reference)
    except SecretMissing as error:
        checks.wrong(path, error.what, error.remedy)
        return None
    if secret is None:
        return None  # `none`, which check has reported
    if secret in seen:
        checks.wrong(path, f"{owner} has the same secret as {seen[secret]}", "Give each its own")
    seen[secret] = owner
    if len(secret.reveal()) < SHORT_SECRET_BYTES:
        mend = "Use 32 random characters, e.g. from `openssl rand -hex 16`"
        checks.warn(path, f"the secret of {owner} is short enough to be guessed", mend)
    return secret


def _telemetry(config: Config, secrets: SecretSource, checks: Checks) -> dict[str, Secret]:
    """The headers for the collector, by name."""
    found: dict[str, Secret] = {}
    otlp = config.telemetry.otlp
    for name, reference in () if otlp is None else otlp.headers.items():
        try:
            secret = secrets.read(reference)
        except SecretMissing as error:
            checks.wrong(("telemetry", "otlp", "headers", name), error.what, error.remedy)
            continue
        if secret is not None:
            found[name] = secret
    return found


def _exposure(config: Config, stored_keys: bool, checks: Checks) -> None:
    if not config.keys and not stored_keys and not is_loopback(config.server.host):
        what = f"`{config.server.host}` can be reached from outside, and no keys are configured"
        mend = "Add a key under `keys`, create one with `bascule keys create`, or use host 127.0.0.1"
        checks.wrong(("server", "host"), what, mend)


def _protection(config: Config, checks: Checks) -> None:
    """What is to be looked for must be found: without its package nothing would be."""
    if find_spec("stdnum") is not None:
        return
    asked: list[Path] = [("keys", name, "protect") for name, key in config.keys.items() if key.protect != Protect()]
    asked += [("routes", name, "protect") for name, route in config.routes.items() if route.protect != Protect()]
    for path in asked:
        what = "searching requests takes the package python-stdnum"
        checks.wrong(path, what, "Install it with: pip install 'bascule[protection]'")


def _line(where: str) -> tuple[int, int]:
    parts = where.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
        return int(parts[1]), int(parts[2])
    return 0, 0
