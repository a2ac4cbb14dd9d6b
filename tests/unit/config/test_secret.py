"""A secret shows itself to nobody but `reveal`."""

import copy
import pickle

import msgspec
import orjson
import pytest

from bascule.config.secret import Secret

CANARY = b"sk-canary-0123456789"


def test_no_way_of_printing_shows_it() -> None:
    secret = Secret(CANARY)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        repr([secret]),
        repr({"k": secret}),
    ]
    shown.append(orjson.dumps({"k": secret}, default=str).decode())
    shown.append(msgspec.json.encode({"k": secret}, enc_hook=str).decode())
    for text in shown:
        assert "canary" not in text
        assert "***" in text
        assert secret.fingerprint in text
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    with pytest.raises(TypeError):
        orjson.dumps(secret)


def test_it_is_not_copied_about() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY))
    with pytest.raises(TypeError):
        copy.deepcopy(Secret(CANARY))


def test_equality_and_fingerprint_follow_the_value() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret(b"other")
    assert Secret(CANARY) != CANARY
    assert len({Secret(CANARY), Secret(CANARY), Secret(b"other")}) == 2
    assert Secret(CANARY).reveal() == CANARY
