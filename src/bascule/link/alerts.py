"""Webhooks of the configuration with their addresses taken apart and their secrets read."""

import re
from urllib.parse import urlsplit

from msgspec import Struct

from bascule.config.alerts import Alerts, Webhook
from bascule.config.check import Checks
from bascule.config.places import Path
from bascule.config.secret import Secret
from bascule.config.sources import SecretMissing, SecretSource
from bascule.decide.addresses import as_network, is_inside_host, may_reach, number_of
from bascule.decide.webhooks import BadWebhookSecret, WebhookFormat, signing_key
from bascule.model.alert import EventName
from bascule.model.receiver import Receiver

SHORT_SECRET_BYTES = 24
"""What Standard Webhooks asks for at least."""
TOKEN_CHARS = 12
_PORTS = {"https": 443, "http": 80}


class LinkedWebhook(Struct, frozen=True, kw_only=True):
    """One receiver, ready to be delivered to."""

    name: str
    receiver: Receiver
    url: Secret
    """As it was read. Its beginning is no secret, and many other addresses begin so."""
    tokens: tuple[Secret, ...]
    """What in its address may be a credential: for the redaction of logs."""
    secret: Secret | None
    format: WebhookFormat
    events: frozenset[EventName]
    """Empty for all."""

    @property
    def secrets(self) -> list[Secret]:
        return [*self.tokens] if self.secret is None else [*self.tokens, self.secret]

    @property
    def key(self) -> bytes | None:
        """What signs."""
        return None if self.secret is None else signing_key(self.secret.reveal())


def link_webhooks(alerts: Alerts, secrets: SecretSource, checks: Checks) -> tuple[LinkedWebhook, ...]:
    """Those that are right; the mistakes of the others are noted in `checks`."""
    linked: list[LinkedWebhook] = []
    for index, webhook in enumerate(alerts.webhooks):
        found = _webhook(webhook, ("alerts", "webhooks", index), alerts, secrets, checks)
        if found is not None:
            linked.append(found)
    return tuple(linked)


def _webhook(
    webhook: Webhook, path: Path, alerts: Alerts, secrets: SecretSource, checks: Checks
) -> LinkedWebhook | None:
    url = _read(webhook.url, (*path, "url"), secrets, checks)
    secret = None if webhook.secret is None else _read(webhook.secret, (*path, "secret"), secrets, checks)
    if url is None:
        return None
    found = _receiver(url.reveal().decode("ascii"), alerts.allow_private)
    if isinstance(found, str):
        mend = "Write the address as the receiver gave it: https://host/path"
        checks.wrong((*path, "url"), f"the address of `{webhook.name}` {found}", mend)
        return None
    if secret is not None and not _is_sound(webhook.name, secret, (*path, "secret"), checks):
        return None
    return LinkedWebhook(
        name=webhook.name,
        receiver=found,
        url=url,
        tokens=_tokens(found.target),
        secret=secret,
        format=webhook.format,
        events=frozenset(webhook.events),
    )


def _tokens(target: str) -> tuple[Secret, ...]:
    """The parts of a path and a query that are long enough to be one. Not the host, which logs may well name."""
    return tuple([Secret(part.encode()) for part in re.split("[/?&=]", target) if len(part) >= TOKEN_CHARS])


def _read(reference: str, path: Path, secrets: SecretSource, checks: Checks) -> Secret | None:
    try:
        return secrets.read(reference)
    except SecretMissing as error:
        checks.wrong(path, error.what, error.remedy)
        return None


def _is_sound(name: str, secret: Secret, path: Path, checks: Checks) -> bool:
    try:
        key = signing_key(secret.reveal())
    except BadWebhookSecret as error:
        checks.wrong(path, f"the secret of `{name}` cannot be used: {error}", "Copy it whole, with its `whsec_`")
        return False
    if len(key) < SHORT_SECRET_BYTES:
        mend = "Use 32 random bytes, e.g. from `openssl rand -hex 32`"
        checks.warn(path, f"the secret of `{name}` is short enough to be guessed", mend)
    return True


def _receiver(url: str, allow_private: tuple[str, ...]) -> Receiver | str:
    """The address taken apart, or what is wrong with it, without repeating it."""
    if " " in url or "\\" in url or "#" in url:
        return "holds a space, a backslash or a fragment"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "cannot be taken apart"
    host = parts.hostname
    if parts.scheme not in _PORTS or not host:
        return "does not begin with https:// and a host"
    if "@" in parts.netloc:
        return "holds a user or password"
    if "%" in host or port == 0:
        return "has a host or a port that cannot be right"
    allowed = tuple([as_network(text) for text in allow_private])
    address = number_of(host)
    if address is not None and str(address) != host:
        return f"writes its host as a number in an odd way; it is {address}"
    inside = is_inside_host(host) if address is None else not may_reach(address, allowed)
    if inside and (address is not None or not allowed):
        return "is inside; name its network under `alerts.allow_private` if that is meant"
    if parts.scheme == "http" and not allowed:
        return "is not encrypted; https is needed outside of `alerts.allow_private`"
    return Receiver(
        host=host,
        port=_PORTS[parts.scheme] if port is None else port,
        secure=parts.scheme == "https",
        target=f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}",
        authority=parts.netloc,
        allowed=allowed,
    )
