"""`bascule prices`: differences, a second opinion, prices taken over, and what ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from bascule.model.usage import Usage
from bascule.prices.book import PriceBook
from bascule.prices.local import BrokenLocalPrices

HOSTED = """
data_dir: data
providers:
  claude: {preset: anthropic}
  gpt: {preset: openai}
models:
  quick:
    endpoints: [{provider: claude, model: claude-haiku-4-5}]
  mine:
    endpoints: [{provider: gpt, model: gpt-4o}]
    price: {input: 2.00, output: 8.00}
"""


NOON = 1_795_262_400_000
"""2026-11-21T12:00:00Z: what is announced and what ends depends on the day."""


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("prices", "prices_update", "prices_verify"):
        monkeypatch.setattr(f"bascule.cli.{module}.now_ms", lambda: NOON)


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bascule.yaml").write_text(HOSTED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def litellm(folder: Path, *, haiku: float = 1e-06, **more: Any) -> Path:
    """A list that says the book's price of two models, or another one."""
    entries = {
        "claude-haiku-4-5": {"litellm_provider": "anthropic", "input_cost_per_token": haiku,
                             "output_cost_per_token": 5e-06},
        "claude-sonnet-4-5": {"litellm_provider": "anthropic", "input_cost_per_token": 3e-06,
                              "output_cost_per_token": 1.5e-05},
        **more,
    }  # fmt: skip
    path = folder / "prices.list.json"
    path.write_text(json.dumps(entries))
    return path


# --- diff


def test_two_lists_and_two_days(run: Any, hosted: Path) -> None:
    path = litellm(hosted, haiku=8e-07, new={"litellm_provider": "anthropic", "input_cost_per_token": 1e-06})
    shown = run("prices", "diff", str(path), "--json").json
    (haiku,) = shown["changed"]
    assert (haiku["provider"], haiku["model"]) == ("anthropic", "claude-haiku-4-5")
    assert haiku["changes"] == [{"rate": "input", "before_usd": "1", "after_usd": "0.8", "change": -0.2}]
    assert shown["same"] == 1
    assert shown["only_after"] == ["anthropic/new"]
    assert "anthropic/claude-haiku-4-5" not in shown["only_before"]
    assert "openai" in shown["providers_only_before"]
    announced = run("prices", "diff", "--provider", "gemini", "--json").json
    assert {one["model"] for one in announced["changed"]} >= {"gemini-3.8-flash"}
    assert announced["after"]["at"] > announced["before"]["at"]
    same = run("prices", "diff", "shipped", "shipped", "--json").json
    assert (same["changed"], same["only_before"], same["only_after"]) == ([], [], [])
    dated = run("prices", "diff", "shipped@2026-07-01", "shipped@2026-08-01", "--model", "gpt-5.6-luna", "--json").json
    assert [one["rate"] for one in dated["changed"][0]["changes"]][:2] == ["input", "output"]
    assert "-20.0%" in run("prices", "diff", str(path)).out


def test_names_that_mean_one_model_at_different_prices_are_left_alone(run: Any, hosted: Path) -> None:
    two = {name: {"litellm_provider": "anthropic", "input_cost_per_token": usd, "output_cost_per_token": 4e-06}
           for name, usd in (("claude-3-5-haiku-20241022", 8e-07), ("claude-3-5-haiku@20250101", 9e-07))}  # fmt: skip
    shown = run("prices", "diff", str(litellm(hosted, **two)), "--json").json
    assert sorted(shown["ambiguous"]) == ["anthropic/claude-3-5-haiku-20241022", "anthropic/claude-3-5-haiku@20250101"]
    assert shown["changed"] == []


def test_the_impact_on_the_ledger(run: Any, place: Path, book: Any) -> None:
    (place / "bascule.yaml").write_text(HOSTED)
    usage = Usage(tokens_in=1_000_000, tokens_out=0, source="reported")
    haiku = {"provider": "claude", "upstream_model": "claude-haiku-4-5", "model": "quick"}
    book.attempt(cost=1_000_000_000, usage=usage, **haiku)
    book.attempt(cost=1_000_000_000, usage=usage, **haiku)
    book.attempt(cost=5_000, provider="gpt", upstream_model="gpt-4o", model="mine")
    book.attempt(cost=7_000, provider="elsewhere", upstream_model="nothing-known")
    book.attempt(cost=9, start=1_700_000_000_000, usage=usage, **haiku)
    book.drain()
    path = litellm(place, haiku=8e-07)
    found = run("prices", "diff", str(path), "--impact", "--since", "2026-11-01", "--json")
    assert found.code == 0, found.err
    impact = found.json["impact"]
    assert impact["rows"] == 2
    assert (impact["recorded_usd"], impact["before_usd"]) == ("2.000000000", "2.000000000")
    assert (impact["after_usd"], impact["delta_usd"]) == ("1.600000000", "-0.400000000")
    assert {one["reason"]: one["recorded_usd"] for one in impact["not_rerated"]} == {
        "priced by the configuration": "0.000005000",
        "no price in one of the lists": "0.000007000",
    }
    assert "re-rated" in run("prices", "diff", str(path), "--impact", "--since", "2026-11-01").out
    assert run("prices", "diff", "--impact", "--since", "whenever").code == 2


