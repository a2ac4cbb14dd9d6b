"""A configured provider: its preset or dialect, with what the configuration changes."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from bascule.config.check import Checks
from bascule.config.places import Path
from bascule.config.secret import Secret
from bascule.config.shape import Data, Prices, Provider, Timeouts
from bascule.config.sources import SecretMissing, SecretSource
from bascule.config.suggest import remedy
from bascule.config.urls import host_of, is_loopback, split_base_url
from bascule.decide.addresses import is_inside_host
from bascule.link.signing import filled, link_signing
from bascule.model.catalog import DataFacts, FetchPolicy, HardwareFacts
from bascule.providers.registry import Presets
from bascule.providers.request import auth_headers, request_target, with_default_headers
from bascule.providers.signing import SigV4
from bascule.providers.spec import OPENAI_PATHS, RESPONSES_PATHS, Disconnect, ProviderSpec, Surface, compatible

Header = tuple[bytes, bytes]


class LinkedProvider(Struct, frozen=True, kw_only=True):
    """A provider that requests can be sent to."""

    name: str
    spec: ProviderSpec
    """With the configuration's changes applied."""
    origin: str
    """`https://host[:port]`"""
    base_path: str
    secret: Secret | None
    """The first of its keys."""
    more_secrets: tuple[Secret, ...] = ()
    """The others, where it has several."""
    signing: SigV4 | None
    """How its requests are signed, where no key is sent."""
    timeouts: Timeouts
    disconnect: Disconnect
    headers: tuple[Header, ...]
    """The configuration's own, sent with each request."""
    data: DataFacts
    hardware: HardwareFacts
    price: Prices | None
    """For models without a price of their own."""
    fetching: FetchPolicy = "pass"
    """What requests may name by address for it to fetch."""

    @property
    def is_own_server(self) -> bool:
        return self.spec.local or is_loopback(host_of(self.origin))

    @property
    def bills_nothing_unsaid(self) -> bool:
        """Whether a price of 0 is the whole price: at a server of one's own, and inside one's own network."""
        return self.is_own_server or self.data.region == "local" or is_inside_host(host_of(self.origin))

    @property
    def secrets(self) -> list[Secret]:
        """All credentials that are known to the gateway itself."""
        signed = [] if self.signing is None else self.signing.secrets
        return signed if self.secret is None else [self.secret, *self.more_secrets, *signed]

    @property
    def credentials(self) -> tuple[Secret | None, ...]:
        """What requests may be sent with, in the order of the configuration; never empty."""
        return (self.secret, *self.more_secrets)

    @property
    def has_key(self) -> bool:
        """Whether requests prove who sends them."""
        return self.secret is not None or self.signing is not None

    def target(self, surface: Surface, upstream_model: str, query: str = "") -> str:
        """Path and query of a request."""
        return request_target(self.spec, surface, self.base_path, upstream_model, query)

    def request_headers(self, forwarded: Sequence[Header]) -> list[Header]:
        """The client's forwarded headers (names lower-case), the defaults that they lack, ours, the credential."""
        headers = with_default_headers(self.spec, forwarded)
        headers += self.headers
        headers += auth_headers(self.spec, self.secret)
        return headers


def link_provider(
    name: str,
    config: Provider,
    presets: Presets,
    secrets: SecretSource,
    checks: Checks,
    fetching: FetchPolicy | None = None,
) -> LinkedProvider | None:
    """The provider, or None with its mistakes noted in `checks`. `fetching` None: only public addresses where the
    provider itself is inside, as it can reach what its callers cannot; all others fetch from where they are."""
    path: Path = ("providers", name)
    found = _spec(name, config, presets, checks)
    if found is None:
        return None
    spec = _changed(found, config)
    base_url = config.base_url or (spec.base_url and (filled(spec.base_url, secrets) or spec.base_url))
    if base_url is None or "{" in base_url:
        example = base_url or f"the address that SDKs read from {spec.base_url_env}"
        checks.wrong(path, f"`{name}` needs a `base_url`", f"Write `base_url: …`, {example}")
        return None
    if spec.dialect == "anthropic_messages" and base_url.endswith("/v1"):
        mend = "Remove the /v1 at its end: Anthropic's SDK adds it"
        checks.wrong((*path, "base_url"), "Anthropic's base URL does not end in /v1", mend)
    if spec.dialect == "cohere" and base_url.endswith(("/v1", "/v2")):
        mend = "Remove the version at its end: Cohere's SDK adds it"
        checks.wrong((*path, "base_url"), "Cohere's base URL does not end in a version", mend)
    usable, keys = _credentials(spec, config, path, secrets, checks)
    if not usable:
        return None
    secret = keys[0] if keys else None
    if secret is not None and base_url.startswith("http://") and not is_loopback(host_of(base_url)):
        mend = "Use https, or keep the connection inside a private network"
        checks.warn((*path, "base_url"), f"the key of `{name}` is sent without encryption", mend)
    origin, base_path = split_base_url(base_url)
    signing = link_signing(spec, origin, secret, path, secrets, checks)
    if signing is None and secret is None and spec.auth == "sigv4":
        return None
    under_v1 = spec.paths in (OPENAI_PATHS, RESPONSES_PATHS) or "openai_responses" in spec.also
    if not base_path and config.base_url is not None and under_v1:
        mend = f"Nearly all servers have this API under /v1: {base_url}/v1"
        checks.warn((*path, "base_url"), f"the address of `{name}` has no path", mend)
    return LinkedProvider(
        name=name,
        spec=spec,
        origin=origin,
        base_path=base_path,
        secret=secret,
        more_secrets=keys[1:],
        signing=signing,
        timeouts=config.timeouts,
        disconnect=config.disconnect or spec.disconnect,
        headers=tuple([(key.lower().encode(), value.encode()) for key, value in config.headers.items()]),
        data=declared(config.data, _facts_at(found, base_url)),
        hardware=HardwareFacts(quantization=config.quantization, hardware=config.hardware, licence=config.licence),
        price=config.price,
        fetching=fetching or ("public_only" if spec.local or is_inside_host(host_of(origin)) else "pass"),
    )


