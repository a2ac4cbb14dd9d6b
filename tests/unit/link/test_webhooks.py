"""Webhooks of the configuration: what is wrong is said with its place, and without the address."""

from pathlib import Path

import pytest

from bascule.config.load import load_text
from bascule.config.sources import Secrets
from bascule.link import Snapshot, link
from bascule.model.errors import ConfigError
from bascule.prices.book import PriceBook

TOKEN = "T0KEN-that-must-not-be-told"
SIGNING = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="


def linked(more: str, url: str, secret: str = SIGNING) -> Snapshot:
    text = f"providers: {{vllm: {{base_url: http://127.0.0.1:1/v1}}}}\n{more}"
    return link(load_text(text), PriceBook(), Secrets({"URL": url, "SECRET": secret}, Path()))


def hook(more: str = "") -> str:
    return f"alerts: {{webhooks: [{{name: ops, url: env:URL, secret: env:SECRET{more}}}]}}"


def test_an_address_is_taken_apart() -> None:
    (webhook,) = linked(hook(), f"https://hooks.example:8443/a/{TOKEN}?x=1").webhooks
    to = webhook.receiver
    assert (to.host, to.port, to.secure, to.authority) == ("hooks.example", 8443, True, "hooks.example:8443")
    assert to.target == f"/a/{TOKEN}?x=1"
    assert TOKEN not in repr(webhook)
    assert [secret.reveal() for secret in webhook.secrets] == [TOKEN.encode(), SIGNING.encode()]
    assert webhook.key == b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.mark.parametrize(
    "url",
    [
        f"http://hooks.example/{TOKEN}", f"https://127.0.0.1/{TOKEN}", f"https://2130706433/{TOKEN}",
        f"https://0x7f.1/{TOKEN}", f"https://0177.0.0.1/{TOKEN}", f"https://[::1]/{TOKEN}",
        f"https://[::ffff:10.0.0.1]/{TOKEN}", f"https://169.254.169.254/{TOKEN}", f"https://[fe80::1%25eth0]/{TOKEN}",
        f"https://localhost/{TOKEN}", f"https://metadata.google.internal/{TOKEN}", f"https://a:b@hooks.example/{TOKEN}",
        f"https://hooks.example\\@127.0.0.1/{TOKEN}", f"ftp://hooks.example/{TOKEN}", f"hooks.example/{TOKEN}",
        f"https:///{TOKEN}", f"https://hooks.example:0/{TOKEN}", f"https://hooks.example:99999/{TOKEN}",
        f"https://hooks.example/{TOKEN}#f", f"https://134744072/{TOKEN}",
    ],
)  # fmt: skip
def test_addresses_that_cannot_be_right_are_mistakes(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        linked(hook(), url)
    (problem,) = caught.value.problems
    assert "`ops`" in problem.what
    assert TOKEN not in str(caught.value)


def test_a_network_of_the_operators_own_is_named() -> None:
    allow = "alerts: {allow_private: [10.0.0.0/8], webhooks: [{name: ops, url: env:URL, secret: env:SECRET}]}"
    for url in ("http://10.1.2.3:9000/x", "https://alerts.internal/x", "http://alerts/x"):
        assert len(linked(allow, url).webhooks) == 1
    with pytest.raises(ConfigError, match="is inside"):
        linked(allow, "http://192.168.0.1/x")


def test_all_mistakes_of_the_file_are_named() -> None:
    text = """alerts:
  allow_private: [10.0.0.1/8, here]
  webhooks:
    - {name: ops, url: env:URL, secret: env:SECRET, events: [store_dwon]}
    - {name: ops, url: none}
    - {name: raw, url: "https://hooks.example/x", secret: env:SECRET}
"""
    with pytest.raises(ConfigError) as caught:
        linked(text, "https://hooks.example/")
    said = str(caught.value)
    for part in ("allow_private.0", "allow_private.1", "Did you mean `store_down`", "webhooks.2.url"):
        assert part in said, said


def test_a_webhook_needs_a_name_of_its_own_and_a_secret() -> None:
    text = """alerts:
  webhooks:
    - {name: ops, url: env:URL}
    - {name: ops, url: none, format: slack}
"""
    with pytest.raises(ConfigError) as caught:
        linked(text, "https://hooks.example/")
    said = str(caught.value)
    for part in ("has no secret", "a second webhook `ops`", "needs an address"):
        assert part in said, said


def test_secrets_must_be_usable() -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        linked(hook(), "https://hooks.example/", "whsec_%%%")
    warned = linked(hook(), "https://hooks.example/", "short").warnings
    assert any("short enough to be guessed" in warning.what for warning in warned)