def test_wrong_lists(run: Any, hosted: Path) -> None:
    assert run("prices", "diff", "nothing.json").code == 1
    (hosted / "x.json").write_text("{}")
    found = run("prices", "diff", "x.json")
    assert found.code == 1
    assert "models.dev" in found.err


# --- verify


def test_a_second_opinion_fails_only_for_configured_models(run: Any, hosted: Path) -> None:
    agrees = run("prices", "verify", "--against", str(litellm(hosted)), "--json")
    assert agrees.code == 0, agrees.err
    verdicts = {one["model"]: one["verdict"] for one in agrees.json["configured"]}
    assert verdicts == {"quick": "agrees", "mine": "missing there"}
    differs = run("prices", "verify", "--against", str(litellm(hosted, haiku=1.5e-06)), "--json")
    assert differs.code == 3
    assert differs.json["configured"][0]["changes"][0]["change"] == 0.5
    assert differs.json["differ"] == 1
    assert run("prices", "verify", "--against", str(litellm(hosted, haiku=1.005e-06))).code == 0
    assert run("prices", "verify", "--against", str(litellm(hosted, haiku=1.5e-06)), "--tolerance", "0.6").code == 0
    other = {"claude-sonnet-4-5": {"litellm_provider": "anthropic", "input_cost_per_token": 9e-06}}
    unused = run("prices", "verify", "--against", str(litellm(hosted, **other)), "--json")
    assert (unused.code, unused.json["differ"]) == (0, 1), "nobody here asks for it"


def test_the_installed_package_is_the_usual_second_source(run: Any, hosted: Path) -> None:
    shown = run("prices", "verify", "--json")
    by_name = {one["model"]: one for one in shown.json["configured"]}
    assert by_name["quick"]["verdict"] == "agrees"
    assert (by_name["mine"]["verdict"], by_name["mine"]["price_from"]) == ("differs", "config")
    assert shown.code == 3
    assert shown.json["differ"] == 0
    assert shown.json["agree"] > 2_000


# --- update


def test_prices_are_shown_then_taken_over_whole(run: Any, hosted: Path) -> None:
    path, local = litellm(hosted, haiku=8e-07), hosted / "data" / "prices.json"
    shipped = PriceBook()
    dry = run("prices", "update", str(path), "--dry-run")
    assert dry.code == 0, dry.err
    assert "-20.0%" in dry.out
    assert not local.exists()
    assert run("prices", "update", str(path)).code == 2, "nobody is there to ask"
    assert not local.exists()
    done = run("prices", "update", str(path), "--yes", "--from", "2026-11-20", "--json")
    assert done.code == 0, done.err
    assert (done.json["written"], done.json["taken"]) == (True, ["anthropic/claude-haiku-4-5"])
    assert done.json["left_out"] == {}
    book = PriceBook(local=local)
    assert book.version == done.json["price_version"] != shipped.version
    assert book.version.startswith(shipped.version)
    was, now = shipped.lookup("anthropic", "claude-haiku-4-5"), book.lookup("anthropic", "claude-haiku-4-5")
    assert was is not None
    assert now is not None
    assert now.periods[:-1] == was.periods, "the past stays as it is"
    last = now.periods[-1]
    assert last.from_ms == 1_795_132_800_000
    assert (last.rates.input, last.rates.output) == (800_000, 5_000_000)
    assert last.rates.cache_read == was.periods[-1].rates.cache_read, "the list says nothing of it"
    assert last.variants == {}, "half of another price is no batch price"
    assert book.lookup("anthropic", "claude-haiku-4-5-20251001") == now, "under all its names"
    assert book.lookup("openai", "gpt-4o") == shipped.lookup("openai", "gpt-4o")
    listed = [entry.id for entry in book.models_of("anthropic")]
    assert listed.count("claude-haiku-4-5") == 1
    own = run("market", "--only", "anthropic/claude-haiku-4-5", "--provider", "anthropic", "--json").json
    assert own["adequate"]["lines"][0]["input_usd_per_mtok"] == "0.8", "the market is reckoned with them"
    again = run("prices", "update", str(path), "--yes")
    assert "already" in again.out
    back = run("prices", "update", str(litellm(hosted)), "--yes", "--json").json
    assert back["taken"] == ["anthropic/claude-haiku-4-5"]
    assert run("prices", "diff", "shipped", "current", "--json").json["changed"] == []


