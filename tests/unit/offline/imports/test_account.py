"""Reports of accounts: what they tell, what it costs, and what is counted once."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bascule.model.imported import ImportCounts, Imported
from bascule.model.money import PricePeriod, PriceTimeline, Rates, Tier, Window
from bascule.model.row import AttemptRow, RowFilter
from bascule.model.usage import Usage
from bascule.offline.imports import account as account_module
from bascule.offline.imports import anthropic_usage, openai_usage, openrouter_usage
from bascule.offline.imports.account import ANTHROPIC, OPENAI, OPENROUTER, Part, row_of, source_id, span_of
from bascule.offline.imports.account_run import AccountRun, Summary, rejudged
from bascule.offline.imports.booking import Attribution
from bascule.offline.imports.run import Wanted
from bascule.offline.imports.sellers import Sellers, Sold
from bascule.storage.memory.imports import MemoryImports

REPORTS = Path(__file__).parents[3] / "fixtures" / "account-reports"
DAY = 86_400_000
NOV_1 = 1_793_491_200_000
PARTS = {"openai": openai_usage.parts, "anthropic": anthropic_usage.parts, "openrouter": openrouter_usage.parts}
ACCOUNTS = {"openai": OPENAI, "anthropic": ANTHROPIC, "openrouter": OPENROUTER}


class Books(MemoryImports):
    """A store with calls of others beside what is imported."""

    def __init__(self, calls: Sequence[AttemptRow] = ()) -> None:
        super().__init__()
        self.calls = list(calls)
        self.last: list[Imported] = []

    def put(self, rows: Iterable[Imported]) -> ImportCounts:
        self.last = list(rows)
        return super().put(self.last)

    def attempts(self, where: RowFilter) -> list[AttemptRow]:
        return [row for row in self.calls if where.admits(row)] + list(self.rows(where, by_request=False))

    def counted(self) -> int:
        """What a report over everything comes to."""
        return sum(row.cost_nanousd or 0 for row in self.attempts(RowFilter()))


def load(path: str) -> dict[str, Any]:
    return json.loads((REPORTS / path).read_text())


def parts(path: str) -> list[Part]:
    return list(PARTS[path.partition("/")[0]](load(path)))


@pytest.fixture
def take(sellers: Sellers) -> Any:
    """Import documents of one account, each as a report of its own; the summary comes back."""

    def run(name: str, *documents: dict[str, Any], store: Books | None = None, without: Any = ()) -> Summary:
        made = AccountRun(
            ACCOUNTS[name], PARTS[name], sellers=sellers, who=Attribution(), wanted=Wanted(), without=without
        )
        for document in documents:
            made.take("page", [(1, document)])
        return made.finish(store, lambda row: row.provider, dry_run=False)

    return run


def call(provider: str, at_ms: int, cost: int | None = 7, **fields: Any) -> AttemptRow:
    base: dict[str, Any] = {"kind": "settle", "attempt_id": f"a{at_ms}", "request_id": f"r{at_ms}", "attempt_no": 1,
                            "ts_start_ms": at_ms, "provider": provider, "cost_nanousd": cost, "chain": "x"}  # fmt: skip
    return AttemptRow(**base | fields)


def openai_page(*results: dict[str, Any], start_s: int = NOV_1 // 1000, width_s: int = 86_400) -> dict[str, Any]:
    bucket = {"start_time": start_s, "end_time": start_s + width_s, "results": list(results)}
    return {"object": "page", "data": [bucket], "has_more": False, "next_page": None}


def result(tokens: int = 1_000_000, **fields: Any) -> dict[str, Any]:
    return {"object": "organization.usage.completions.result", "input_tokens": tokens, "output_tokens": 0,
            "num_model_requests": 1, "model": "gpt-5.4-mini-2026-03-17"} | fields  # fmt: skip


def test_older_openai_results_hold_cached_tokens_in_input() -> None:
    first = parts("openai/completions.json")[0]
    assert (first.usage.tokens_in, first.usage.tokens_cache_read, first.usage.tokens_out) == (600_000, 400_000, 50_000)
    assert (first.requests, first.key, first.project, first.user) == (120, "key_1", "proj_web", "user-ann")
    assert (first.start_ms, first.end_ms) == (NOV_1, NOV_1 + DAY)
    assert first.usage.service_tier == "default"


def test_newer_openai_results_hold_audio_and_images_too() -> None:
    usage = parts("openai/completions.json")[1].usage
    assert (usage.tokens_in, usage.tokens_audio_in, usage.tokens_image_in) == (550_000, 20_000, 30_000)
    assert (usage.tokens_cache_read, usage.tokens_out, usage.tokens_audio_out) == (300_000, 40_000, 1_000)
    assert usage.service_tier == "batch"


@given(st.fixed_dictionaries({name: st.integers(0, 10**9) for name in ("u", "c", "w30", "w12", "a", "i", "o", "ao")}))
def test_openai_buckets_are_disjoint_and_lose_nothing(n: dict[str, int]) -> None:
    found = {
        "input_tokens": n["u"] + n["a"] + n["i"] + n["c"] + n["w30"] + n["w12"],
        "input_uncached_tokens": n["u"] + n["a"] + n["i"], "input_cached_tokens": n["c"],
        "input_cache_write_30m_tokens": n["w30"], "input_cache_write_12h_tokens": n["w12"],
        "input_audio_tokens": n["a"], "input_image_tokens": n["i"],
        "output_tokens": n["o"] + n["ao"], "output_audio_tokens": n["ao"],
    }  # fmt: skip
    usage = openai_usage.usage_of(found, None)
    assert usage.tier_input == found["input_tokens"]
    assert (usage.tokens_out or 0) + (usage.tokens_audio_out or 0) == found["output_tokens"]
    assert usage.flags == ()


def test_counts_that_do_not_add_up_are_clamped_and_flagged() -> None:
    usage = openai_usage.usage_of({"input_tokens": 5, "input_cached_tokens": 9, "output_tokens": 1}, None)
    assert (usage.tokens_in, usage.flags) == (0, ("clamped",))


def test_anthropic_amounts_are_cents_and_the_consoles_dollars() -> None:
    assert [part.amount_nanousd for part in parts("anthropic/cost_report.json")] == [1_234_567_000, 30_000_000]
    (csv,) = anthropic_usage.parts({"usage_date_utc": "2026-11-03", "model": "m", "cost_usd": "1.25", "workspace": "W"})
    assert (csv.amount_nanousd, csv.project) == (1_250_000_000, "W")


@pytest.mark.parametrize(
    ("window", "long"),
    [("0-200k", False), ("200k-1M", True), ("≤ 200k", False), ("> 200k", True), ("1M-2M", None)],
)
def test_context_windows(window: str, long: bool | None) -> None:
    row = {"usage_date_utc": "2026-11-03", "context_window": window, "usage_input_tokens_no_cache": "1"}
    (part,) = anthropic_usage.parts(row)
    assert part.long_context is long


def test_anthropic_long_prompts_cost_as_long_ones(sellers: Sellers) -> None:
    short, long = [row_of(part, ANTHROPIC, sellers, Attribution(), "") for part in parts("anthropic/messages.json")]
    # 300,000 x 3, 5m writes 20,000 x 3.75, 1h writes 10,000 x 6, reads 5,000,000 x 0.3, output 80,000 x 15, searches
    expected = 900_000_000 + 75_000_000 + 60_000_000 + 1_500_000_000 + 1_200_000_000 + 3 * 10_000_000
    assert short.cost_nanousd == expected
    assert short.tool_fees_nanousd == 30_000_000
    assert long.cost_nanousd == 400_000 * 6_000 + 1_000 * 22_500, "above 200,000 tokens twice the input, 1.5 x output"
    assert (short.usage_flags, long.usage_flags) == ((), ())


def test_a_sum_of_short_prompts_is_no_long_prompt_and_the_doubt_is_said(sellers: Sellers) -> None:
    (part, _) = parts("anthropic/messages.json")
    part.long_context = None
    row = row_of(part, ANTHROPIC, sellers, Attribution(), "")
    assert row.rates.input == 3_000_000
    assert row.usage_flags == (account_module.TIER_UNKNOWN,)


class OneSeller(Sellers):
    """Sells everything at one timeline."""

    def __init__(self, timeline: PriceTimeline) -> None:
        self.timeline = timeline

    version = "test"

    def find(self, name: str, maker: str | None) -> Sold:
        return Sold(name, maker, self.timeline)


def priced(period: PricePeriod, **fields: Any) -> AttemptRow:
    part = Part(report="r", start_ms=NOV_1, end_ms=NOV_1 + DAY, group={}, model="m",
                usage=Usage(tokens_in=1_000_000, tokens_out=0, source="reported"))  # fmt: skip
    for name, value in fields.items():
        setattr(part, name, value)
    later = PricePeriod(from_ms=NOV_1 + 10 * DAY, rates=Rates(input=9, output=9))
    return row_of(part, OPENAI, OneSeller(PriceTimeline(periods=(period, later), source="t")), Attribution(), "")


RATES = Rates(input=1_000_000, output=1)


def test_what_is_ambiguous_about_a_price_is_flagged() -> None:
    tier = PricePeriod(from_ms=0, rates=RATES, tiers=(Tier(200_000, Rates(input=2, output=2)),))
    assert priced(tier).usage_flags == ("tier_unknown",)
    assert priced(tier, long_context=False).usage_flags == ()
    batch = PricePeriod(from_ms=0, rates=RATES, variants={"batch": PricePeriod(from_ms=0, rates=RATES)})
    assert priced(batch).usage_flags == ("service_tier_unknown",)
    assert priced(batch, service_tier_told=True).usage_flags == ()
    window = PricePeriod(from_ms=0, rates=RATES, windows=(Window(0, 60, RATES),))
    assert priced(window).usage_flags == ("window_unknown",)
    assert priced(window, end_ms=NOV_1 + 3_600_000).usage_flags == ()
    assert priced(PricePeriod(from_ms=0, rates=RATES), end_ms=NOV_1 + 11 * DAY).usage_flags == ("price_changed",)


def test_a_fee_for_each_request_is_due_as_often_as_there_were_requests() -> None:
    fee = PricePeriod(from_ms=0, rates=Rates(input=1_000, output=1, request_fee=5_000_000_000))
    assert priced(fee, requests=3).cost_nanousd == 1_000_000 + 3 * 5_000_000
    assert priced(fee, requests=None).cost_nanousd is None


def test_a_report_leaves_rows_without_latency_and_with_their_requests(sellers: Sellers) -> None:
    row = row_of(parts("openai/completions.json")[0], OPENAI, sellers, Attribution(team="web"), "model")
    assert (row.ts_start_ms, row.ts_end_ms, row.status) == (NOV_1, None, None)
    assert row.tags == {"report": "completions", "span": "1d", "grouping": "model", "requests": "120"}
    assert (row.team, row.usage_source, row.client) == ("web", "reported", None)
    assert span_of(row) == (NOV_1, NOV_1 + DAY)


def test_generations_are_single_calls(sellers: Sellers) -> None:
    row = {"generation_id": "gen-1", "created_at": "2026-11-03 10:00:01.500", "cost_total": "0.0012",
           "tokens_prompt": "1000", "tokens_completion": "200", "tokens_reasoning": "50", "tokens_cached": "600",
           "model_permaslug": "openai/gpt-4.1-2025-04-14", "variant": "standard", "cancelled": "false",
           "streamed": "true", "generation_time_ms": "900", "time_to_first_token_ms": "250"}  # fmt: skip
    (part,) = openrouter_usage.parts(row)
    made = row_of(part, OPENROUTER, sellers, Attribution(), "")
    assert (made.tokens_in, made.tokens_cache_read, made.tokens_out, made.tokens_reasoning) == (400, 600, 150, 50)
    assert (made.attempt_id, made.upstream_request_id) == ("openrouter-usage:gen-1", "gen-1")
    assert (made.ts_first_ms - made.ts_start_ms, made.ts_end_ms - made.ts_start_ms) == (250, 900)
    assert (made.cost_nanousd, made.provider_cost_nanousd) == (400 * 2_000 + 600 * 500 + 200 * 8_000, 1_200_000)
    (free,) = openrouter_usage.parts(row | {"variant": "free"})
    assert free.model.endswith(":free")


@pytest.mark.parametrize(
    ("name", "document", "why"),
    [
        ("openai", {"x": 1}, "no page, bucket or row"),
        ("openai", openai_page(result(input_tokens="many")), "input_tokens: expected a whole number"),
        ("openai", openai_page(result(), width_s=0), "not after start_time"),
        ("openai", openai_page({"object": "organization.costs.result", "amount": {"value": 1, "currency": "eur"}}),
         "not in US dollars"),
        ("anthropic", {"data": [7]}, "expected an object"),
        ("anthropic", {"starting_at": "2026-11-01", "amount": "NaN"}, "expected an amount"),
        ("openrouter", {"data": [{"date": "2026-11-01"}]}, "model"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_bad_line_and_not_fatal(take: Any, name: str, document: Any, why: str) -> None:
    summary = take(name, document)
    (bad,) = summary.tally.bad
    assert (bad.file, bad.line) == ("page", 1)
    assert why in bad.why


def test_importing_again_changes_nothing_and_a_span_that_grew_is_replaced(take: Any) -> None:
    books = Books()
    assert take("openai", load("openai/completions.json"), store=books).tally.new == 3
    assert take("openai", load("openai/completions.json"), store=books).tally.same == 3
    morning, evening = openai_page(result(10)), openai_page(result(1_000_000, num_model_requests=9))
    books = Books()
    take("openai", morning, store=books)
    done = take("openai", evening, store=books)
    assert (done.tally.new, done.tally.replaced) == (0, 1)
    assert books.counted() == 750_000_000
    take("openai", morning, store=books)
    assert books.counted() == 750_000_000, "an older export does not take back what has been read since"


def test_of_one_span_in_several_files_the_fuller_reading_stands(take: Any) -> None:
    books = Books()
    summary = take("openai", openai_page(result(10)), openai_page(result(1_000_000)), store=books)
    assert (summary.tally.rows, summary.tally.copies, books.counted()) == (1, 1, 750_000_000)


def test_other_forms_of_the_same_report_replace_each_other(take: Any) -> None:
    by_key = openai_page(result(400_000, api_key_id="a"), result(600_000, api_key_id="b"))
    hours = [openai_page(result(500_000), start_s=NOV_1 // 1000 + 3600 * n, width_s=3600) for n in (1, 2)]
    books = Books()
    take("openai", openai_page(result()), store=books)
    assert take("openai", by_key, store=books).superseded == 1
    assert books.counted() == 750_000_000
    assert take("openai", *hours, store=books).superseded == 2
    assert books.counted() == 750_000_000
    assert take("openai", openai_page(result()), store=books).superseded == 2
    assert books.counted() == 750_000_000
    both = Books()
    assert take("openai", by_key, *hours, store=both).superseded == 2
    assert both.counted() == 750_000_000


def test_other_spans_other_projects_and_other_reports_do_not_replace_each_other(take: Any) -> None:
    books = Books()
    take("openai", openai_page(result(project_id="p1")), store=books)
    take("openai", openai_page(result(project_id="p2")), store=books)
    take("openai", openai_page(result(), start_s=(NOV_1 + DAY) // 1000), store=books)
    take("openai", load("openai/embeddings.json"), store=books)
    assert books.counted() == 3 * 750_000_000 + 40_000_000


def test_days_of_activity_and_single_generations_are_the_same_usage(take: Any) -> None:
    books = Books()
    take("openrouter", load("openrouter/activity.json"), store=books)
    generation = {"generation_id": "g", "created_at": "2026-11-01T10:00:00Z", "tokens_prompt": 1_000,
                  "tokens_completion": 0, "tokens_cached": 0, "model_permaslug": "openai/gpt-4.1"}  # fmt: skip
    assert take("openrouter", generation, store=books).superseded == 1
    assert books.counted() == 2_000_000


def test_what_was_billed_never_counts_beside_usage(take: Any) -> None:
    books = Books()
    summary = take("anthropic", load("anthropic/messages.json"), load("anthropic/cost_report.json"), store=books)
    assert (summary.costs.rows, summary.costs.nanousd) == (2, 1_264_567_000)
    assert books.counted() == summary.tally.cost_nanousd
    billed = list(books.attempts(RowFilter(origin="anthropic-costs")))
    assert sum(row.cost_nanousd or 0 for row in billed) == 1_264_567_000
    assert {(row.restates, row.usage_source, row.tokens_in) for row in billed} == {("usage", "none", None)}


def test_where_calls_are_known_they_count_and_the_account_does_not(take: Any) -> None:
    books = Books([call("openai", NOV_1 + 5), call("openai", NOV_1 + 6, None), call("anthropic", NOV_1 + 2 * DAY)])
    two_days = [openai_page(result()), openai_page(result(), start_s=(NOV_1 + 2 * DAY) // 1000)]
    summary = take("openai", *two_days, store=books)
    assert books.counted() == 7 + 7 + 750_000_000, "the first day by its calls, the third by the account"
    (overlap,) = summary.overlaps
    assert (overlap.origin, overlap.calls, overlap.calls_nanousd, overlap.unpriced_calls) == ("gateway", 2, 7, 1)
    assert (summary.overlap_spans, summary.overlap_nanousd) == (1, 750_000_000)
    whole = books.attempts(RowFilter(origin="openai-usage"))
    assert sum(row.cost_nanousd or 0 for row in whole) == 2 * 750_000_000, "asked for by its origin the account has all"


def test_the_gateways_own_key_can_be_left_out_instead(take: Any) -> None:
    books = Books([call("openai", NOV_1 + 5)])
    page = openai_page(result(400_000, api_key_id="gateway"), result(api_key_id="other"))
    summary = take("openai", page, store=books, without=[("api_key_id", "gateway")])
    assert (summary.excluded, summary.tally.rows) == (1, 1)
    assert books.counted() == 7 + 750_000_000
    rejudged(books, NOV_1, NOV_1 + DAY, lambda row: row.provider)
    assert books.counted() == 7 + 750_000_000, "what was said stands when calls are imported later"
    assert len(books.attempts(RowFilter(origin="openai-usage"))) == 2
    take("openai", page, store=books)
    assert books.counted() == 7, "and is taken back by an import that does not say it"


def test_what_was_counted_before_is_left_out_once_its_key_is_named(take: Any) -> None:
    books = Books()
    page = openai_page(result(400_000, api_key_id="gateway"), result(api_key_id="other"))
    take("openai", page, store=books)
    take("openai", page, store=books, without=[("api_key_id", "gateway")])
    assert books.counted() == 750_000_000


def test_calls_that_come_later_take_their_spans_over(take: Any) -> None:
    books = Books()
    take("openai", openai_page(result()), store=books)
    books.calls.append(call("openai", NOV_1 + 5, origin="codex", kind="import"))
    done, found = rejudged(books, NOV_1, NOV_1 + DAY, lambda row: row.provider)
    assert (done.replaced, len(found.overlaps)) == (1, 1)
    assert books.counted() == 7
    assert rejudged(books, NOV_1, NOV_1 + DAY, lambda row: row.provider)[0] == ImportCounts()


def test_a_generation_that_the_gateway_made_is_known_by_its_id(take: Any) -> None:
    def generation(name: str) -> dict[str, Any]:
        return {"generation_id": name, "created_at": "2026-11-01T10:00:00Z", "tokens_prompt": 1_000,
                "tokens_completion": 0, "tokens_cached": 0, "model_permaslug": "openai/gpt-4.1"}  # fmt: skip

    books = Books([call("openrouter", NOV_1 + 10 * 3_600_000 - 30_000, upstream_request_id="gen-a")])
    take("openrouter", {"data": [generation("gen-a"), generation("gen-b")]}, store=books)
    assert books.counted() == 7 + 2_000_000


def test_an_id_does_not_depend_on_what_has_grown() -> None:
    first = parts("openai/completions.json")[0]
    grown = structs.replace(first, usage=Usage(tokens_in=1, source="reported"), requests=999)
    assert source_id(first) == source_id(grown)
    assert source_id(first) != source_id(structs.replace(first, group={**first.group, "project_id": "other"}))
