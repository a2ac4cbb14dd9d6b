import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.unit.cli.calculator_figures import SELF_HOSTING
from tests.unit.cli.conftest import Bookkeeper

from bascule.model.usage import Usage

D = Decimal
H100 = ("--usd-per-hour", "19.20", "--tokens-per-second", "2800")


@pytest.mark.parametrize(("node", "usd", "speed", "per_mtok"), SELF_HOSTING)
def test_published_nodes(run: Any, node: str, usd: str, speed: int, per_mtok: str) -> None:
    found = run("selfhost", "--usd-per-hour", usd, "--tokens-per-second", str(speed), "--json").json
    assert round(D(found["usd_per_mtok"]), 3) == D(per_mtok)
    dearer = run("selfhost", "--usd-per-hour", str(D(usd) * 2), "--tokens-per-second", str(speed), "--json").json
    assert abs(D(dearer["usd_per_mtok"]) - 2 * D(found["usd_per_mtok"])) <= D("2e-12")
    text = run("selfhost", "--usd-per-hour", usd, "--tokens-per-second", str(speed)).out
    assert f"${per_mtok}" in text
    assert "--utilisation" in text  # nothing runs at full load


def test_a_quantisation_is_as_fast_as_it_is_said_to_be(run: Any) -> None:
    """Twice as fast is 0.952; the published range ends at 1.10, which is a speed-up of 1.73."""
    fp8 = run("selfhost", *H100, "--quantisation", "fp8", "--speedup", "2", "--json").json
    assert (round(D(fp8["usd_per_mtok"]), 3), fp8["quantisation"]) == (D("0.952"), "fp8")
    slower = run("selfhost", *H100, "--quantisation", "fp8", "--speedup", "1.7316", "--json").json
    assert round(D(slower["usd_per_mtok"]), 2) == D("1.10")
    assert "--speedup" in run("selfhost", *H100, "--quantisation", "fp8").err


def test_utilisation_redundancy_and_a_break_even(run: Any) -> None:
    against = ("--price-input", "3", "--price-output", "15", "--output-share", "50%")
    found = run("selfhost", *H100, "--utilisation", "0.5", "--redundancy", "1", *against, "--json").json
    assert found["fixed_per_month_usd"] == "28032.000000000"
    assert D(found["capacity_tokens_per_month"]) == 1400 * 3600 * 730
    assert abs(D(found["usd_per_mtok_at_utilisation"]) - 28032 / (D(1400) * 3600 * 730) * 1000000) < D("1e-11")
    assert found["against"]["usd_per_mtok"] == "9"
    assert D(found["break_even"]["tokens_per_month"]) == pytest.approx(D(28032) / 9 * 1000000, abs=D("1e-6"))
    unknown = run("selfhost", *H100, "--utilisation", "0.5", *against[:4], "--json").json
    assert unknown["break_even"]["tokens_per_month"] is None
    assert D(unknown["break_even"]["tokens_per_month_low"]) == D(14016) / 15 * 1000000
    assert unknown["break_even"]["tokens_per_month_high"] is None  # 3.81 a million is above 3
    assert "never at its cheapest" in run("selfhost", *H100, "--utilisation", "0.5", *against[:4]).out


def test_against_a_model_and_at_a_volume(run: Any) -> None:
    options = ("--against", "gpt-4o", "--output-share", "0", "--tokens-per-month", "10e9", "--json")
    found = run("selfhost", *H100, *options).json
    assert (found["against"]["model"], found["against"]["usd_per_mtok"]) == ("gpt-4o at openai", "2.5")
    assert (found["volume"]["nodes"], found["volume"]["cost_usd"]) == (2, "28032.000000000")
    assert found["volume"]["api_cost_usd"] == "25000.000000000"
    assert found["by_date"]["unknown"] == ["the growth of the volume", "the change of the API's price"]


