"""`GET` and `DELETE /v1/responses/{id}`: answers that were kept, for the key that got them."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bascule.gateway.admission import authenticate
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.kept import KeptAnswers
from bascule.gateway.respond import error_answer
from bascule.model.errors import Refusal
from bascule.model.headers import Headers
from bascule.model.policy import KeyPolicy
from bascule.ports import Clock, KeyStore
from bascule.server.credentials import presented_secret

_PRIVATE = {"cache-control": "private, no-store"}


class ResponsesPage:
    def __init__(self, *, keys: KeyStore, clock: Clock, kept: KeptAnswers | None) -> None:
        """`kept`: None where the configuration keeps none."""
        self._keys = keys
        self._clock = clock
        self._kept = kept
        self._identifiers = Identifiers()

    def routes(self) -> list[BaseRoute]:
        paths = ("/v1/responses/{id}", "/responses/{id}")
        return [
            *[Route(path, self.show, methods=["GET"]) for path in paths],
            *[Route(path, self.forget, methods=["DELETE"]) for path in paths],
        ]

    async def show(self, request: Request) -> Response:
        key = self._key(request)
        if isinstance(key, Refusal):
            return self._refused(key)
        response_id = request.path_params["id"]
        kept = self._kept
        found = None if kept is None else kept.response(key.name, response_id, self._clock.monotonic_s())
        if found is None:
            return self._refused(self._unknown(response_id))
        return Response(found, media_type="application/json", headers=_PRIVATE)

    async def forget(self, request: Request) -> Response:
        key = self._key(request)
        if isinstance(key, Refusal):
            return self._refused(key)
        response_id = request.path_params["id"]
        if self._kept is None or not self._kept.forget(key.name, response_id):
            return self._refused(self._unknown(response_id))
        return JSONResponse({"id": response_id, "object": "response", "deleted": True}, headers=_PRIVATE)

    def _key(self, request: Request) -> KeyPolicy | Refusal:
        secret = presented_secret(Headers(request.scope["headers"]), request.scope["query_string"])
        return authenticate(self._keys, secret, self._clock.now_ms())

    def _unknown(self, response_id: str) -> Refusal:
        why = "" if self._kept is not None else "; `responses.store` is off, and what a provider keeps is not fetched"
        message = f"no response {response_id!r} is kept for this key{why}"
        return Refusal(kind="route_not_found", message=message, code="response_not_found", param="id")

    def _refused(self, refusal: Refusal) -> Response:
        request_id = self._identifiers.request(self._clock.now_ms())
        status, headers, body = error_answer("openai_responses", refusal, request_id)
        text = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        return Response(body, status_code=status, headers=text)
