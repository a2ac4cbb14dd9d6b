"""Bedrock's place and credentials: from the address and the environment, with a remedy for what is missing."""

import importlib.util

import pytest
from tests.unit.link.linking import found, linked

from bascule.model.money import PriceTimeline
from bascule.providers.signing import SigV4, region_of

KEYS = {"AWS_ACCESS_KEY_ID": "AKIACANARY0123456789", "AWS_SECRET_ACCESS_KEY": "CANARY/secret"}
REGION = {"AWS_REGION": "eu-central-1"}
BEDROCK = "providers: {bedrock: {}}"


def signing(text: str, env: dict[str, str]) -> SigV4 | None:
    return linked(text, env).providers["bedrock"].signing


def test_the_environments_keys_sign_for_the_environments_region() -> None:
    provider = linked(BEDROCK, {**KEYS, **REGION, "AWS_SESSION_TOKEN": "CANARY-token"}).providers["bedrock"]
    assert provider.origin == "https://bedrock-runtime.eu-central-1.amazonaws.com"
    assert provider.target("chat", "a.b-v1:0") == "/model/a.b-v1%3A0/converse"
    assert provider.signing is not None
    assert provider.signing.region == "eu-central-1"
    assert [secret.reveal() for secret in provider.secrets] == [
        *(b"AKIACANARY0123456789", b"CANARY/secret", b"CANARY-token")
    ]
    assert provider.has_key
    assert "CANARY" not in repr(provider)


def test_the_addresss_region_comes_first() -> None:
    url = "https://vpce-0a1b.bedrock-runtime.us-gov-west-1.vpce.amazonaws.com"
    made = signing(f"providers: {{bedrock: {{base_url: '{url}'}}}}", {**KEYS, **REGION})
    assert made is not None
    assert made.region == "us-gov-west-1"
    assert region_of("bedrock-runtime-fips.us-east-1.amazonaws.com") == "us-east-1"
    assert region_of("proxy.example") is None


def test_the_default_region_stands_in() -> None:
    made = signing(BEDROCK, {**KEYS, "AWS_DEFAULT_REGION": "eu-west-3"})
    assert made is not None
    assert made.region == "eu-west-3"


def test_without_keys_botocore_looks_for_them() -> None:
    made = signing(BEDROCK, REGION)
    assert made is not None
    assert made.keys is None


def test_an_api_key_needs_no_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    provider = linked(BEDROCK, {**REGION, "AWS_BEARER_TOKEN_BEDROCK": "ABSKCANARY"}).providers["bedrock"]
    assert provider.signing is None
    assert (b"authorization", b"Bearer ABSKCANARY") in provider.request_headers([])


def test_what_is_missing_is_named() -> None:
    assert found(BEDROCK, KEYS) == [("f.yaml:1:13", "`bedrock` needs a `base_url`")]
    local = "providers: {bedrock: {base_url: 'http://127.0.0.1:9'}}"
    assert found(local, KEYS) == [("f.yaml:1:13", "the AWS region is not known")]
    assert found(BEDROCK, {**KEYS, "AWS_REGION": "eu west/1"}) == [("f.yaml:1:13", "`bedrock` needs a `base_url`")]


def test_without_the_extra_there_is_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bascule.link.signing.find_spec", lambda name: None)
    ((where, what),) = found(BEDROCK, {**KEYS, **REGION})
    assert where == "f.yaml:1:13"
    assert "extra `bedrock`" in what


def test_any_address_may_speak_converse_or_cohere() -> None:
    text = "providers: {p: {dialect: DIALECT, base_url: 'https://x.test/base', api_key: 'env:K'}}"
    aws = linked(text.replace("DIALECT", "bedrock_converse"), {"K": "k"}).providers["p"]
    assert aws.target("chat_stream", "m") == "/base/model/m/converse-stream"
    cohere = linked(text.replace("DIALECT", "cohere"), {"K": "k"}).providers["p"]
    assert cohere.target("chat", "m") == "/base/v2/chat"


def prices_of(text: str, upstream_model: str) -> PriceTimeline:
    """Those of provider `p`."""
    direct = linked(text, {"K": "k"}).direct("p", upstream_model)
    assert direct is not None
    prices = direct.endpoints[0].prices
    assert prices is not None
    return prices


def test_writing_claudes_cache_costs_more_on_bedrock_too() -> None:
    text = (
        "providers: {p: {dialect: bedrock_converse, base_url: 'https://x.test', api_key: 'env:K', price: "
        "{input: 3, output: 15}}}"
    )
    for model, writes in (("eu.anthropic.claude-x", (3_750_000, 6_000_000)), ("amazon.nova-x", (None, None))):
        prices = prices_of(text, model)
        assert (prices.periods[0].rates.cache_write_5m, prices.periods[0].rates.cache_write_1h) == writes
        assert not prices.geo_premium, "Bedrock's places have their own prices"


def test_an_arn_is_priced_as_the_model_that_its_provider_says_it_is() -> None:
    arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2"
    text = (
        "providers: {p: {dialect: bedrock_converse, base_url: 'https://x.test', api_key: 'env:K', QUIRKS"
        "price: {input: 3, output: 15}}}\n"
        f"models: {{m: {{endpoints: [{{provider: p, model: '{arn}'}}]}}}}"
    )
    for quirks, write in (("quirks: [claude], ", 3_750_000), ("", None)):
        given = text.replace("QUIRKS", quirks)
        model = linked(given, {"K": "k"}).models["m"]
        for prices in (prices_of(given, arn), model.endpoints[0].prices):
            assert prices is not None
            assert prices.periods[0].rates.cache_write_5m == write


def test_coheres_address_has_no_version() -> None:
    ((_, what),) = found("providers: {cohere: {base_url: 'https://api.cohere.com/v2'}}", {"CO_API_KEY": "k"})
    assert "does not end in a version" in what