def test_wild_changes_are_refused_and_new_models_only_taken_when_asked(run: Any, hosted: Path) -> None:
    path = litellm(hosted, haiku=1e-04, fresh={"litellm_provider": "anthropic", "input_cost_per_token": 1e-06,
                                              "output_cost_per_token": 2e-06})  # fmt: skip
    refused = run("prices", "update", str(path), "--yes")
    assert refused.code == 1
    assert "claude-haiku-4-5" in refused.err
    assert not (hosted / "data" / "prices.json").exists()
    assert run("prices", "update", str(path), "--yes", "--max-fold", "100", "--new").code == 0
    book = PriceBook(local=hosted / "data" / "prices.json")
    assert book.lookup("anthropic", "fresh") is not None
    assert run("prices", "update", str(path), "--model", "nothing", "--yes").code == 0


def test_wrong_use_of_update(run: Any, hosted: Path) -> None:
    assert run("prices", "update").code == 2
    assert run("prices", "update", "a.json", "--url", "https://example.org").code == 2
    assert run("prices", "update", "--url", "http://example.org/p.json", "--yes").code == 2
    assert run("prices", "update", "missing.json").code == 1
    assert run("prices", "update", str(litellm(hosted)), "--from", "someday").code == 2


def test_local_prices_that_were_changed_by_hand_are_not_priced_by(run: Any, hosted: Path) -> None:
    assert run("prices", "update", str(litellm(hosted, haiku=8e-07)), "--yes").code == 0
    local = hosted / "data" / "prices.json"
    text = local.read_text()
    assert "800000" in text
    local.write_text(text.replace("800000", "80000"))
    with pytest.raises(BrokenLocalPrices, match="by hand"):
        _ = PriceBook(local=local).version
    local.write_text(text[:-40])
    found = run("prices", "diff")
    assert found.code == 1
    assert "delete it" in found.err


def test_a_list_over_the_network(run: Any, hosted: Path, served: Any) -> None:
    url = served(litellm(hosted, haiku=8e-07).read_bytes())
    done = run("prices", "update", "--url", url, "--yes", "--json")
    assert done.code == 0, done.err
    assert done.json["taken"] == ["anthropic/claude-haiku-4-5"]
    assert run("prices", "update", "--url", served(b"<html>"), "--yes").code == 1


@pytest.fixture
def served() -> Any:
    """Bytes at an address on loopback, once each."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    servers: list[HTTPServer] = []

    def serve(body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/prices.json"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


# --- retirements


def test_what_ends_and_what_its_successor_costs(run: Any, hosted: Path) -> None:
    (hosted / "bascule.yaml").write_text(HOSTED.replace("claude-haiku-4-5", "claude-sonnet-4-5"))
    found = run("prices", "retirements", "--json").json
    first = next(one for one in found if one["declared"] and one["provider"] == "claude")
    assert (first["model"], first["retires"], first["successor"]) == ("quick", "2026-11-30", "claude-sonnet-5-5")
    assert first["price"] == {"input_usd_per_mtok": "3", "output_usd_per_mtok": "15"}
    assert first["successor_price"] == {"input_usd_per_mtok": "2", "output_usd_per_mtok": "10"}
    assert first["input_fold"] == pytest.approx(2 / 3, abs=1e-4)
    dated = [one["retires"] for one in found if one["retires"]]
    assert dated == sorted(dated)
    assert {one["provider"] for one in found} <= {"claude", "gpt"}
    soon = run("prices", "retirements", "--within", "0", "--json").json
    assert all(one["days_left"] <= 0 for one in soon)
    gone = run("prices", "retirements", "--gone", "--all", "--json").json
    assert any(one["days_left"] is not None and one["days_left"] < 0 for one in gone)
    assert "claude-sonnet-5-5" in run("prices", "retirements").out
