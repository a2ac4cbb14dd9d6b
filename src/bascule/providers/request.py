"""Target and headers of an upstream request, from a provider's spec. Runs once per attempt."""

from collections.abc import Sequence
from urllib.parse import quote

from bascule.config.secret import Secret
from bascule.providers.spec import ProviderSpec, Surface

Header = tuple[bytes, bytes]


def request_target(spec: ProviderSpec, surface: Surface, base_path: str, upstream_model: str, query: str = "") -> str:
    """Path and query to send, e.g. `/v1/chat/completions`.

    `base_path` is the base URL's own path without a trailing slash; `query` is the client's, of which only the
    parameters that the spec names go on. Raises KeyError where the provider does not serve the surface: ask
    `surface in spec.paths` first.
    """
    path, _, own = spec.paths[surface].partition("?")
    if "{model}" in path:
        path = path.replace("{model}", quote(upstream_model, safe=""))
    sent = f"{spec.query}&{own}" if spec.query and own else spec.query or own
    if query and spec.forward_query:
        kept = "&".join([pair for pair in query.split("&") if pair.partition("=")[0] in spec.forward_query])
        sent = f"{sent}&{kept}" if sent and kept else sent or kept
    return f"{base_path}{path}?{sent}" if sent else base_path + path


def streamed_surface(spec: ProviderSpec, surface: Surface) -> Surface:
    """Where a streamed answer is asked for: a path of its own (Gemini, Bedrock), or the same."""
    return "chat_stream" if surface == "chat" and "chat_stream" in spec.paths else surface


def auth_headers(spec: ProviderSpec, secret: Secret | None) -> list[Header]:
    """The credential as this provider wants it; empty where there is none."""
    if secret is None or spec.auth == "none":
        return []
    if spec.auth in ("bearer", "sigv4"):
        return [(b"authorization", b"Bearer " + secret.reveal())]
    return [(spec.auth.encode(), secret.reveal())]


def with_default_headers(spec: ProviderSpec, forwarded: Sequence[Header]) -> list[Header]:
    """The client's forwarded headers (names lower-case) and those of the spec's defaults that they lack."""
    headers = list(forwarded)
    if spec.default_headers:
        present = {name for name, _ in forwarded}
        headers += [header for header in spec.default_headers if header[0] not in present]
    return headers
