"""Single values with a form of their own: money, prices, days, times of day, secrets, scopes, URLs, networks.

Each reader takes the text as it stands in the file and raises `Unreadable`, whose message never repeats the text:
it may be a secret in the wrong place.
"""

import re
from calendar import timegm
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from msgspec import Meta

from bascule.config.postgres import address_problem
from bascule.config.urls import UrlError, check_base_url
from bascule.decide.addresses import as_network
from bascule.decide.budget import parse_scope
from bascule.model.money import PICO_PER_NANO, nanousd_from_usd, rate_from_usd_per_mtok

_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_RETENTION = re.compile(r"none|[0-9]{1,6}[hd]")
_API_VERSION = re.compile(r"[A-Za-z0-9.\-]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Unreadable(Exception):
    """A value that does not have its form: what is wrong, and how to mend it."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(what)


def decimal(text: str) -> Decimal:
    """A plain decimal number, exactly as written."""
    if not _NUMBER.fullmatch(text):
        raise Unreadable("not a number", "Write a plain decimal number such as 0.25")
    if text.lstrip("+-").startswith("0") and re.match(r"0[0-9]", text.lstrip("+-")):
        raise Unreadable("a number with leading zeros, which some read as octal", "Write it without the zeros in front")
    try:
        return Decimal(text)
    except InvalidOperation as error:  # pragma: no cover - the pattern admits only what Decimal reads
        raise Unreadable("not a number", "Write a plain decimal number such as 0.25") from error


def number(text: str) -> Decimal:
    """A plain decimal number of either sign, or a percentage: `40%` is 0.4. Exact."""
    share = text.removesuffix("%").rstrip()
    return decimal(share) if share == text else decimal(f"{share}e-2")


def usd(text: str) -> int:
    """US dollars to nano-USD."""
    amount = decimal(text)
    if amount < 0:
        raise Unreadable("a negative amount", "Write dollars from 0 up")
    try:
        nanousd = nanousd_from_usd(amount)
    except ValueError as error:
        raise Unreadable("finer than a nano-dollar", "Write at most nine decimal places") from error
    if nanousd > 10**18:
        raise Unreadable("more than a billion dollars", "Leave it out for no limit")
    return nanousd


def fee(text: str) -> int:
    """US dollars for each one to pico-USD."""
    return usd(text) * PICO_PER_NANO


def price(text: str) -> int:
    """US dollars per million tokens to pico-USD per token."""
    amount = decimal(text)
    if amount < 0:
        raise Unreadable("a negative price", "Write US dollars per million tokens, 0 for free")
    if amount > 1_000_000:
        raise Unreadable("more than a dollar for each token", "Write US dollars per million tokens")
    try:
        return rate_from_usd_per_mtok(amount)
    except ValueError as error:
        raise Unreadable("finer than a pico-dollar per token", "Write at most six decimal places") from error


def day(text: str) -> int:
    """A day (UTC midnight) to milliseconds since the epoch."""
    try:
        when = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        when = None
    if when is None:
        raise Unreadable("not a day", "Write it as YYYY-MM-DD")
    return timegm(when.timetuple()) * 1000


def clock(text: str) -> int:
    """A time of day in UTC to seconds of the day."""
    if not _CLOCK.fullmatch(text):
        raise Unreadable("not a time of day", 'Write it as "HH:MM" in UTC, in quotes')
    return int(text[:2]) * 3600 + int(text[3:]) * 60


def secret(text: str) -> str:
    """Where a secret is, never the secret: `env:NAME`, `file:PATH` or `none`."""
    if text == "none" or (text.startswith("env:") and _ENV_NAME.fullmatch(text[4:])):
        return text
    if text.startswith("file:") and len(text) > 5 and text.isprintable():
        return text
    if text.startswith("env:"):
        raise Unreadable("`env:` without the name of a variable", "Write env:NAME, e.g. env:OPENAI_API_KEY")
    raise Unreadable(
        "not env:NAME, file:PATH or none (a secret itself must not stand in the file)",
        "Put it into a variable or a file, write env:NAME or file:PATH, and replace the secret if it was a real one",
    )


def scope(text: str) -> str:
    """What a budget is for, as `decide.budget` reads it."""
    mend = "Write e.g. key:ci, team:platform, user:*, session:* or tag:feature=search"
    try:
        _, own_name = parse_scope(text)
    except ValueError as error:
        raise Unreadable("not a scope", mend) from error
    if not text.isprintable() or any(part != part.strip() for part in own_name.split("=", 1)):
        raise Unreadable("a scope with spaces or control characters around its name", mend)
    return text


def base_url(text: str) -> str:
    try:
        return check_base_url(text)
    except UrlError as error:
        raise Unreadable(
            f"a URL that {error}", "Write it as in the vendor's own SDK, e.g. https://api.example.com/v1"
        ) from error


def retention(text: str) -> str:
    """How long data is kept at most."""
    if not _RETENTION.fullmatch(text):
        raise Unreadable("not a length of time", "Write none, or hours or days such as 24h or 30d")
    return text


def api_version(text: str) -> str:
    if not _API_VERSION.fullmatch(text):
        raise Unreadable("not a version", "Write it as Azure's pages do, e.g. 2024-10-21")
    return text


def network(text: str) -> str:
    """A network of the operator's own, or one address."""
    try:
        return str(as_network(text))
    except ValueError as error:
        raise Unreadable(
            "not a network", "Write it as 10.0.0.0/8 or fd00::/8, without bits behind the prefix"
        ) from error


def database(text: str) -> str:
    """Where the store is: a reference to a secret, or a URL without one."""
    problem = address_problem(text)
    if problem is not None:
        raise Unreadable(*problem)
    return text


def name(text: str) -> str:
    """A name: any printable characters, no spaces around them."""
    if not text or text != text.strip() or not text.isprintable():
        raise Unreadable("not a name", "Use printable characters without spaces in front or behind")
    return text


READERS: dict[str, Callable[[str], Any]] = {
    "number": number,
    "usd": usd,
    "fee": fee,
    "price": price,
    "day": day,
    "clock": clock,
    "secret": secret,
    "scope": scope,
    "base_url": base_url,
    "retention": retention,
    "api_version": api_version,
    "network": network,
    "database": database,
    "name": name,
}

SCHEMAS: dict[str, dict[str, Any]] = {
    "number": {"type": ["number", "string"], "description": "a number, or a percentage such as 40%"},
    "usd": {"type": ["number", "string"], "minimum": 0, "description": "US dollars"},
    "fee": {"type": ["number", "string"], "minimum": 0, "description": "US dollars each"},
    "price": {"type": ["number", "string"], "minimum": 0, "description": "US dollars per million tokens"},
    "day": {"type": "string", "format": "date"},
    "clock": {"type": "string", "pattern": f"^({_CLOCK.pattern})$", "description": "time of day in UTC"},
    "secret": {"type": "string", "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|none)$"},
    "scope": {"type": "string", "pattern": "^((org|team|project|key|user|session):.+|tag:[^=]+=.+)$"},
    "base_url": {"type": "string", "pattern": "^https?://"},
    "retention": {"type": "string", "pattern": f"^({_RETENTION.pattern})$"},
    "api_version": {"type": "string", "pattern": f"^{_API_VERSION.pattern}$"},
    "network": {"type": "string", "description": "10.0.0.0/8, fd00::/8 or one address"},
    "database": {"type": "string", "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|postgres(ql)?://.+)$"},
    "name": {"type": "string", "minLength": 1},
}


def _form(form: str) -> Meta:
    return Meta(extra={"form": form}, extra_json_schema={"x-form": form})


Number = Annotated[Decimal, _form("number")]
NanoUsd = Annotated[int, _form("usd")]
PicoUsdEach = Annotated[int, _form("fee")]
PicoUsdPerToken = Annotated[int, _form("price")]
DayMs = Annotated[int, _form("day")]
ClockS = Annotated[int, _form("clock")]
SecretRef = Annotated[str, _form("secret")]
ScopeText = Annotated[str, _form("scope")]
BaseUrl = Annotated[str, _form("base_url")]
Retention = Annotated[str, _form("retention")]
ApiVersion = Annotated[str, _form("api_version")]
NetworkText = Annotated[str, _form("network")]
DatabaseRef = Annotated[str, _form("database")]
Name = Annotated[str, _form("name")]
