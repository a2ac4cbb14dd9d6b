"""Dialects by name, and the codec between each pair that exists. Asked at link time, never per request.

A chat dialect that both sides speak is relayed as it is; different ones are translated, each written once: a client
side and a provider side. Counting and embedding have dialects of their own, named after the chat dialect that they
stand beside.
"""

from typing import Any, Protocol

from bascule.dialects import anthropic_messages as anthropic
from bascule.dialects.anthropic_messages import counting as anthropic_counting
from bascule.dialects.anthropic_messages import last_turn as anthropic_last_turn
from bascule.dialects.anthropic_messages import sides as anthropic_sides
from bascule.dialects.base import Body, Codec, Dialect, ProviderDialect
from bascule.dialects.bedrock_converse import BEDROCK_CONVERSE
from bascule.dialects.bedrock_converse import sides as bedrock_sides
from bascule.dialects.cohere import COHERE
from bascule.dialects.cohere import sides as cohere_sides
from bascule.dialects.cohere.embed import COHERE_EMBED, EmbedCodec
from bascule.dialects.counting import CountingClient, CountingProvider, CountTranslator
from bascule.dialects.gemini import GEMINI
from bascule.dialects.gemini import RelayCodec as GeminiRelay
from bascule.dialects.gemini import counting as gemini_counting
from bascule.dialects.gemini import last_turn as gemini_last_turn
from bascule.dialects.gemini import sides as gemini_sides
from bascule.dialects.gemini_embeddings import GEMINI_EMBEDDINGS, FromOpenAI, ToOpenAI
from bascule.dialects.gemini_embeddings import RelayCodec as GeminiEmbeddingsRelay
from bascule.dialects.openai_chat import OPENAI_CHAT, RelayCodec
from bascule.dialects.openai_chat import last_turn as chat_last_turn
from bascule.dialects.openai_chat import sides as chat_sides
from bascule.dialects.openai_embeddings import OPENAI_EMBEDDINGS, EmbeddingsCodec
from bascule.dialects.openai_responses import OPENAI_RESPONSES
from bascule.dialects.openai_responses import RelayCodec as ResponsesRelay
from bascule.dialects.openai_responses import last_turn as responses_last_turn
from bascule.dialects.openai_responses import sides as responses_sides
from bascule.dialects.openai_responses.least_output import LEAST_OUTPUT_TOKENS
from bascule.dialects.sampling import digest
from bascule.dialects.translate import ClientSide, ProviderSide, Translator

_ANTHROPIC = (anthropic.ANTHROPIC_MESSAGES, anthropic.ANTHROPIC_COUNT_TOKENS)
_GEMINI = (GEMINI, gemini_counting.GEMINI_COUNT_TOKENS, GEMINI_EMBEDDINGS)
_DIALECTS: dict[str, Dialect] = {
    d.name: d for d in (OPENAI_CHAT, OPENAI_RESPONSES, OPENAI_EMBEDDINGS, *_ANTHROPIC, *_GEMINI)
}
_PROVIDER_ONLY: dict[str, ProviderDialect] = {d.name: d for d in (COHERE, COHERE_EMBED, BEDROCK_CONVERSE)}
"""Spoken by providers alone."""
_CLIENTS: dict[str, ClientSide] = {
    "openai_chat": chat_sides.CLIENT,
    "openai_responses": responses_sides.CLIENT,
    "anthropic_messages": anthropic_sides.CLIENT,
    "gemini": gemini_sides.CLIENT,
}
_PROVIDERS: dict[str, ProviderSide] = {
    "openai_chat": chat_sides.PROVIDER,
    "openai_responses": responses_sides.PROVIDER,
    "anthropic_messages": anthropic_sides.PROVIDER,
    "gemini": gemini_sides.PROVIDER,
    "cohere": cohere_sides.PROVIDER,
    "bedrock_converse": bedrock_sides.PROVIDER,
}
_COUNTING_CLIENTS: dict[str, CountingClient] = {
    "anthropic_count_tokens": CountingClient(
        chat=anthropic_sides.CLIENT,
        counted_request=anthropic_counting.counted_request,
        render_count=anthropic_counting.render_count,
    ),
    "gemini_count_tokens": CountingClient(
        chat=gemini_sides.CLIENT,
        counted_request=gemini_counting.counted_request,
        render_count=gemini_counting.render_count,
    ),
}
_COUNTING_PROVIDERS: dict[str, CountingProvider] = {
    "anthropic_count_tokens": CountingProvider(
        chat=anthropic_sides.PROVIDER,
        dialect=anthropic.ANTHROPIC_COUNT_TOKENS,
        as_count=anthropic_counting.as_count,
    ),
    "gemini_count_tokens": CountingProvider(
        chat=gemini_sides.PROVIDER,
        dialect=gemini_counting.GEMINI_COUNT_TOKENS,
        as_count=gemini_counting.as_count,
    ),
}
_CODECS: dict[tuple[str, str], Codec] = {
    **{
        (client, provider): Translator(_CLIENTS[client], _PROVIDERS[provider])
        for client in _CLIENTS
        for provider in _PROVIDERS
        if client != provider
    },
    **{
        (client, provider): CountTranslator(_COUNTING_CLIENTS[client], _COUNTING_PROVIDERS[provider])
        for client in _COUNTING_CLIENTS
        for provider in _COUNTING_PROVIDERS
        if client != provider
    },
    ("openai_chat", "openai_chat"): RelayCodec(),
    ("openai_responses", "openai_responses"): ResponsesRelay(),
    ("anthropic_messages", "anthropic_messages"): anthropic.RelayCodec(),
    ("gemini", "gemini"): GeminiRelay(),
    ("anthropic_count_tokens", "anthropic_count_tokens"): anthropic.CountTokensCodec(),
    ("gemini_count_tokens", "gemini_count_tokens"): gemini_counting.CountTokensCodec(),
    ("openai_embeddings", "openai_embeddings"): EmbeddingsCodec(),
    ("openai_embeddings", "gemini_embeddings"): FromOpenAI(),
    ("gemini_embeddings", "openai_embeddings"): ToOpenAI(),
    ("gemini_embeddings", "gemini_embeddings"): GeminiEmbeddingsRelay(),
    ("openai_embeddings", "cohere_embed"): EmbedCodec(),
}


