"""`bascule import openai-usage`, `anthropic-usage`, `openrouter-usage`: from files, and live against a fake API."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from msgspec import Struct

from bascule.cli.import_.fetching import retry_after_s
from bascule.model.usage import Usage

REPORTS = Path(__file__).parents[2] / "fixtures" / "account-reports"
NOV_1 = 1_793_491_200_000
EMPTY = {"data": [], "has_more": False, "next_page": None}


class Asked(Struct):
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]


class FakeApi:
    """Answers GETs by path from lists of (status, headers, document), and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, list[tuple[int, dict[str, str], Any]]] = {}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                fake.asked.append(Asked(parts.path, parse_qsl(parts.query), headers))
                given = fake.answers.get(parts.path, [])
                status, more, document = given.pop(0) if given else (200, {}, EMPTY)
                body = json.dumps(document).encode()
                self.send_response(status)
                for name, value in {**more, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                raise AssertionError("nothing is ever changed there")

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path: str, document: Any, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault(path, []).append((status, named, document))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    api = FakeApi()
    yield api
    api.server.shutdown()
    api.server.server_close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cost(run: Any) -> int:
    rows = run("ledger", "export").out.splitlines()
    return sum(json.loads(row)["cost_nanousd"] or 0 for row in rows)


@pytest.mark.parametrize(
    ("source", "rows", "requests", "costs"),
    [("openai-usage", 4, 168, 2), ("anthropic-usage", 4, None, 2), ("openrouter-usage", 3, 7, 0)],
)
def test_files_in_every_form_twice(
    run: Any, here: Path, source: str, rows: int, requests: int | None, costs: int
) -> None:
    folder = str(REPORTS / source.removesuffix("-usage"))
    first = run("import", source, folder, "--json")
    assert first.code == 0, first.err
    assert (first.json["rows"], first.json["requests"], first.json["costs"]["rows"]) == (rows, requests, costs)
    assert first.json["rows_new"] == rows + costs
    assert first.json["bad_lines"] == 0
    again = run("import", source, folder, "--json").json
    assert (again["rows_new"], again["rows_replaced"], again["rows_same"]) == (0, 0, rows + costs)
    assert cost(run) == round(float(first.json["cost_usd"]) * 1e9), "what was billed is not in it"


@pytest.mark.parametrize("compact", [False, True])
def test_bills_are_reported_by_their_name_alone(run: Any, here: Path, compact: bool) -> None:
    assert run("import", "openai-usage", str(REPORTS / "openai")).code == 0
    if compact:
        assert run("ledger", "compact").code == 0
    assert run("report", "--json").json["total"]["cost_usd"] == "2.075000000"
    billed = run("report", "--origin", "openai-costs", "--by", "reason", "--json").json
    assert billed["total"]["cost_usd"] == "0.675000000"
    assert {group["reason"] for group in billed["groups"]} == {
        "gpt-5.4-mini-2026-03-17, input",
        "gpt-5.4-mini-2026-03-17, output",
    }
    rows = run("ledger", "export", "--origin", "openai-costs").out.splitlines()
    assert [json.loads(row)["restates"] for row in rows] == ["usage", "usage"]


@pytest.mark.parametrize("compact", [False, True])
def test_a_report_counts_the_requests_that_rows_sum_up_and_knows_nothing_of_single_ones(
    run: Any, book: Any, compact: bool
) -> None:
    for cost_nanousd in (1_000, 3_000, 5_000):
        book.attempt(provider="local", cost=cost_nanousd, start=NOV_1)
    book.drain()
    for name in ("openai", "anthropic"):
        assert run("import", f"{name}-usage", str(REPORTS / name)).code == 0
    if compact:
        assert run("ledger", "compact").code == 0
    document = run("report", "--by", "origin", "--json").json
    found = {group["origin"]: group for group in document["groups"]}
    assert {name: group["requests"] for name, group in found.items()} == {
        "openai-usage": 168, "anthropic-usage": None, "gateway": 3
    }  # fmt: skip
    assert found["openai-usage"]["request_cost_p50_usd"] is None
    assert found["openai-usage"]["request_tokens_p50"] is None
    assert found["openai-usage"]["request_error_share"] is None
    assert found["gateway"]["request_cost_p50_usd"] == "0.000003000"
    total = document["total"]
    assert (total["requests"], total["summed_rows"], total["summed_rows_without_requests"]) == (171, 8, 4)
    assert total["request_cost_p50_usd"] is None
    table = run("report", "--by", "origin").out
    assert "≥ 171" in table
    assert "Rows that sum up many requests, from providers' reports: 8, 4 of which do not tell how many." in table


def test_single_generations_are_requests(run: Any, here: Path) -> None:
    (here / "one.csv").write_text((REPORTS / "openrouter" / "generations.csv").read_text())
    assert run("import", "openrouter-usage", "one.csv").code == 0
    total = run("report", "--json").json["total"]
    assert (total["summed_rows"], total["requests"]) == (0, total["attempts"])
    assert total["request_cost_p50_usd"] is not None


def test_a_dry_run_writes_nothing(run: Any, here: Path) -> None:
    found = run("import", "openai-usage", str(REPORTS / "openai"), "--dry-run")
    assert found.code == 0
    assert "4 rows of 168 requests in 3 files" in found.out
    assert "nothing was written" in found.out
    assert list(here.iterdir()) == []


def test_the_summary_names_what_the_gateway_has_too(run: Any, book: Any) -> None:
    used = Usage(tokens_in=1, tokens_out=1, source="reported")
    book.attempt(provider="openai", model="gpt-5.4-mini", start=NOV_1 + 60_000, cost=5_000_000, usage=used)
    book.drain()
    found = run("import", "openai-usage", str(REPORTS / "openai"))
    assert "Overlap: 1 calls from gateway, $0.0050" not in found.out
    assert "Overlap: 1 call from gateway, $0.005000 at list price, on 2026-11-01." in found.out
    assert "The account has $2.0750 in the same span." in found.out
    assert cost(run) == 5_000_000, "the third has no known price, and the first day is the gateway's"
    whole = run("import", "openai-usage", str(REPORTS / "openai"), "--without", "api_key_id=key_1", "--json").json
    assert (whole["excluded_rows"], whole["overlap"]["calls"]) == (3, [])


def test_a_provider_by_another_name_is_known_by_its_preset(run: Any, book: Any, place: Path) -> None:
    config = (place / "bascule.yaml").read_text()
    (place / "bascule.yaml").write_text(config.replace("providers:", "providers:\n  ours: {preset: openai}"))
    book.attempt(provider="ours", start=NOV_1 + 60_000)
    book.drain()
    document = run("import", "openai-usage", str(REPORTS / "openai"), "--json").json
    assert [one["origin"] for one in document["overlap"]["calls"]] == ["gateway"]


def test_use_on_a_subscription_is_no_use_of_the_account(run: Any, book: Any, place: Path) -> None:
    seats = "contracts: [{provider: anthropic, seats: 1, usd_per_seat_month: 100, covers: [claude-code]}]\n"
    config = (place / "bascule.yaml").read_text()
    (place / "bascule.yaml").write_text(config.replace("providers:", "providers:\n  anthropic: {}") + seats)
    book.attempt(provider="anthropic", client="claude-code", start=NOV_1 + 60_000)
    book.drain()
    document = run("import", "anthropic-usage", str(REPORTS / "anthropic"), "--json").json
    assert document["overlap"]["calls"] == []


def test_a_later_import_of_logs_takes_its_spans_over(run: Any, here: Path) -> None:
    assert run("import", "anthropic-usage", str(REPORTS / "anthropic" / "messages.json")).code == 0
    row = {"id": "1", "origin": "claude-code", "ts_start": "2026-11-01T09:00:00Z", "provider": "anthropic",
           "cost_usd": "0.25"}  # fmt: skip
    (here / "calls.jsonl").write_text(json.dumps(row) + "\n")
    found = run("import", "jsonl", str(here / "calls.jsonl"))
    assert "that these calls stand for, not counted any more: 2." in found.out
    assert cost(run) == 250_000_000


def test_openai_live(run: Any, here: Path, fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-not-to-be-shown")
    usage = "/v1/organization/usage/completions"
    page = json.loads((REPORTS / "openai" / "completions.json").read_text())
    first, _, third = page["data"]
    fake.answer(usage, {}, status=429, retry_after="0")
    fake.answer(usage, {"object": "page", "data": [first], "has_more": True, "next_page": "page_2"})
    fake.answer(usage, {"object": "page", "data": [third], "has_more": False, "next_page": None})
    found = run("import", "openai-usage", "--live", "--url", f"{fake.url}/v1", "--since", "2026-11-01",
                "--until", "2026-11-03", "--json")  # fmt: skip
    assert found.code == 0, found.err
    assert (found.json["rows"], found.json["requests"], found.json["lines"]) == (3, 128, 4)
    asked = [one.path.removeprefix("/v1/organization/") for one in fake.asked]
    assert asked == ["usage/completions"] * 3 + ["usage/embeddings", "costs"]
    query = dict(fake.asked[0].query)
    assert (query["start_time"], query["end_time"], query["bucket_width"]) == ("1793491200", "1793750400", "1d")
    groups = [value for name, value in fake.asked[0].query if name == "group_by[]"]
    assert groups == ["project_id", "user_id", "api_key_id", "model", "batch", "service_tier"]
    assert [value for name, value in fake.asked[2].query if name == "page"] == ["page_2"]
    assert {one.headers["authorization"] for one in fake.asked} == {"Bearer sk-admin-not-to-be-shown"}
    assert "not-to-be-shown" not in found.out + found.err
    from_file = run("import", "openai-usage", str(REPORTS / "openai" / "completions.json"), "--json").json
    assert from_file["rows_same"] == 3, "the same rows, wherever they were read"


def test_anthropic_live(run: Any, here: Path, fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", "sk-ant-admin-x")
    usage, costs = "/v1/organizations/usage_report/messages", "/v1/organizations/cost_report"
    fake.answer(usage, json.loads((REPORTS / "anthropic" / "messages.json").read_text()))
    fake.answer(costs, {}, status=529)
    fake.answer(costs, json.loads((REPORTS / "anthropic" / "cost_report.json").read_text()))
    monkeypatch.setattr("bascule.cli.import_.fetching.time.sleep", lambda _: None)
    found = run("import", "anthropic-usage", "--live", "--url", fake.url, "--since", "2026-11-01", "--json")
    assert found.code == 0, found.err
    assert (found.json["rows"], found.json["costs"]["billed_usd"]) == (2, "1.264567000")
    assert [one.path for one in fake.asked] == [usage, costs, costs]
    query = dict(fake.asked[0].query)
    assert query["starting_at"] == "2026-11-01T00:00:00Z"
    assert query["ending_at"].endswith("T00:00:00Z")
    headers = fake.asked[0].headers
    assert (headers["x-api-key"], headers["anthropic-version"]) == ("sk-ant-admin-x", "2023-06-01")
    assert "authorization" not in headers


def test_openrouter_live(run: Any, here: Path, fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", "sk-or-x")
    fake.answer("/api/v1/activity", json.loads((REPORTS / "openrouter" / "activity.json").read_text()))
    found = run("import", "openrouter-usage", "--live", "--url", f"{fake.url}/api/v1", "--since", "2026-11-01",
                "--json")  # fmt: skip
    assert (found.json["rows"], found.json["provider_cost_usd"]) == (1, "0.015000000")
    assert found.json["ambiguous"] == {"cache_unknown": 1}


@pytest.mark.parametrize(
    ("status", "document", "said"),
    [
        (401, {"error": {"message": "secret sauce"}}, "refuses the key from OPENAI_ADMIN_KEY (HTTP 401)"),
        (400, {"error": {"message": "bad group_by"}}, "answers HTTP 400 to GET /organization/usage/completions: bad"),
        (302, {}, "answers HTTP 302"),
    ],
)
def test_refusals_of_the_api(
    run: Any, here: Path, fake: FakeApi, monkeypatch: pytest.MonkeyPatch, status: int, document: Any, said: str
) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "k")
    fake.answer("/organization/usage/completions", document, status=status, location=f"{fake.url}/elsewhere")
    found = run("import", "openai-usage", "--live", "--url", fake.url)
    assert found.code == 1
    assert said in found.err
    assert len(fake.asked) == 1, "no redirect is followed, nothing is tried again"
    assert list(here.iterdir()) == []


def test_impatience_has_a_bound(run: Any, here: Path, fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "k")
    fake.answer("/organization/usage/completions", {}, status=429, retry_after="4000")
    found = run("import", "openai-usage", "--live", "--url", fake.url)
    assert (found.code, len(fake.asked)) == (1, 1)
    assert "wants 4000 s of patience" in found.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give either a PATH or --live"),
        (("--live",), "OPENAI_ADMIN_KEY"),
        (("--live", "/tmp"), "either"),
        (("/no/such/file",), "no such file"),
        (("--url", "https://x", "/tmp"), "--url goes with --live"),
        (("--without", "key", "/tmp"), "not GROUP=ID"),
    ],
)
def test_wrong_use(run: Any, here: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str) -> None:
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    found = run("import", "openai-usage", *options)
    assert found.code == 2
    assert said in found.err


def test_a_key_goes_over_no_open_wire(run: Any, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "k")
    found = run("import", "openai-usage", "--live", "--url", "http://api.example.com")
    assert found.code == 2
    assert "https" in found.err


def test_files_that_are_no_reports(run: Any, here: Path) -> None:
    (here / "x.json").write_text('{"hello": 1}')
    found = run("import", "anthropic-usage", str(here / "x.json"))
    assert found.code == 1
    assert "x.json:1: no page, bucket or row of Anthropic's usage or cost report" in found.err


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), (None, None), ("soon", None), ("Sun, 01 Nov 2026 00:00:10 GMT", 10.0)],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOV_1 / 1000) == seconds
