from pathlib import Path
from typing import Any

import pytest

from bascule.cli.certificates import Certificate, read_certificates, write_certificate


def certificate(**more: Any) -> Certificate:
    given: dict[str, Any] = {
        "provider": "local", "preset": "local", "dialect": "openai_chat", "origin": "http://127.0.0.1:9", "model": "m",
        "date": "2026-11-21", "version": "0", "passed": True, "cost_usd": None, "checks": (),
    } | more  # fmt: skip
    return Certificate(**given)


def test_a_summary(run: Any, place: Path) -> None:
    found = run("check", "--json")
    assert found.code == 0, found.err
    shown = found.json
    assert set(shown) == {
        "ok", "file", "mode", "policy_version", "price_version", "baseline", "providers", "models", "price_only",
        "routes", "aliases", "keys", "budgets", "warnings",
    }  # fmt: skip
    assert shown["ok"] is True
    assert shown["providers"] == [
        {
            "name": "local", "preset": "local", "dialect": "openai_chat", "base_url": "http://127.0.0.1:9/v1",
            "has_key": False, "standing": "from the spec only",
        }
    ]  # fmt: skip
    assert [model["name"] for model in shown["models"]] == ["small", "big"]
    assert shown["models"][0]["endpoints"][0]["input_usd_per_mtok"] == "0.1"
    assert shown["keys"] == [{"name": "ci", "team": "platform", "models": ["auto", "small"]}]
    assert "a-key-of-thirty-two" not in found.out
    assert not (place / "data").exists()
    text = run("check").out
    assert "0.1 / 0.4" in text
    assert "is right" in text


def test_an_unknown_price_is_said(run: Any, place: Path) -> None:
    (place / "c.yaml").write_text(
        "providers: {local: {dialect: openai_chat, base_url: 'http://127.0.0.1:9/v1', api_key: none}}\n"
        "models: {m: {endpoints: [{provider: local, model: up}]}}\n"
    )
    assert "price unknown" in run("check", "-c", "c.yaml").out
    assert run("check", "-c", "c.yaml", "--json").json["models"][0]["endpoints"][0]["input_usd_per_mtok"] is None


def test_a_model_with_a_price_alone_is_said_to_be_for_imports(run: Any, place: Path) -> None:
    (place / "c.yaml").write_text(
        "providers: {local: {dialect: openai_chat, base_url: 'http://127.0.0.1:9/v1', api_key: none}}\n"
        "models: {mock-large: {price: {input: 1, output: 4}}}\n"
    )
    (line,) = [line for line in run("check", "-c", "c.yaml").out.splitlines() if line.startswith("mock-large")]
    assert line.split("  ", 1)[1].split() == ["(price", "only,", "for", "imports)", "1", "/", "4"]
    shown = run("check", "-c", "c.yaml", "--json").json
    assert shown["models"] == []
    assert shown["price_only"] == [
        {"name": "mock-large", "input_usd_per_mtok": "1", "output_usd_per_mtok": "4", "price_source": "config"}
    ]
    (place / "c.yaml").write_text("providers: {openai: {}}\nmodels: {mock-large: {quality: 0.5}}\n")
    assert "has no `endpoints`" in run("check", "-c", "c.yaml").err


def test_every_mistake_at_once(run: Any, place: Path) -> None:
    (place / "bad.yaml").write_text(
        "servr: {}\nmode: sometimes\nproviders: {openai: {api_key: sk-literal}}\n"
        "routes: {auto: {candidates: [nobody]}}\nbudgets: [{scope: planet:x, limit_usd: 1, window: day}]\n"
    )
    found = run("check", "-c", "bad.yaml")
    assert found.code == 2
    for line in range(1, 6):
        assert f"bad.yaml:{line}:" in found.err
    assert "sk-literal" not in found.err
    document = run("check", "-c", "bad.yaml", "--json")
    assert document.code == 2
    assert document.json["ok"] is False
    assert len(document.json["problems"]) >= 5
    assert set(document.json["problems"][0]) == {"where", "what", "remedy"}


def test_a_missing_secret_is_a_mistake(run: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI_KEY")
    found = run("check")
    assert found.code == 2
    assert "CI_KEY" in found.err


def test_schema(run: Any, place: Path) -> None:
    found = run("check", "--schema")
    assert found.code == 0
    assert found.json["title"] == "bascule.yaml"


def test_certificates_speak_for_one_address(run: Any, place: Path) -> None:
    def said() -> str:
        return str(run("check", "--json").json["providers"][0]["standing"])

    write_certificate(place / "data", certificate())
    assert said() == "certified 2026-11-21"
    write_certificate(place / "data", certificate(passed=False))
    assert said() == "failed certification 2026-11-21"
    write_certificate(place / "data", certificate(origin="http://127.0.0.1:10"))
    assert said() == "from the spec only"
    write_certificate(place / "data", certificate(provider="other"))
    assert set(read_certificates(place / "data")) == {"local", "other"}
    (place / "data" / "certified.json").write_text("{")
    assert run("check").code == 1


def test_init_then_check(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {"OPENAI_API_KEY": "sk-0123456789abcdef0123456789abcdef"})
    made = run("init")
    assert made.code == 0, made.err
    assert "openai" in made.out
    text = (tmp_path / "bascule.yaml").read_text()
    assert "sk-0123" not in text
    checked = run("check", "--json")
    assert checked.code == 0, checked.out + checked.err
    assert [provider["name"] for provider in checked.json["providers"]] == ["openai"]
    again = run("init")
    assert again.code == 1
    assert "--force" in again.err
    assert run("init", "--force").code == 0
    assert run("init", "--out", "other.yaml").code == 0
    assert run("init", "--print").out == text
    assert run("init", "--out", "missing/b.yaml").code == 1
