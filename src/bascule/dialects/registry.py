"""Dialects by name, and the codec between each pair that exists. Asked at link time, never per request."""

from bascule.dialects import anthropic_messages as anthropic
from bascule.dialects.base import Codec, Dialect
from bascule.dialects.openai_chat import OPENAI_CHAT, RelayCodec
from bascule.dialects.openai_embeddings import OPENAI_EMBEDDINGS, EmbeddingsCodec
from bascule.dialects.translations import CHAT_TO_MESSAGES, MESSAGES_TO_CHAT

_ANTHROPIC = (anthropic.ANTHROPIC_MESSAGES, anthropic.ANTHROPIC_COUNT_TOKENS)
_DIALECTS: dict[str, Dialect] = {d.name: d for d in (OPENAI_CHAT, OPENAI_EMBEDDINGS, *_ANTHROPIC)}
_CODECS: dict[tuple[str, str], Codec] = {
    ("openai_chat", "openai_chat"): RelayCodec(),
    ("anthropic_messages", "anthropic_messages"): anthropic.RelayCodec(),
    ("anthropic_count_tokens", "anthropic_count_tokens"): anthropic.CountTokensCodec(),
    ("openai_chat", "anthropic_messages"): CHAT_TO_MESSAGES,
    ("anthropic_messages", "openai_chat"): MESSAGES_TO_CHAT,
    ("openai_embeddings", "openai_embeddings"): EmbeddingsCodec(),
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


def codec(client_name: str, provider_name: str) -> Codec:
    """The codec from a client's dialect to a provider's. Raises UnknownDialect."""
    if (found := _CODECS.get((client_name, provider_name))) is None:
        dialect(client_name), dialect(provider_name)
        pairs = ", ".join(f"{client} to {provider}" for client, provider in sorted(_CODECS))
        raise UnknownDialect(f"nothing translates {client_name} to {provider_name}; known are {pairs}")
    return found
