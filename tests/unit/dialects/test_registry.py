"""Names and pairs."""

import pytest

from bascule.dialects.registry import UnknownDialect, codec, dialect, provider_dialect


def test_every_promised_pair_exists() -> None:
    for client in ("openai_chat", "openai_responses", "anthropic_messages", "gemini"):
        for provider in (client, "openai_chat", "anthropic_messages", "openai_responses", "gemini", "cohere"):
            assert codec(client, provider)
            assert provider_dialect(provider).name == provider
    assert codec("openai_embeddings", "openai_embeddings")
    assert codec("anthropic_count_tokens", "anthropic_count_tokens")


def test_unknown_names_say_what_there_is() -> None:
    with pytest.raises(UnknownDialect, match=r"no dialect 'telex'.*openai_chat"):
        dialect("telex")
    with pytest.raises(UnknownDialect, match="no dialect 'cohere'"):
        dialect("cohere")  # no client speaks it
    with pytest.raises(UnknownDialect, match="nothing translates openai_embeddings to bedrock_converse"):
        codec("openai_embeddings", "bedrock_converse")
    with pytest.raises(UnknownDialect, match="nothing translates openai_embeddings to anthropic_messages"):
        codec("openai_embeddings", "anthropic_messages")
    assert issubclass(UnknownDialect, KeyError)


def test_only_anthropics_own_headers_go_on_and_only_to_anthropic() -> None:
    headers = [
        (b"Anthropic-Beta", b"a,b"),
        (b"anthropic-version", b"2023-06-01"),
        (b"x-api-key", b"secret"),
        (b"x-app", b"cli"),
    ]
    assert codec("anthropic_messages", "anthropic_messages").forward_headers(headers) == headers[:2]
    assert codec("anthropic_messages", "openai_chat").forward_headers(headers) == []
    assert codec("openai_chat", "anthropic_messages").forward_headers(headers) == []
    assert codec("openai_chat", "openai_chat").forward_headers(headers) == []
