"""Token counts between dialects: the request is translated as if it were to be answered, and the count written in the
client's words."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from bascule.dialects.base import NO_CONTEXT, Body, Dialect, ReplyContext, StreamCodec, Target
from bascule.dialects.translate import ClientSide, ProviderSide, Translator
from bascule.model.errors import MalformedRequest, Refusal
from bascule.model.facts import Facts
from bascule.model.outcome import Fault


class CountingClient(Struct, frozen=True, kw_only=True):
    """A dialect as clients ask it for a count."""

    chat: ClientSide
    counted_request: Callable[[Body], Body]
    """The request inside a body. Raises MalformedRequest."""
    render_count: Callable[[int], bytes]


class CountingProvider(Struct, frozen=True, kw_only=True):
    """A dialect as providers count in it."""

    chat: ProviderSide
    dialect: Dialect
    """Reads the count."""
    as_count: Callable[[bytes, Target], bytes]
    """A request to answer as one to count."""


class CountTranslator:
    """The codec of one dialect's counting to another's. Stateless."""

    def __init__(self, client: CountingClient, provider: CountingProvider) -> None:
        self._client = client
        self._provider = provider
        self._translator = Translator(client.chat, provider.chat)

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        try:
            counted = self._client.counted_request(body)
        except MalformedRequest as problem:
            return Refusal(kind="malformed", message=str(problem), param=problem.param)
        rendered = self._translator.request(counted, raw, facts, target)
        return rendered if isinstance(rendered, Refusal) else self._provider.as_count(rendered, target)

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        read = self._provider.dialect.read_reply(raw)
        if isinstance(read, Fault):
            raise TypeError(f"this answer is none: {read.message}")
        return self._client.render_count(read.usage.tokens_in or 0)

    def stream(self, facts: Facts, model: str, splice_cost: bool, context: ReplyContext = NO_CONTEXT) -> StreamCodec:
        raise TypeError("counts have no streams; facts.stream is always False")

    def forward_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return []
