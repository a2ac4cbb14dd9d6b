"""What one request asks of routing: Bascule's own headers and OpenRouter's body extensions, read into an `Ask`.

A value that cannot be understood is refused, never ignored: whoever sends `x-bascule-data: retention=nnoe` must not
find the request at a provider that keeps it. Unknown *fields* of the `provider` object are ignored, except those
that are constraints we know of and cannot keep. The suffixes `:floor` and `:nitro` are `decide.resolve`'s.

OpenRouter: openrouter.ai/docs/features/provider-routing.
"""

import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from bascule.decide.data_policy import retention_s
from bascule.model.errors import MalformedRequest, Refusal
from bascule.model.facts import Facts
from bascule.model.headers import Headers
from bascule.model.money import nanousd_from_usd, rate_from_usd_per_mtok
from bascule.model.policy import NO_DATA_POLICY, Ask, DataPolicy

MAX_NAMES = 64
"""Most entries of any list in a request: fallback models, providers, regions."""
MAX_NAME_CHARS = 256
MAX_NUMBER_CHARS = 32
MAX_DEADLINE_MS = 24 * 3_600_000

Sort = Literal["price", "throughput", "latency"]

_HEADERS = frozenset(
    {b"x-bascule-quality", b"x-bascule-max-cost-usd", b"x-bascule-data", b"x-bascule-deadline", b"x-bascule-cache"}
)
_NO_LEVELS: Mapping[str, float] = {}
_MS_PER = (("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000))


def read_ask(headers: Headers, facts: Facts, quality_levels: Mapping[str, float] = _NO_LEVELS) -> Ask | Refusal:
    """The request's own demands. `quality_levels` are the numbers behind `low`, `medium` and `high`.

    Returns a Refusal (`malformed`) that names the header or field and what it may be.
    """
    if not headers.has_any(_HEADERS) and not facts.openrouter:
        return Ask(model=facts.model)
    get = headers.get
    quality = get(b"x-bascule-quality")
    max_cost = get(b"x-bascule-max-cost-usd")
    data = get(b"x-bascule-data")
    deadline = get(b"x-bascule-deadline")
    cache = get(b"x-bascule-cache")
    try:
        return Ask(
            quality=None if quality is None else _quality(_text(quality), quality_levels),
            max_cost_nanousd=None if max_cost is None else _max_cost_nanousd(_text(max_cost)),
            deadline_ms=None if deadline is None else _deadline_ms(_text(deadline)),
            no_cache=cache is not None and not _yes("x-bascule-cache", _text(cache)),
            **_routing(facts, None if data is None else read_data(_text(b",".join(headers.all(b"x-bascule-data"))))),
        )
    except MalformedRequest as malformed:
        return Refusal(kind="malformed", message=str(malformed), code="invalid_value", param=malformed.param)


def _wrong(where: str, what: str) -> MalformedRequest:
    return MalformedRequest(f"{where}: {what}", where)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip()


def _quality(text: str, levels: Mapping[str, float]) -> float:
    level = levels.get(text.lower())
    if level is not None:
        return level
    known = ", ".join(levels) or "a level that the configuration defines"
    try:
        number = float(text)
    except ValueError:
        raise _wrong("x-bascule-quality", f"{text[:40]!r} is neither a number from 0 to 1 nor {known}") from None
    if not 0 <= number <= 1:
        raise _wrong("x-bascule-quality", f"{text[:40]!r} is not between 0 and 1")
    return number


def _decimal(where: str, value: object) -> Decimal:
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or len(text) > MAX_NUMBER_CHARS:
        raise _wrong(where, "not an amount of US dollars")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _wrong(where, f"{text!r} is not an amount of US dollars") from None
    # An exponent that is out of all proportion would cost memory once it is made an integer.
    if not number.is_finite() or number < 0 or number.adjusted() > 9:
        raise _wrong(where, f"{text!r} is not an amount of US dollars")
    return number


def _max_cost_nanousd(text: str) -> int:
    where = "x-bascule-max-cost-usd"
    try:
        return nanousd_from_usd(_decimal(where, text))
    except ValueError as problem:
        raise _wrong(where, str(problem)) from None


def _deadline_ms(text: str) -> int:
    number, unit_ms = text, 1_000
    for unit, ms in _MS_PER:
        if text.endswith(unit):
            number, unit_ms = text[: -len(unit)], ms
            break
    try:
        value_ms = float(number) * unit_ms if len(number) <= MAX_NUMBER_CHARS else math.nan
    except ValueError:
        value_ms = math.nan
    if not 0 < value_ms <= MAX_DEADLINE_MS:
        raise _wrong("x-bascule-deadline", "a duration from now, up to 24h, such as `30s`, `1500ms` or `5m`")
    return max(1, int(value_ms))


def _yes(where: str, text: str) -> bool:
    word = text.lower()
    if word in ("no", "false"):
        return False
    if word in ("yes", "true", ""):
        return True
    raise _wrong(where, f"{text[:40]!r} is neither yes nor no")


def read_data(text: str, where: str = "x-bascule-data") -> DataPolicy:
    """`retention=none,region=eu,training=no,zdr`; `region`, `allow` and `deny` (providers) may repeat.

    `where` is what an error names. Raises MalformedRequest.
    """
    retention: str | None = None
    training: bool | None = None
    zdr = False
    lists: dict[str, list[str]] = {"region": [], "allow": [], "deny": []}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name == "retention":
            if retention_s(value) is None:
                raise _wrong(where, f"retention {value[:40]!r} is neither `none` nor a time such as `30d`")
            retention = value
        elif name == "training":
            training = None if _yes(where, value) else False
        elif name == "zdr":
            zdr = _yes(where, value)
        elif name in lists and value and len(lists[name]) < MAX_NAMES:
            lists[name].append(value)
        elif part.strip():
            raise _wrong(where, f"{part.strip()[:40]!r} is none of retention=, region=, training=, allow=, deny=, zdr")
    return DataPolicy(
        retention=retention,
        training=training,
        regions=tuple([region.lower() for region in lists["region"]]),
        providers_allow=tuple(lists["allow"]),
        providers_deny=tuple(lists["deny"]),
        zdr=zdr,
    )


def _routing(facts: Facts, data: DataPolicy | None) -> dict[str, Any]:
    """The fields of an `Ask` that OpenRouter's extensions and the data header give together."""
    extensions = facts.openrouter
    names = _names("models", extensions.get("models"))
    model = facts.model or (names[0] if names else "")
    fields: dict[str, Any] = {"model": model, "fallback_models": tuple([name for name in names if name != model])}
    provider = extensions.get("provider")
    if provider is not None:
        if not isinstance(provider, dict):
            raise _wrong("provider", "not an object")
        fields.update(_preferences(provider))
        policy = _collection(provider)
        data = policy if data is None else _both(data, policy)
    fields["data"] = data or NO_DATA_POLICY
    return fields


def _names(where: str, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_NAMES:
        raise _wrong(where, f"not a list of at most {MAX_NAMES} names")
    for name in value:
        if not isinstance(name, str) or not name or len(name) > MAX_NAME_CHARS:
            raise _wrong(where, "not a list of names")
    return tuple(value)


def _flag(where: str, value: object, default: bool) -> bool:
    if value is None:
        return default
    if not isinstance(value, bool):
        raise _wrong(where, "neither true nor false")
    return value


def _preferences(provider: Mapping[str, Any]) -> dict[str, Any]:
    if provider.get("enforce_distillable_text"):
        raise _wrong("provider.enforce_distillable_text", "cannot be promised here; leave it out")
    max_input, max_output = _max_price(provider.get("max_price"))
    return {
        "order": _slugs("provider.order", provider.get("order")),
        "only": _slugs("provider.only", provider.get("only")),
        "ignore": _slugs("provider.ignore", provider.get("ignore")),
        "sort": _sort(provider.get("sort")),
        "max_price_input": max_input,
        "max_price_output": max_output,
        "allow_fallbacks": _flag("provider.allow_fallbacks", provider.get("allow_fallbacks"), default=True),
        "require_parameters": _flag("provider.require_parameters", provider.get("require_parameters"), default=False),
    }


def _slugs(where: str, value: object) -> tuple[str, ...]:
    return tuple([name.lower() for name in _names(where, value)])


def _sort(value: object) -> Sort | None:
    if isinstance(value, dict):
        value = value.get("by")
    match value:
        case None | "price" | "throughput" | "latency":
            return value
        case _:
            raise _wrong("provider.sort", "none of price, throughput, latency")


def _max_price(value: object) -> tuple[int | None, int | None]:
    """(input, output) in pico-USD per token from `{prompt, completion}` in US dollars per million tokens."""
    if value is None:
        return None, None
    if not isinstance(value, dict):
        raise _wrong("provider.max_price", "not an object such as {prompt: 1, completion: 2}")
    rates: list[int | None] = []
    for name in ("prompt", "completion"):
        where = f"provider.max_price.{name}"
        try:
            rates.append(None if value.get(name) is None else rate_from_usd_per_mtok(_decimal(where, value[name])))
        except ValueError as problem:
            raise _wrong(where, str(problem)) from None
    for name in value:
        if name not in ("prompt", "completion"):
            raise _wrong(f"provider.max_price.{name}"[:MAX_NAME_CHARS], "only prompt and completion can be bounded")
    return rates[0], rates[1]


def _collection(provider: Mapping[str, Any]) -> DataPolicy:
    """`data_collection: deny` is read at its strictest: neither stored nor trained on."""
    collection = provider.get("data_collection")
    if collection not in (None, "allow", "deny"):
        raise _wrong("provider.data_collection", "neither allow nor deny")
    denied = collection == "deny"
    return DataPolicy(
        retention="none" if denied else None,
        training=False if denied else None,
        zdr=_flag("provider.zdr", provider.get("zdr"), default=False),
        quantizations=_slugs("provider.quantizations", provider.get("quantizations")),
    )


def _both(header: DataPolicy, body: DataPolicy) -> DataPolicy:
    """Both at once. The body never speaks of regions or lists of providers here, the header never of quantization."""
    return DataPolicy(
        retention=body.retention or header.retention,
        training=False if body.training is False else header.training,
        regions=header.regions,
        providers_allow=header.providers_allow,
        providers_deny=header.providers_deny,
        zdr=header.zdr or body.zdr,
        quantizations=body.quantizations,
    )
