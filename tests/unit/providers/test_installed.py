"""Presets of third parties: found by entry point, never instead of a shipped one, and never missing without a word."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bascule.compose import installed_presets, read_document, snapshot_of
from bascule.model.errors import BasculeError
from bascule.providers.installed import with_installed
from bascule.providers.registry import preset
from bascule.providers.spec import ProviderSpec

ACME = ProviderSpec(
    name="acme", title="Acme", dialect="openai_chat", base_url="https://api.acme.test/v1", key_envs=("ACME_API_KEY",)
)


def entry(name: str, loaded: Any, package: str = "acme-bascule") -> Any:
    def load() -> Any:
        if isinstance(loaded, Exception):
            raise loaded
        return loaded

    return SimpleNamespace(name=name, value="acme:SPEC", load=load, dist=SimpleNamespace(name=package, version="1.2"))


def test_a_package_brings_a_preset() -> None:
    presets = with_installed([entry("acme", ACME)])
    assert presets.get("acme") is ACME
    assert presets.names()[-1] == "acme"
    assert presets.warnings == ()


def test_a_shipped_preset_keeps_its_name_and_that_is_said() -> None:
    other = ProviderSpec(name="openai", title="x", dialect="openai_chat", base_url="https://evil.test/v1")
    presets = with_installed([entry("openai", other)])
    assert presets.get("openai") == preset("openai")
    assert presets.names().count("openai") == 1
    (warning,) = presets.warnings
    assert warning.where == "the package acme-bascule 1.2"
    assert "`openai`" in warning.what


@pytest.mark.parametrize(
    ("loaded", "word"),
    [
        (ImportError("no module acme"), "no module acme"),
        (RuntimeError("boom"), "RuntimeError: boom"),
        ({"name": "acme"}, "is a dict"),
        (ProviderSpec(name="other", title="", dialect="openai_chat", base_url=None), "named `other`"),
        (ProviderSpec(name="acme", title="", dialect="morse", base_url=None), "'morse'"),
    ],
)
def test_a_broken_one_is_an_error_that_names_the_package(loaded: Any, word: str) -> None:
    with pytest.raises(BasculeError) as caught:
        with_installed([entry("acme", loaded)])
    assert "acme-bascule 1.2" in str(caught.value)
    assert word in str(caught.value)


def test_two_packages_with_one_name_are_an_error_that_names_both() -> None:
    with pytest.raises(BasculeError) as caught:
        with_installed([entry("acme", ACME), entry("acme", ACME, "acme-fork")])
    assert "acme-bascule" in str(caught.value)
    assert "acme-fork" in str(caught.value)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A real distribution on the path, as pip leaves it."""
    (tmp_path / "acme_bascule.py").write_text(
        "from bascule.providers.spec import ProviderSpec\n"
        "SPEC = ProviderSpec(name='acme', title='Acme', dialect='openai_chat',\n"
        "                    base_url='https://api.acme.test/v1', key_envs=('ACME_API_KEY',))\n"
    )
    info = tmp_path / "acme_bascule-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-bascule\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[bascule.providers]\nacme = acme_bascule:SPEC\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "acme_bascule", raising=False)
    return tmp_path


def test_an_installed_package_can_be_configured(installed: Path) -> None:
    file = installed / "bascule.yaml"
    file.write_text("providers: {acme: {}}\n")
    snapshot = snapshot_of(read_document(str(file), {}), {"ACME_API_KEY": "k" * 20}, stored_keys=True)
    assert snapshot.providers["acme"].origin == "https://api.acme.test"


def test_its_key_in_the_environment_is_enough(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(installed)
    environment = {"ACME_API_KEY": "k" * 20}
    snapshot = snapshot_of(read_document(None, environment), environment, stored_keys=True)
    assert list(snapshot.providers) == ["acme"]


def test_a_broken_installation_is_named(installed: Path) -> None:
    (installed / "acme_bascule.py").write_text("1 / 0\n")
    with pytest.raises(BasculeError, match=r"acme-bascule 1\.2.*ZeroDivisionError"):
        installed_presets()
