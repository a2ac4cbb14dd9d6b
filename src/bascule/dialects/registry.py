"""Dialects by name, and the codec between each pair that exists. Asked at link time, never per request.

A chat dialect that both sides speak is relayed as it is; different ones are translated, each written once: a client
side and a provider side. Counting and embedding have dialects of their own, named after the chat dialect that they
stand beside.
"""

from bascule.dialects import anthropic_messages as anthropic
from bascule.dialects.anthropic_messages import sides as anthropic_sides
from bascule.dialects.base import Codec, Dialect, ProviderDialect
from bascule.dialects.bedrock_converse import BEDROCK_CONVERSE
from bascule.dialects.bedrock_converse import sides as bedrock_sides
from bascule.dialects.cohere import COHERE
from bascule.dialects.cohere import sides as cohere_sides
from bascule.dialects.cohere.embed import COHERE_EMBED, EmbedCodec
from bascule.dialects.openai_chat import OPENAI_CHAT, RelayCodec
from bascule.dialects.openai_chat import sides as chat_sides
from bascule.dialects.openai_embeddings import OPENAI_EMBEDDINGS, EmbeddingsCodec
from bascule.dialects.translate import ClientSide, ProviderSide, Translator

_ANTHROPIC = (anthropic.ANTHROPIC_MESSAGES, anthropic.ANTHROPIC_COUNT_TOKENS)
_DIALECTS: dict[str, Dialect] = {d.name: d for d in (OPENAI_CHAT, OPENAI_EMBEDDINGS, *_ANTHROPIC)}
_PROVIDER_ONLY: dict[str, ProviderDialect] = {d.name: d for d in (COHERE, COHERE_EMBED, BEDROCK_CONVERSE)}
"""Spoken by providers alone."""
_CLIENTS: dict[str, ClientSide] = {
    "openai_chat": chat_sides.CLIENT,
    "anthropic_messages": anthropic_sides.CLIENT,
}
_PROVIDERS: dict[str, ProviderSide] = {
    "openai_chat": chat_sides.PROVIDER,
    "anthropic_messages": anthropic_sides.PROVIDER,
    "cohere": cohere_sides.PROVIDER,
    "bedrock_converse": bedrock_sides.PROVIDER,
}
_CODECS: dict[tuple[str, str], Codec] = {
    **{
        (client, provider): Translator(_CLIENTS[client], _PROVIDERS[provider])
        for client in _CLIENTS
        for provider in _PROVIDERS
        if client != provider
    },
    ("openai_chat", "openai_chat"): RelayCodec(),
    ("anthropic_messages", "anthropic_messages"): anthropic.RelayCodec(),
    ("anthropic_count_tokens", "anthropic_count_tokens"): anthropic.CountTokensCodec(),
    ("openai_embeddings", "openai_embeddings"): EmbeddingsCodec(),
    ("openai_embeddings", "cohere_embed"): EmbedCodec(),
}
CLIENT_DIALECTS = tuple(_CLIENTS)
"""Chat dialects that clients may speak."""
PROVIDER_DIALECTS = tuple(_PROVIDERS)
"""Chat dialects that providers may speak."""
_BESIDE: dict[tuple[str, str], str] = {
    ("embeddings", "openai_chat"): "openai_embeddings",
    ("embeddings", "cohere"): "cohere_embed",
    ("count_tokens", "anthropic_messages"): "anthropic_count_tokens",
}


class UnknownDialect(KeyError):
    """No such dialect, or no codec between these two. The message lists what there is."""

    def __str__(self) -> str:
        return str(self.args[0])


def dialect(name: str) -> Dialect:
    """The dialect of this name. Raises UnknownDialect."""
    if (found := _DIALECTS.get(name)) is None:
        raise UnknownDialect(f"there is no dialect {name!r}; known are {', '.join(sorted(_DIALECTS))}")
    return found


def provider_dialect(name: str) -> ProviderDialect:
    """The dialect of this name as providers answer in it. Raises UnknownDialect."""
    found = _PROVIDER_ONLY.get(name)
    return dialect(name) if found is None else found


def beside(kind: str, chat_dialect: str) -> str | None:
    """The dialect in which a provider of this chat dialect does this `kind` of work (`embeddings`, `count_tokens`);
    None where it has no word for it."""
    return _BESIDE.get((kind, chat_dialect))


def codec(client_name: str, provider_name: str) -> Codec:
    """The codec from a client's dialect to a provider's. Raises UnknownDialect."""
    if (found := _CODECS.get((client_name, provider_name))) is None:
        dialect(client_name), provider_dialect(provider_name)
        pairs = ", ".join(f"{client} to {provider}" for client, provider in sorted(_CODECS))
        raise UnknownDialect(f"nothing translates {client_name} to {provider_name}; known are {pairs}")
    return found
