"""Where an endpoint's requests go, worked out once per endpoint and surface."""

from collections.abc import Mapping

from msgspec import Struct, structs

from bascule.config.shape import Timeouts as ConfiguredTimeouts
from bascule.decide.redaction import Redactor
from bascule.dialects.base import CacheMarks, Codec, ProviderDialect, Target
from bascule.dialects.registry import UnknownDialect, codec
from bascule.dialects.registry import provider_dialect as dialect_of
from bascule.gateway.admission import Admitted
from bascule.gateway.exchange import Incoming
from bascule.gateway.identifiers import cache_key
from bascule.gateway.relay import DrainLimits, Drains
from bascule.gateway.surfaces import SURFACES, Surface, provider_dialect, provider_surface
from bascule.link import LinkedProvider, Snapshot
from bascule.model.catalog import Endpoint
from bascule.model.errors import Refusal
from bascule.model.outcome import Fault
from bascule.ports import Header, Timeouts, UpstreamCall
from bascule.providers.classify import classify
from bascule.providers.request import auth_headers, request_target, streamed_surface, with_default_headers
from bascule.providers.signing import SigV4
from bascule.providers.spec import ProviderSpec
from bascule.providers.spec import Surface as ProviderSurface

_JSON_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"accept-encoding", b"identity"),
    (b"user-agent", b"bascule"),
)
MAX_DESTINATIONS = 4_096
"""That are kept once they were worked out. Names of models come from clients."""
STREAM_FIRST_BYTE_S = 120.0
WHOLE_FIRST_BYTE_S = 600.0


