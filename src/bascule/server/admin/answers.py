"""Bodies in and out: typed requests, JSON answers, errors as `{"error": {"type", "message", "param"}}`."""

from typing import Any, TypeVar

import msgspec
import orjson
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from bascule.model.errors import MalformedRequest
from bascule.model.headers import Headers
from bascule.server.asgi import read_body

MAX_BODY_BYTES = 64 * 1024

TYPE_OF = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    503: "service_unavailable",
}

_T = TypeVar("_T")


class Refused(Struct, frozen=True, kw_only=True):
    """Why a call is not carried out, for a person, with what to do about it. Never holds a secret."""

    status: int
    message: str
    param: str | None = None
    retry_after_s: int | None = None


def document(payload: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(payload), status_code=status, media_type="application/json")


def refused(why: Refused) -> Response:
    error = {"type": TYPE_OF[why.status], "message": why.message, "param": why.param}
    answer = document({"error": error}, why.status)
    if why.retry_after_s is not None:
        answer.headers["retry-after"] = str(why.retry_after_s)
    if why.status == 401:
        answer.headers["www-authenticate"] = "Bearer"
    return answer


async def read_json(request: Request, shape: type[_T]) -> _T:
    """The body as a `shape`. Raises MalformedRequest, BodyTooLarge, ClientLeft."""
    body = await read_body(request.receive, Headers(request.scope["headers"]), MAX_BODY_BYTES)
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRequest(f"the body is not what is expected here: {error}", _place(str(error))) from error


def _place(message: str) -> str | None:
    """msgspec ends its messages with "at `$.limit_usd`" where a field is wrong."""
    _, found, place = message.rpartition(" - at `$.")
    return place.rstrip("`") if found else None
