"""What a dialect can do: the seam between wire formats and the engine.

A dialect reads and writes both sides of one wire format. Same dialect in and out passes bytes through and patches
only what must change; different dialects meet in the canonical form (`model/request.py`, `response.py`,
`events.py`). Everything here is pure: bytes and values in, bytes and values out.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.outcome import Fault
from bascule.model.usage import Usage

Body = dict[str, Any]

CacheMarks = Literal["off", "auto", "always"]
"""Whether requests get cache marks that their client did not set: none, those that are translated and likely to come
again, or all."""


class Target(Struct, frozen=True, kw_only=True):
    """Where a rendered request is going: what a codec must know of the endpoint."""

    upstream_model: str
    max_tokens: int | None = None
    """The output cap to send (per choice); None leaves the client's own, or what the dialect requires."""
    max_tokens_field: str = "max_tokens"
    """OpenAI-type providers differ: `max_tokens` or `max_completion_tokens`."""
    stream_usage: Literal["stream_options", "always", "none"] = "stream_options"
    """How this provider is asked for usage in a stream."""
    quirks: frozenset[str] = frozenset()
    """Names of provider quirks that codecs know, e.g. `no_developer_role`, `no_parallel_tool_calls`,
    `system_first_only`, `no_json_schema`, `reasoning_content`, `strip_unknown`."""
    cache_marks: CacheMarks = "off"
    """For targets that cache only what is marked."""
    cache_key: str | None = None
    """What requests that begin alike have in common, for targets that route by it (`prompt_cache_key`)."""


class ReplyFacts(Struct, frozen=True, kw_only=True):
    """What settling and caching need of a whole (non-streamed) answer."""

    usage: Usage
    response_id: str | None = None
    model: str | None = None
    finish_reason: str | None = None
    """The first choice's, in canonical words: `stop`, `length`, `tool_use`, `content_filter`, `refusal`, …"""
    has_tool_calls: bool = False
    output_bytes: int = 0
    """UTF-8 bytes of generated text, reasoning and tool arguments: the estimate where usage is missing."""


class ReplyContext(Struct, frozen=True, kw_only=True):
    """What a codec may need of its own request to write the answer. Optional: without it a translated answer has
    `created` 0, and tool names that had to be shortened for the target stay shortened."""

    now_s: int = 0
    """Unix time in seconds, for OpenAI's `created`."""
    request_id: str | None = None
    """Ours, for answers whose provider gives them no id (Bedrock), and for those that are kept."""
    target: Target | None = None
    body: Body | None = None
    """The client's own body."""
    keeps: bool = False
    """The answer will be kept for requests that refer to it, by an id of ours: a provider's may come again."""
    usage: Usage | None = None
    """The usage of a whole answer as `read_reply` read it, so that it need not be read again."""


NO_CONTEXT = ReplyContext()


class StreamStep(Struct, frozen=True, kw_only=True):
    """What feeding some upstream bytes (or the upstream's end) led to."""

    forward: bytes = b""
    """Bytes for the client in its dialect; the engine holds them back until content or the end."""
    content: bool = False
    """True once this step or an earlier one carried content, so that failing over is over."""
    terminal: bool = False
    """The provider said that the answer is complete. `close` then gives the last bytes."""
    fault: Fault | None = None
    """An error event inside the stream, bytes that are not the dialect, or an end without a terminal event."""


class StreamCodec(Protocol):
    """One streamed attempt, from upstream bytes to client bytes. Sans I/O, byte-safe, bounded (1 MB a line)."""

    def feed(self, data: bytes) -> StreamStep: ...

    def end(self) -> StreamStep:
        """The upstream ended its body. `fault` is set (`truncated`) unless a terminal event came before."""
        ...

    def close(self, cost_nanousd: int | None) -> bytes:
        """After `terminal`, once the attempt is settled: the held-back end of the stream (usage event with
        `usage.cost` where the client asked for usage and the dialect bears it, terminal events)."""
        ...

    def fail(self, refusal: Refusal) -> bytes:
        """An error event of the client's dialect; never followed by a clean end."""
        ...

    @property
    def facts(self) -> ReplyFacts:
        """What is known so far; after a cut, usage seen so far and `output_bytes` as the floor of an estimate."""
        ...


class ProviderDialect(Protocol):
    """One wire format as providers answer in it."""

    @property
    def name(self) -> str: ...

    def read_reply(self, raw: bytes) -> ReplyFacts | Fault:
        """A 200 body. A Fault where it is not the dialect, is truncated, or is an error inside a 200."""
        ...

    def read_fault(self, status: int, headers: Mapping[str, str], raw: bytes) -> Fault:
        """An error status. Header names are lower-case. Parses Retry-After (seconds, `retry-after-ms`, date
        needs the Date header). Messages are bounded to 500 characters."""
        ...


class Dialect(ProviderDialect, Protocol):
    """One wire format, both sides."""

    def read_facts(self, body: Body, raw_len: int) -> Facts:
        """Raises MalformedRequest naming the field."""
        ...

    def error(self, refusal: Refusal, request_id: str) -> tuple[int, bytes]:
        """HTTP status and JSON body."""
        ...


class Codec(Protocol):
    """One (client dialect, provider dialect) pair; `dialects.registry.codec(client, provider)` returns it."""

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        """The upstream body. Same dialect: `raw` with `model`, output cap and stream usage patched, all else
        byte for byte; unknown fields kept. Else: translated, unknown fields dropped. A Refusal (`unsupported`,
        `malformed`) where the target has no word for something that must not be dropped."""
        ...

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        """The client's body for a whole 200 answer. Same dialect: unchanged but for the spliced `usage.cost`
        (None: nothing is spliced). `model` is used only where a translated body needs one."""
        ...

    def stream(self, facts: Facts, model: str, splice_cost: bool, context: ReplyContext = NO_CONTEXT) -> StreamCodec:
        """A codec for one streamed attempt. `context.target.quirks` matters to it (`no_done`)."""
        ...

    def forward_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Client headers that go on to the provider (e.g. `anthropic-beta`, `anthropic-version`); all else stays."""
        ...
