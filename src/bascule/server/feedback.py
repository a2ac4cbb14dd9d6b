"""`POST /v1/feedback`: what an answer was worth, said by whoever got it, by its request id."""

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bascule.gateway.admission import authenticate
from bascule.gateway.identifiers import Identifiers, attempt_id
from bascule.gateway.respond import error_answer
from bascule.gateway.surfaces import Surface
from bascule.model.errors import MalformedRequest, Refusal, StoreError
from bascule.model.headers import Headers
from bascule.model.policy import KeyPolicy
from bascule.model.row import AttemptRow, RowFilter
from bascule.model.session_outcome import OutcomeWord, SessionOutcome
from bascule.ports import Clock, KeyStore, LedgerReader, OutcomeStore
from bascule.server.admin.answers import MAX_BODY_BYTES, Refused, read_json
from bascule.server.admin.work import Readings
from bascule.server.asgi import BodyTooLarge, ClientLeft
from bascule.server.credentials import presented_secret

MAX_NOTE_CHARS = 2_000
MAX_SOURCE_CHARS = 64
SOURCE = "feedback"
"""What sources of feedback begin with, so that nobody's is taken for git's or a person's at the command line."""
FIRST_ATTEMPTS = (1, 0)
"""Number of a request's first attempt, and of an answer from the cache."""
CLIENT_CLOSED_REQUEST = 499


class Feedback(Struct, frozen=True):
    """The body. One of `score` and `useful` at least."""

    request_id: str
    score: float | None = None
    useful: bool | None = None
    source: str | None = None
    note: str | None = None


class FeedbackPage:
    def __init__(
        self, *, keys: KeyStore, clock: Clock, ledger: LedgerReader, outcomes: OutcomeStore, readings: Readings
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._ledger = ledger
        self._outcomes = outcomes
        self._readings = readings
        self._identifiers = Identifiers()

    def routes(self) -> list[BaseRoute]:
        return [Route(f"{prefix}/feedback", self.take, methods=["POST"]) for prefix in ("/v1", "")]

    async def take(self, request: Request) -> Response:
        """Who calls is settled before a byte of the body is read."""
        now_ms = self._clock.now_ms()
        secret = presented_secret(Headers(request.scope["headers"]), request.scope["query_string"])
        key = authenticate(self._keys, secret, now_ms)
        if isinstance(key, Refusal):
            return self._refused(request, key)
        try:
            said = await read_json(request, Feedback)
            _check(said)
            made = await self._readings.run(lambda: self._record(said, key, now_ms))
        except MalformedRequest as error:
            return self._refused(request, Refusal(kind="malformed", message=str(error), param=error.param))
        except BodyTooLarge:
            message = f"the body is larger than {MAX_BODY_BYTES} bytes"
            return self._refused(request, Refusal(kind="too_large", message=message))
        except ClientLeft:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except StoreError as error:
            return self._refused(request, Refusal(kind="unavailable", message=str(error), retry_after_s=1))
        if isinstance(made, Refused):
            return self._refused(request, Refusal(kind="unavailable", message=made.message, retry_after_s=5))
        if isinstance(made, Refusal):
            return self._refused(request, made)
        answer = {"request_id": made.request_id, "session_id": made.session_id, "source": made.source}
        return JSONResponse({**answer, "recorded": True}, headers={"cache-control": "private, no-store"})

    def _record(self, said: Feedback, key: KeyPolicy, now_ms: int) -> SessionOutcome | Refusal:
        row = self._first_attempt(said.request_id)
        if row is None or not (self._keys.is_open or row.key == key.name):
            # What another key asked is none of this one's business, not even that it did.
            message = (
                f"request {said.request_id!r} is not one of this key's; it is in x-bascule-request-id of its answer"
            )
            return Refusal(kind="route_not_found", message=message, param="request_id")
        word: OutcomeWord | None = None if said.useful is None else "useful" if said.useful else "useless"
        made = SessionOutcome(
            session_id=row.session_id,
            request_id=said.request_id,
            at_ms=now_ms,
            outcome=word,
            score=said.score,
            source=f"{SOURCE}:{said.source}" if said.source else SOURCE,
            note=said.note,
        )
        self._outcomes.add([made])
        return made

    def _first_attempt(self, request_id: str) -> AttemptRow | None:
        for number in FIRST_ATTEMPTS:
            for row in self._ledger.attempts(RowFilter(attempt_id=attempt_id(request_id, number))):
                return row
        return None

    def _refused(self, request: Request, refusal: Refusal) -> Response:
        dialect: Surface = "anthropic_messages" if "anthropic-version" in request.headers else "openai_chat"
        status, given, body = error_answer(dialect, refusal, self._identifiers.request(self._clock.now_ms()))
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in given}
        return Response(body, status_code=status, headers=headers)


def _check(said: Feedback) -> None:
    """Raises MalformedRequest."""
    if said.score is None and said.useful is None:
        raise MalformedRequest("say `score` (0 to 1) or `useful` (true or false)", "score")
    if said.score is not None and not 0 <= said.score <= 1:
        raise MalformedRequest(f"a score is from 0 to 1, not {said.score}", "score")
    if said.source is not None and (len(said.source) > MAX_SOURCE_CHARS or not said.source.isprintable()):
        raise MalformedRequest(f"a source has at most {MAX_SOURCE_CHARS} printable characters", "source")
    if said.note is not None and len(said.note) > MAX_NOTE_CHARS:
        raise MalformedRequest(f"a note has at most {MAX_NOTE_CHARS} characters", "note")
