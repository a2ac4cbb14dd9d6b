"""What is found in a request before it leaves, and what is done about it: the words are redacted, the request is kept
local, or it is refused. Counted, never shown.
"""

import asyncio
import logging

import msgspec
from msgspec import structs

from bascule.decide.protect import Kind, Recogniser, Searched, TooMuchText, combined, search
from bascule.decide.resolve import resolve
from bascule.dialects.registry import dialect
from bascule.dialects.respelled import as_written
from bascule.gateway.admission import Admitted
from bascule.gateway.metrics import Metrics
from bascule.gateway.surfaces import SURFACES
from bascule.link import Snapshot
from bascule.model.errors import MalformedRequest, Refusal
from bascule.model.policy import NO_PROTECTION, Protect, ProtectAction

log = logging.getLogger("bascule.protection")

THREAD_FROM_BYTES = 4 * 1024
"""A search of more than this takes longer than a millisecond, so it is not made on the event loop."""
LOCAL = "local"
MISSING = Refusal(
    kind="unavailable",
    message="requests of this key are to be searched, which takes the package python-stdnum; install it with: "
    "pip install 'bascule[protection]'",
)


class Protecting:
    """Protects requests of one configuration."""

    """`found` is what to look for, None where the package for that is missing."""

    def __init__(self, snapshot: Snapshot, found: tuple[Recogniser, ...] | None, metrics: Metrics) -> None:
        self._snapshot = snapshot
        self._recognisers = found
        self._metrics = metrics
        self._max_chars = snapshot.config.protection.max_chars
        self._routes = any(route.protect is not NO_PROTECTION for route in snapshot.routes.values())

    def is_wanted(self, request: Admitted) -> bool:
        """Cheap: asked of every request."""
        return self._routes or request.key.protect is not NO_PROTECTION

    def policy(self, request: Admitted) -> Protect:
        """Of the key and of every route that the request may be served by."""
        if not self._routes:
            return request.key.protect
        found = [resolve(name, self._snapshot) for name in (request.ask.model, *request.ask.fallback_models)]
        routes = [one.route.protect for one in found if not isinstance(one, Refusal) and one.route is not None]
        return combined(request.key.protect, *routes)

    async def protect(self, request: Admitted) -> Admitted | Refusal:
        """The request as it may go on."""
        policy = self.policy(request)
        if policy == NO_PROTECTION:
            return request
        if self._recognisers is None:
            return MISSING
        actions = {"personal": policy.personal, "secrets": policy.secrets}
        redact = frozenset[Kind]([kind for kind in ("personal", "secrets") if actions[kind] == "redact"])
        wanted = tuple([one for one in self._recognisers if actions[one.kind] is not None])
        try:
            body = as_written(request.body, request.raw)
            if len(request.raw) < THREAD_FROM_BYTES:
                found = search(body, wanted, redact, self._max_chars)
            else:
                found = await asyncio.to_thread(search, body, wanted, redact, self._max_chars)
        except (TooMuchText, RecursionError):
            return Refusal(
                kind="too_large",
                message=f"more than {self._max_chars} characters (protection.max_chars), or nested too deeply, to be "
                "searched for what this key or route does not let out",
            )
        if found.body is body:
            found.body = request.body
        return request if not found.counts else self._acted(request, found, actions)

    def _acted(
        self, request: Admitted, found: Searched, actions: dict[str, ProtectAction | None]
    ) -> Admitted | Refusal:
        done = {actions[kind] for kind in found.kinds}
        action: ProtectAction = "block" if "block" in done else "force_local" if "force_local" in done else "redact"
        for name, count in found.counts.items():
            self._metrics.protection(name, action, count)
        seen = {"request_id": request.request_id, "key": request.key.name, "action": action, "found": found.counts}
        log.info("a request holds what is protected", extra=seen)
        if action == "block":
            names = ", ".join(found.counts)
            return Refusal(
                kind="forbidden",
                message=f"the request holds what this key or route does not let out: {names}. Leave it out",
                code="protected_content",
            )
        if found.body is not request.body:
            request = _with_body(request, found)
        return request if action == "redact" else _local(request)


def _with_body(request: Admitted, found: Searched) -> Admitted:
    """Words may be longer than what they stand for, so the facts are read again."""
    raw = msgspec.json.encode(found.body)
    try:
        facts = dialect(SURFACES[request.surface].dialect).read_facts(found.body, len(raw))
    except MalformedRequest as error:
        raise AssertionError("a redacted body is of the same shape as before") from error
    return structs.replace(request, body=found.body, raw=raw, facts=facts)


def _local(request: Admitted) -> Admitted | Refusal:
    """Only where `region: local` is known. A key that must be elsewhere can then go nowhere."""
    data = request.ask.key_data
    if data.regions and LOCAL not in data.regions:
        return Refusal(
            kind="forbidden",
            message="the request holds what may only be served locally, and its key's data policy is for other regions",
            code="protected_content",
        )
    return structs.replace(request, ask=structs.replace(request.ask, key_data=structs.replace(data, regions=(LOCAL,))))