class Destination(Struct, frozen=True, kw_only=True):
    """One endpoint as one surface reaches it."""

    codec: Codec
    provider_dialect: ProviderDialect
    spec: ProviderSpec
    surface: ProviderSurface
    stream_surface: ProviderSurface
    """Where a streamed answer is asked for; with most providers the same place."""
    origin: str
    base_path: str
    upstream_model: str
    target: str
    """Path and query where the client's own query has no part in it."""
    stream_target: str
    headers: tuple[Header, ...]
    own_headers: tuple[Header, ...]
    """With the provider's defaults: all headers where none of the client's is forwarded."""
    template: Target
    timeouts: Timeouts
    whole_timeouts: Timeouts
    """Of an answer that is not streamed."""
    max_body_bytes: int
    max_values: int
    """Of an answer that is read whole."""
    drain: DrainLimits
    signing: SigV4 | None
    redactor: Redactor
    """Of what this provider is sent in confidence: some quote it in their errors."""

    def call(self, incoming: Incoming, body: bytes, *, stream: bool, within_s: float | None) -> UpstreamCall:
        """The exchange to make for one client request; `within_s` is what its deadline leaves."""
        sent = self.codec.forward_headers(incoming.headers.pairs)
        headers = (*self.headers, *with_default_headers(self.spec, sent)) if sent else self.own_headers
        target = self.stream_target if stream else self.target
        if incoming.query and self.spec.forward_query:
            place = self.stream_surface if stream else self.surface
            target = request_target(self.spec, place, self.base_path, self.upstream_model, incoming.query)
        timeouts = self.timeouts if stream else self.whole_timeouts
        if within_s is not None and within_s < timeouts.total_s:
            timeouts = structs.replace(timeouts, total_s=within_s)
        return UpstreamCall(
            origin=self.origin,
            method="POST",
            target=target,
            headers=headers,
            body=body,
            timeouts=timeouts,
            max_body_bytes=self.max_body_bytes,
            signing=self.signing,
        )

    def target_of(self, request: Admitted, send_cap: int | None) -> Target:
        """The template with what this request adds to it; `send_cap` is None where the client's own cap stays."""
        template = self.template
        if send_cap is not None:
            template = structs.replace(template, max_tokens=send_cap)
        if "prompt_cache_key" in template.quirks:
            return structs.replace(template, cache_key=cache_key(request.key.name, request.identity))
        return template

    def read_fault(self, status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
        """An error status in the provider's own reading."""
        shown = self.redactor.clean(raw.decode("latin-1")).encode("latin-1")
        return classify(self.spec, self.provider_dialect.read_fault(status, headers, shown))

    def conceal(self, fault: Fault) -> Fault:
        """A fault that was found in an answer, without our credentials in its words."""
        return structs.replace(fault, message=self.redactor.clean(fault.message))


def timeouts_of(configured: ConfiguredTimeouts, *, stream: bool) -> Timeouts:
    """The limits of one exchange. A whole answer has its first byte only when all of it is generated."""
    patience_s = STREAM_FIRST_BYTE_S if stream else WHOLE_FIRST_BYTE_S
    return Timeouts(
        connect_s=configured.connect_s,
        first_byte_s=configured.first_byte_s or min(patience_s, configured.total_s),
        idle_s=configured.idle_s,
        total_s=configured.total_s,
    )


class Dispatcher:
    """Destinations of one snapshot, made on first use."""

    def __init__(self, snapshot: Snapshot, *, drains: Drains) -> None:
        self._snapshot = snapshot
        self._drains = drains
        self._known: dict[tuple[Surface, str, int], Destination | Refusal] = {}

    def destination(self, surface: Surface, endpoint: Endpoint, credential: int = 0) -> Destination | Refusal:
        """How to send a request of this surface there; a Refusal where the endpoint cannot serve it.

        `credential`: which of the provider's, from 0.
        """
        key = (surface, endpoint.id, credential)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MAX_DESTINATIONS:
                self._known.clear()
            found = self._known[key] = self._make(surface, endpoint, credential)
        return found

    def _make(self, surface: Surface, endpoint: Endpoint, credential: int) -> Destination | Refusal:
        provider = self._snapshot.providers[endpoint.provider]
        spec, place, spoken = provider.spec, provider_surface(surface, endpoint), provider_dialect(surface, endpoint)
        if place not in spec.paths or spoken is None:
            return _cannot(endpoint, SURFACES[surface].work)
        try:
            pair = codec(SURFACES[surface].dialect, spoken)
        except UnknownDialect:
            return _cannot(endpoint, SURFACES[surface].work)

        def target(of: ProviderSurface) -> str:
            return request_target(spec, of, provider.base_path, endpoint.upstream_model)

        streamed = streamed_surface(spec, place)
        headers = (*_JSON_HEADERS, *provider.headers, *auth_headers(spec, provider.credentials[credential]))
        return Destination(
            codec=pair,
            provider_dialect=dialect_of(spoken),
            spec=spec,
            surface=place,
            stream_surface=streamed,
            origin=provider.origin,
            base_path=provider.base_path,
            upstream_model=endpoint.upstream_model,
            target=target(place),
            stream_target=target(streamed),
            headers=headers,
            own_headers=(*headers, *with_default_headers(spec, ())),
            template=_template(provider, endpoint, self._snapshot.config.cache.prompt.inject),
            timeouts=timeouts_of(provider.timeouts, stream=True),
            whole_timeouts=timeouts_of(provider.timeouts, stream=False),
            max_body_bytes=self._snapshot.config.server.limits.max_response_bytes,
            max_values=self._snapshot.config.server.limits.max_response_values,
            drain=DrainLimits(
                policy=provider.disconnect,
                drains=self._drains,
                drain_s=self._snapshot.config.server.limits.drain_s,
            ),
            signing=provider.signing,
            redactor=Redactor([secret.reveal().decode("latin-1") for secret in provider.secrets]),
        )


def _cannot(endpoint: Endpoint, surface: str) -> Refusal:
    return Refusal(
        kind="unsupported",
        message=f"{endpoint.id!r} does not serve {surface}; ask for a model of a provider that does",
        param="model",
    )


def _template(provider: LinkedProvider, endpoint: Endpoint, cache_marks: CacheMarks) -> Target:
    return Target(
        upstream_model=endpoint.upstream_model,
        max_tokens_field=provider.spec.max_tokens_field,
        stream_usage=provider.spec.stream_usage,
        quirks=provider.spec.quirks,
        cache_marks=cache_marks,
    )