class LastTurn(Protocol):
    """What each client dialect's module `last_turn` has."""

    def last_calls(self, body: Body) -> bytes | None: ...

    def last_message(self, body: Body) -> Any: ...

    def last_asked(self, body: Body) -> tuple[str, str] | None: ...


_LAST_TURN: dict[str, LastTurn] = {
    "openai_chat": chat_last_turn,
    "openai_responses": responses_last_turn,
    "anthropic_messages": anthropic_last_turn,
    "gemini": gemini_last_turn,
}
CLIENT_DIALECTS = tuple(_CLIENTS)
"""Chat dialects that clients may speak."""
PROVIDER_DIALECTS = tuple(_PROVIDERS)
"""Chat dialects that providers may speak."""
_BESIDE: dict[tuple[str, str], str] = {
    ("embeddings", "openai_chat"): "openai_embeddings",
    ("embeddings", "openai_responses"): "openai_embeddings",
    ("embeddings", "cohere"): "cohere_embed",
    ("count_tokens", "anthropic_messages"): "anthropic_count_tokens",
    ("embeddings", "gemini"): "gemini_embeddings",
    ("count_tokens", "gemini"): "gemini_count_tokens",
}
_LEAST_OUTPUT = {"openai_responses": LEAST_OUTPUT_TOKENS}


class UnknownDialect(KeyError):
    """No such dialect, or no codec between these two. The message lists what there is."""

    def __str__(self) -> str:
        return str(self.args[0])


def dialect(name: str) -> Dialect:
    """The dialect of this name. Raises UnknownDialect."""
    if (found := _DIALECTS.get(name)) is None:
        raise UnknownDialect(f"there is no dialect {name!r}; known are {', '.join(sorted(_DIALECTS))}")
    return found


def client_side(name: str) -> ClientSide:
    """How clients speak a chat dialect. Raises KeyError."""
    return _CLIENTS[name]


def last_calls(name: str, body: Body) -> bytes | None:
    """A digest of the tools that the model called last and with what, where their results are what a chat request of
    this client dialect brings; else None. Raises KeyError for any other dialect."""
    return _LAST_TURN[name].last_calls(body)


def last_message(name: str, body: Body) -> bytes:
    """A digest of the last message, whoever said it. Raises KeyError as `last_calls` does."""
    return digest([_LAST_TURN[name].last_message(body)])


def last_asked(name: str, body: Body) -> tuple[str, str] | None:
    """What the user asked before and what last, in a chat request of this client dialect whose last turn is a user's
    own message after an answer; else None. Raises KeyError as `last_calls` does."""
    return _LAST_TURN[name].last_asked(body)


def provider_side(name: str) -> ProviderSide:
    """How providers speak a chat dialect. Raises KeyError."""
    return _PROVIDERS[name]


def provider_dialect(name: str) -> ProviderDialect:
    """The dialect of this name as providers answer in it. Raises UnknownDialect."""
    found = _PROVIDER_ONLY.get(name)
    return dialect(name) if found is None else found


def beside(kind: str, chat_dialect: str) -> str | None:
    """The dialect in which a provider of this chat dialect does this `kind` of work (`embeddings`, `count_tokens`);
    None where it has no word for it."""
    return _BESIDE.get((kind, chat_dialect))


def least_output_tokens(provider_name: str) -> int:
    """The smallest output cap that providers take in this dialect."""
    return _LEAST_OUTPUT.get(provider_name, 1)


def count_body(name: str, tokens: int) -> bytes:
    """The answer to a client of this counting dialect. Raises KeyError for any other."""
    return _COUNTING_CLIENTS[name].render_count(tokens)


def codec(client_name: str, provider_name: str) -> Codec:
    """The codec from a client's dialect to a provider's. Raises UnknownDialect."""
    if (found := _CODECS.get((client_name, provider_name))) is None:
        dialect(client_name), provider_dialect(provider_name)
        pairs = ", ".join(f"{client} to {provider}" for client, provider in sorted(_CODECS))
        raise UnknownDialect(f"nothing translates {client_name} to {provider_name}; known are {pairs}")
    return found