def test_a_break_even_by_date(run: Any) -> None:
    at = ("--price-input", "4", "--price-output", "4", "--tokens-per-month", "1752e6")
    found = run("selfhost", *H100, *at, "--volume-growth", "100%", "--price-change", "0", "--json").json["by_date"]
    assert found["unknown"] == []
    assert found["best"] == found["worst"]
    year, month = map(int, found["best"]["since"].split("-"))
    assert year >= 2027  # half the volume it takes today, so a year from now
    falling = run("selfhost", *H100, *at, "--volume-growth", "100%", "--price-change", "-50%..0", "--json").json
    assert falling["by_date"]["best"]["since"] == f"{year}-{month:02d}"
    assert falling["by_date"]["worst"]["since"] is None
    text = run("selfhost", *H100, *at, "--volume-growth", "100%").out
    assert "No month can be told without the change of the API's price" in text


def test_volume_from_the_ledger(run: Any, book: Bookkeeper) -> None:
    for _ in range(3):
        book.attempt(
            usage=Usage(tokens_in=300, tokens_cache_read=100, tokens_out=90, tokens_reasoning=10, source="reported")
        )
    book.attempt(usage=Usage(source="none"))
    book.attempt(model="big")
    period = ("--since", "2026-11-21", "--until", "2026-11-21")
    found = run("selfhost", *H100, "--ledger-model", "small", *period, "--against", "big", "--json")
    assert found.code == 0, found.err
    volume = D(found.json["volume"]["tokens_per_month"])
    assert abs(volume - D(1500) * 730 / 24) < D("1e-9")
    assert found.json["against"]["output_share"] == "0.2"
    assert "1 of them without known usage" in run("selfhost", *H100, "--ledger-model", "small", *period).out
    nobody = run("selfhost", *H100, "--ledger-model", "nobody", *period)
    assert (nobody.code, "no tokens of 'nobody'" in nobody.err) == (1, True)


class Completions(BaseHTTPRequestHandler):
    """An OpenAI-compatible server."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str | None]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.seen.append((self.path, self.headers["authorization"]))
        body = json.dumps({"usage": {"prompt_tokens": 30, "completion_tokens": 10}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent."""


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    seen: list[tuple[str, str | None]] = []
    handler = type("Handler", (Completions,), {"seen": seen})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", seen
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_measured_endpoint(run: Any, endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, seen = endpoint
    monkeypatch.setenv("GPU_KEY", "secret-of-the-node")
    measured = ("--measure", url, "--measure-model", "m", "--measure-requests", "6", "--measure-key", "env:GPU_KEY")
    found = run("selfhost", "--usd-per-hour", "10", *measured, "--price-input", "1", "--price-output", "5", "--json")
    assert found.code == 0, found.err
    assert seen == [("/v1/chat/completions", "Bearer secret-of-the-node")] * 7
    shown = found.json["measured"]
    assert (shown["requests"], shown["tokens_in"], shown["tokens_out"]) == (6, 180, 60)
    assert found.json["tokens_per_second"] == shown["tokens_per_second"]
    assert found.json["against"]["usd_per_mtok"] == "2"  # a quarter of the measured tokens were output
    literal = run("selfhost", "--usd-per-hour", "10", *measured[:-1], "sk-secret")
    assert literal.code == 2
    assert "sk-secret" not in literal.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--usd-per-hour", "1"), "--tokens-per-second"),
        (("--usd-per-hour", "0", "--tokens-per-second", "1"), "above 0"),
        ((*H100, "--utilisation", "1.2"), "from 0 to 1|above 0 to 1"),
        ((*H100, "--price-input", "1"), "go together"),
        ((*H100, "--against", "gpt-4o", "--price-input", "1", "--price-output", "1"), "not both"),
        ((*H100, "--measure", "http://x/v1", "--measure-model", "m"), "either"),
        (("--usd-per-hour", "1", "--measure", "http://x/v1"), "--measure-model"),
        (("--usd-per-hour", "1", "--measure", "ftp://x/v1", "--measure-model", "m"), "http"),
        ((*H100, "--tokens-per-month", "1..2"), "not a range"),
    ],
)
def test_wrong_use(run: Any, options: tuple[str, ...], said: str) -> None:
    found = run("selfhost", *options)
    assert found.code == 2
    assert any(word in found.err for word in said.split("|")), found.err
