"""Secrets from variables and files."""

from pathlib import Path

import pytest

from bascule.config.secret import Secret
from bascule.config.sources import SecretMissing, Secrets


def test_variables_and_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    source = Secrets({"A": " from-env "}, tmp_path)
    assert source.read("env:A") == Secret(b"from-env")
    assert source.read("file:key") == Secret(b"from-file")
    assert source.read(f"file:{tmp_path / 'key'}") == Secret(b"from-file")
    assert source.read("none") is None


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"CANARY\nCANARY", b"CANARY\xff", "CANARYé".encode(), b"CANARY\x00x", b"C" * 20_000]
)
def test_unusable_secrets_are_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(SecretMissing) as caught:
        Secrets({}, tmp_path).read("file:key")
    assert "CANARY" not in caught.value.what + caught.value.remedy
    if content.isascii() and content.strip():
        with pytest.raises(SecretMissing) as caught:
            Secrets({"K": content.decode()}).read("env:K")
        assert "CANARY" not in caught.value.what + caught.value.remedy


def test_missing_places_say_how_to_mend(tmp_path: Path) -> None:
    source = Secrets({"EMPTY": ""}, tmp_path)
    for reference, says in [
        ("env:NOPE", "not set"),
        ("env:EMPTY", "empty"),
        ("file:nope", "No such file"),
        ("file:.", "read"),
    ]:
        with pytest.raises(SecretMissing) as caught:
            source.read(reference)
        assert says in caught.value.what
        assert caught.value.remedy