def declared(data: Data, known: DataFacts) -> DataFacts:
    """Data facts of the configuration over those that are known otherwise."""
    stated = {key: value for key, value in asdict(data).items() if value is not None}
    return replace(known, **stated, source="declared in the configuration") if stated else known


def _spec(name: str, config: Provider, presets: Presets, checks: Checks) -> ProviderSpec | None:
    path: Path = ("providers", name)
    if config.preset is not None:
        spec = presets.get(config.preset)
        if spec is None:
            mend = remedy(config.preset, presets.names(), "preset")
            checks.wrong((*path, "preset"), f"there is no preset `{config.preset}`", mend)
            return None
    else:
        spec = presets.get(name)
        if config.dialect is not None and (spec is None or spec.dialect != config.dialect):
            spec = None  # a server of the user's own that happens to be called like a preset
    if spec is not None:
        if config.dialect is not None and config.dialect != spec.dialect:
            mend = "Remove `dialect`, or `preset` and give a base_url"
            checks.wrong((*path, "dialect"), f"the preset `{spec.name}` speaks {spec.dialect}", mend)
            return None
        return spec
    if config.dialect is not None and config.base_url is not None:
        return compatible(name, config.dialect, config.base_url)
    written = [field for field in ("base_url", "dialect") if (*path, field) in checks.places]
    if not written:
        mend = remedy(name, presets.names(), "preset") + " Any other server needs `dialect` and `base_url`"
        checks.wrong(path, f"there is no preset `{name}`", mend)
        return None
    if len(written) == 2:
        return None  # one of them is there but could not be read, which has been reported
    missing = "dialect" if "base_url" in written else "base_url"
    checks.wrong(path, f"`{name}` is no preset and has no `{missing}`", "Give it both `dialect` and `base_url`")
    return None


def _changed(spec: ProviderSpec, config: Provider) -> ProviderSpec:
    changes: dict[str, Any] = {}
    for key in ("auth", "max_tokens_field", "stream_usage", "price_provider"):
        value = getattr(config, key)
        if value is not None:
            changes[key] = value
    if config.quirks:
        changes["quirks"] = spec.quirks | frozenset(config.quirks)
    if config.api_version is not None:
        changes["query"] = f"api-version={config.api_version}"
    if config.stream_usage == "none":
        changes["reports_stream_usage"] = False
    if config.auth is None and spec.auth == "none" and config.api_key not in (None, "none"):
        changes["auth"] = "bearer"
    return replace(spec, **changes) if changes else spec


def _facts_at(spec: ProviderSpec, base_url: str) -> DataFacts:
    """The preset's facts, unless the address is another one: then who answers there is not known."""
    if spec.local:
        stays = is_loopback(host_of(base_url))
    else:
        stays = spec.base_url is None or "{" in spec.base_url or host_of(spec.base_url) == host_of(base_url)
    return spec.data if stays else DataFacts(source="nothing is known of this address; declare it under `data`")


def _credentials(
    spec: ProviderSpec, config: Provider, path: Path, secrets: SecretSource, checks: Checks
) -> tuple[bool, tuple[Secret, ...]]:
    """Whether the provider can be used, and its keys."""
    if not config.api_keys:
        usable, secret = _credential(spec, config, path, secrets, checks)
        return usable, () if secret is None else (secret,)
    if config.api_key is not None:
        checks.wrong((*path, "api_keys"), "there is an `api_key` too", "Add it to the list, and remove `api_key`")
        return False, ()
    found: list[Secret] = []
    for index, reference in enumerate(config.api_keys):
        place: Path = (*path, "api_keys", index)
        try:
            secret = secrets.read(reference)
        except SecretMissing as error:
            checks.wrong(place, error.what, error.remedy)
            continue
        if secret is None:
            checks.wrong(place, "`none` is no key among several", "Remove it, or write `api_key: none` alone")
        elif secret in found:
            checks.wrong(place, "the same key stands in the list already", "Remove one of them")
        else:
            found.append(secret)
    return len(found) == len(config.api_keys), tuple(found)


def _credential(
    spec: ProviderSpec, config: Provider, path: Path, secrets: SecretSource, checks: Checks
) -> tuple[bool, Secret | None]:
    """Whether the provider can be used, and its key."""
    if config.api_key is not None:
        try:
            return True, secrets.read(config.api_key)
        except SecretMissing as error:
            checks.wrong((*path, "api_key"), error.what, error.remedy)
            return False, None
    if (*path, "api_key") in checks.places:
        return False, None  # it is there but could not be read, which has been reported
    if spec.auth == "none":
        return True, None
    missing: SecretMissing | None = None
    for name in spec.key_envs:
        try:
            return True, secrets.read(f"env:{name}")
        except SecretMissing as error:
            missing = missing or error
    if spec.key_required and missing is not None:
        checks.wrong(path, missing.what, f"{missing.remedy}, or write `api_key: env:NAME` or `file:PATH`")
        return False, None
    return True, None
