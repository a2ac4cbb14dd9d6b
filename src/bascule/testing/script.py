"""What the scripted upstream does with a request: a value per request, and ways to choose it."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

Dialect = Literal["openai", "anthropic", "responses", "gemini", "cohere", "bedrock"]

Fault = Literal[
    # transport
    "reset_before",  # RST before a byte of the response
    "reset_mid",  # RST in the middle of the body
    "close_before",  # FIN before a byte of the response
    "close_mid",  # FIN in the middle of the body
    "hang_before",  # nothing, ever
    "hang_mid",  # head and some body, then nothing
    "drip",  # some body, then comments (a stream) or blanks for ever
    "short_body",  # FIN before Content-Length (of a stream: before the last chunk) is reached
    "left_open",  # all of the body, but never its end
    # body
    "truncated_json",
    "empty_body",
    "null_body",
    "html_200",
    "wrong_content_type",
    "invalid_utf8",
    "gzip",  # a sound body, compressed although nobody asked
    "gzip_bomb",  # 50 MB of blanks, compressed
    "big_line",  # one line of 10 MB
    "split_bytes",  # every byte in a packet of its own
    "odd_unicode",  # content with separators, a NUL, a BOM, overrides and characters beyond the basic plane
    "lone_surrogate",  # content with an escape that stands for half a character
    "huge_headers",  # a head of 1 MB
    "header_injection",  # headers that are the gateway's own, cookies, and leave for every origin
    "header_line_feed",  # a header whose value holds a line feed and another header
    "redirect",  # 307 to `location`
    # server-sent events; without effect on an answer that is not a stream
    "clean_eof",  # the body ends well, without finish and terminal event
    "truncated_event",  # the body ends well, in the middle of an event
    "error_first",  # 200, then an error event
    "error_mid",  # an error event between content
    "bad_json_line",  # an event that is not JSON, between content
    "done_twice",
    "no_done",  # finish, but no terminal event
    "after_done",  # content after the terminal event
    "crlf",  # CRLF for line ends
    "comments",  # comment lines and blank events between events
    "empty_stream",  # 200 and no event
    "bad_checksum",  # of a message in a binary stream; without effect on others
]

UsageFault = Literal[
    "none",  # not reported
    "odd_chunk",  # on the finish chunk (OpenAI), in the last delta alone (Anthropic)
    "after_done",  # after the terminal event
    "twice",  # the last report comes again, word for word
    "cumulative",  # on every chunk, growing
    "zero",
    "negative",
    "strings",
    "huge",
    "null",
]

Bill = Literal["generated", "full", "none"]


class ScriptedCall(Struct, frozen=True):
    """A tool call to answer with."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


class Script(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer. The default is a sound one: made-up words, tokens counted from the request."""

    text: str | None = None
    """The answer; each run of blanks and a word is one token. None: `output_tokens` made-up words."""
    plain_text: str | None = None
    """The answer where no `text` is given, no tool is called and no schema asked for. None: made-up words."""
    output_tokens: int = 16
    """Visible tokens of a made-up answer, per choice. The request's cap comes first."""
    thinking: str | None = None
    """Thinking before the answer, billed as output. Anthropic gives it with a signature; OpenAI-types as
    `reasoning_content`. None: some made-up words where an Anthropic request turns thinking on."""
    reasoning_tokens: int = 0
    """Hidden reasoning before the answer, billed as output, counted against the cap."""
    tool_calls: tuple[ScriptedCall, ...] = ()
    """Where the request has tools and the user spoke last. `CALL name {json}` in that message does it too."""
    input_tokens: int | None = None
    """All prompt tokens, cached ones included. None: from the request's text, see `prompt.input_tokens`."""
    input_tokens_per_byte: float = 0.25
    cached_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    model_reported: str | None = None
    """The `model` of the answer; None repeats the request's."""
    response_id: str | None = None
    finish: str | None = None
    """Finish reason in the dialect's own word; None: what happened."""

    ttft_s: float = 0.0
    gap_s: float = 0.0
    """Between tokens."""

    status: int = 200
    retry_after: str | None = None
    """Value of Retry-After, as is."""
    error_type: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """Further response headers."""

    fault: Fault | None = None
    fault_after: int = 3
    """Content tokens before a fault in the middle."""
    location: str | None = None
    """Of `redirect`; None: this server's own trap, which counts `trap_hits`."""
    usage_fault: UsageFault | None = None
    bill: Bill = "generated"
    """What an exchange that was cut or failed costs.

    `generated`: the tokens generated before its end, so nothing after `error_first` in a stream, and all of a whole
    answer, on which the faults of events have no effect. `full`: all that was planned, as of a provider that generates
    before it fails. `none`: nothing.
    """


class ProviderRequest(Struct, frozen=True, kw_only=True):
    """A request as the chooser of a script sees it."""

    number: int
    """From 1, in the order of arrival."""
    dialect: Dialect
    path: str
    model: str
    stream: bool
    headers: dict[str, str]
    body: dict[str, Any]
    """In the form of OpenAI or Anthropic, where the dialect has another."""
    raw_body: dict[str, Any] = field(default_factory=dict)
    """As it came."""


Chooser = Callable[[ProviderRequest], Script]
Choice = Script | Sequence[Script] | Mapping[str, Script] | Chooser


def chooser(choice: Choice) -> Chooser:
    """One script for all; a sequence, cycled in order of arrival; by model (`*` for the others); or a function."""
    if isinstance(choice, Script):
        return lambda request: choice
    if isinstance(choice, Mapping):
        other = choice.get("*", Script())
        return lambda request: choice.get(request.model, other)
    if callable(choice):
        return choice
    scripts = tuple(choice)
    return lambda request: scripts[(request.number - 1) % len(scripts)]


def first_then(first: Sequence[Script], then: Choice) -> Chooser:
    """The scripts of `first` once, in order of arrival, and `then` for what follows."""
    follow = chooser(then)
    return lambda request: first[request.number - 1] if request.number <= len(first) else follow(request)


def mixed(weighted: Sequence[tuple[float, Script]], seed: int = 0) -> Chooser:
    """A script drawn by weight, the same for the same seed and number of the request."""
    weights = [weight for weight, _ in weighted]
    scripts = [script for _, script in weighted]

    def choose(request: ProviderRequest) -> Script:
        dice = random.Random(f"{seed}:{request.number}")  # noqa: S311 - repeatable, not secret
        return dice.choices(scripts, weights)[0]

    return choose


def flaky(script: Script, share: float, seed: int = 0) -> Chooser:
    """`script` for this share of the requests, and a sound answer for the others."""
    return mixed([(share, script), (1 - share, Script())], seed)


class WeightedScript(Struct, frozen=True, forbid_unknown_fields=True):
    weight: float
    script: Script


class ScriptFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON form: `first` in order, then `mix` if any, else `models` by name, else `default`."""

    default: Script = Script()
    models: dict[str, Script] = field(default_factory=dict)
    first: tuple[Script, ...] = ()
    mix: tuple[WeightedScript, ...] = ()
    seed: int = 0


def chooser_of_file(data: bytes) -> Chooser:
    """Read the JSON form. Raises msgspec.ValidationError."""
    told = msgspec.json.decode(data, type=ScriptFile)
    if told.mix:
        return first_then(told.first, mixed([(entry.weight, entry.script) for entry in told.mix], told.seed))
    return first_then(told.first, {"*": told.default, **told.models})
