"""From bytes to an admitted request: who asks, for what, and whether they may."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, structs

from bascule.decide.admit import key_problem
from bascule.decide.ask import read_ask
from bascule.decide.identify import identify
from bascule.decide.promotion.policy import EVIDENCE_TAG
from bascule.decide.resolve import granted
from bascule.dialects.base import Dialect
from bascule.gateway.bodies import Bodies
from bascule.gateway.exchange import Incoming
from bascule.gateway.kept import KeptAnswers
from bascule.gateway.surfaces import SURFACES, Surface, Work, is_array
from bascule.model.budget import Attribution
from bascule.model.errors import MalformedRequest, Refusal
from bascule.model.facts import Facts
from bascule.model.identity import Identity
from bascule.model.policy import NO_DATA_POLICY, Ask, KeyPolicy
from bascule.model.registry import Registry
from bascule.ports import KeyStore

OPEN_KEY = KeyPolicy(name="open", source="open")
"""Who asks where no key is configured (loopback only)."""


class Admitted(Struct, frozen=True, kw_only=True):
    """A request that was understood and may be served, if a model and the money are there."""

    request_id: str
    surface: Surface
    work: Work
    """What the surface asks for."""
    key: KeyPolicy
    raw: bytes
    body: dict[str, Any]
    client_body: dict[str, Any] | None = None
    """What the client sent, where this was made of it; None: `body` is that."""
    helps: bool = False
    """A request of our own whose answer no client sees, so that no cap of key or route on answers holds for it."""
    facts: Facts
    identity: Identity
    ask: Ask
    attribution: Attribution
    array: bool = False
    """A stream goes to the client as one JSON array."""
    betas: str
    """`anthropic-beta` as sent."""
    started_ms: int
    started_s: float


def authenticate(keys: KeyStore, secret: bytes | None, now_ms: int) -> KeyPolicy | Refusal:
    """The key behind a secret. In open mode any secret will do."""
    if keys.is_open:
        return OPEN_KEY
    if secret is None:
        return Refusal(
            kind="unauthenticated",
            message="no key was sent; use 'Authorization: Bearer KEY', 'x-api-key: KEY', 'x-goog-api-key: KEY' or "
            "?key=KEY",
            code="invalid_api_key",
        )
    key = keys.lookup(secret)
    if key is None:
        return CANNOT_TELL if keys.outage is not None else UNKNOWN_KEY
    return key_problem(key, now_ms) or key


UNKNOWN_KEY = Refusal(kind="unauthenticated", message="this key is not known here", code="invalid_api_key")
CANNOT_TELL = Refusal(
    kind="unavailable",
    message="whether this key is good cannot be told, as the store of keys does not answer; try again soon",
    retry_after_s=2.0,
)
"""An outage is no reason to throw a client's key away, which is what a 401 says."""


UNREADABLE = (TypeError, AttributeError, ValueError, KeyError, RecursionError)
"""What reading a body of wrong types or endless nesting ends in where no reader has a better word for it."""


def not_of_the_dialect(error: Exception) -> Refusal:
    """A 400 for a body whose fields have types that the dialect does not know."""
    if isinstance(error, RecursionError) or "ecursion" in str(error):
        return Refusal(kind="malformed", message="the body is nested too deeply", code="invalid_value")
    return Refusal(
        kind="malformed",
        message="a field of the body has a type that it cannot have; compare it with the API's reference",
        code="invalid_type",
    )


def attribution_of(key: KeyPolicy, identity: Identity) -> Attribution:
    """Who pays. What the key says wins over what the client says."""
    tags = {**identity.tags, **key.tags} if key.tags else identity.tags
    if EVIDENCE_TAG in tags:  # a client that could set it would spend another purpose's budget
        tags = {name: value for name, value in tags.items() if name != EVIDENCE_TAG}
    return Attribution(
        key=None if key.source == "open" else key.name,
        org=key.org,
        team=key.team,
        project=key.project,
        user=key.user or identity.user,
        session_id=identity.session_id,
        tags=tags,
    )


def admit(
    incoming: Incoming,
    *,
    request_id: str,
    keys: KeyStore,
    bodies: Bodies,
    dialect: Dialect,
    kept: KeptAnswers | None = None,
    quality_levels: Mapping[str, float],
    registry: Registry,
    enforce: bool,
    now_ms: int,
    now_s: float,
) -> Admitted | Refusal:
    """Authenticate, parse, identify and check the key's grants, in this order. Observing, grants refuse nothing.

    What a request refers to among the answers `kept` becomes part of it before anything is judged by it.
    """
    key = authenticate(keys, incoming.secret, now_ms)
    if isinstance(key, Refusal):
        return key
    body = bodies.decode(incoming.body)
    if isinstance(body, Refusal):
        return body
    raw = incoming.body
    whole = None if kept is None else kept.expand(key.name, body, raw, now_s)
    if isinstance(whole, Refusal):
        return whole
    if whole is not None:
        body, raw = whole, msgspec.json.encode(whole)
    if incoming.model is not None:
        # What the path says stands in the body of every other dialect, and readers look for it there.
        body["model"], body["stream"] = incoming.model, incoming.stream is True
    try:
        facts = dialect.read_facts(body, len(raw))
    except MalformedRequest as error:
        return Refusal(kind="malformed", message=str(error), param=error.param)
    except UNREADABLE as error:
        return not_of_the_dialect(error)
    ask = read_ask(incoming.headers, facts, quality_levels)
    if isinstance(ask, Refusal):
        return ask
    if key.data is not NO_DATA_POLICY:
        ask = structs.replace(ask, key_data=key.data)
    if enforce and key.models:
        problem = granted(key, (ask.model, *ask.fallback_models), registry)
        if problem is not None:
            return problem
    identity = identify(incoming.headers, facts, key.name)
    return Admitted(
        request_id=request_id,
        surface=incoming.surface,
        work=SURFACES[incoming.surface].work,
        key=key,
        raw=raw,
        body=body,
        facts=facts,
        identity=identity,
        ask=ask,
        attribution=attribution_of(key, identity),
        array=facts.stream and is_array(incoming.surface, incoming.query),
        betas=(incoming.headers.get(b"anthropic-beta") or b"").decode("latin-1"),
        started_ms=now_ms,
        started_s=now_s,
    )
