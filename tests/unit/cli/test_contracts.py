"""Contracts on the command line: what is really paid, in every form of report, and plans against the meter."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

CONFIG = """
data_dir: data
contracts:
  - {provider: anthropic, seats: 3, usd_per_seat_month: 100, covers: [claude-code]}
  - {provider: openai, commitment_usd: 1000, discount: 0.1, from: 2026-10-01, to: 2026-12-31}
"""


def logged(number: int, day: str, usd: str, user: str, **more: Any) -> dict[str, Any]:
    return {
        "origin": "claude-code", "client": "claude-code", "provider": "anthropic", "model": "claude-sonnet-4-5",
        "attempt_id": f"a{number}", "request_id": f"r{number}", "session_id": f"s{number}", "ts_start": day,
        "cost_usd": usd, "tokens_in": 900, "tokens_out": 100, "user": user,
    } | more  # fmt: skip


ROWS = [
    logged(1, "2026-10-05T10:00:00Z", "150", "ann", team="web", **{"tag.customer": "acme"}),
    logged(2, "2026-10-06T10:00:00Z", "50", "ann", team="api"),
    logged(3, "2026-10-07T10:00:00Z", "20", "bob", team="api"),
    logged(4, "2026-10-08T10:00:00Z", "30", "cust-1", team="web", origin="jsonl", client="app", provider="openai"),
    logged(5, "2026-10-08T11:00:00Z", "10", None, origin="jsonl", client="app", provider="openai"),  # type: ignore[arg-type]
]
ON_PLAN = logged(6, "2026-10-09T10:00:00Z", "7", "bob", team="api", origin="codex", client="codex", provider="openai")


def fill(folder: Path, run: Any, rows: list[dict[str, Any]], config: str = CONFIG) -> None:
    (folder / "bascule.yaml").write_text(config)
    (folder / "rows.jsonl").write_text("".join([json.dumps(row) + "\n" for row in rows]))
    found = run("import", "jsonl", "rows.jsonl", "--json")
    assert found.json["rows_new"] == len(rows), found.err


@pytest.fixture
def filled(place: Path, run: Any) -> Path:
    fill(place, run, ROWS)
    return place


LOGS = Path(__file__).parents[2] / "fixtures" / "agent-logs" / "claude"
OCTOBER = ("--month", "2026-10")


def test_three_costs_by_group_and_what_was_paid_for_nothing_come_to_what_is_paid(run: Any, filled: Path) -> None:
    document = run("report", "--by", "team", *OCTOBER, "--json").json
    teams = {group["team"]: group for group in document["groups"]}
    assert teams["web"]["cost_usd"] == "180.000000000"
    assert teams["web"]["effective_usd"] == "102.000000000"  # three quarters of ann's seat, and 30 less a tenth
    assert teams["api"]["effective_usd"] == "125.000000000"
    assert teams["api"]["marginal_usd"] == "0.000000000"
    assert teams[None]["effective_usd"] == "9.000000000"
    paid = document["paid"]
    assert paid["fixed"] == [{"contract": 0, "provider": "anthropic", "what": "idle seats", "usd": "100.000000000"}]
    assert paid["paid_usd"] == "336.000000000"
    whole = run("report", *OCTOBER, "--json").json
    assert whole["paid"] == paid
    assert (whole["total"]["cost_usd"], whole["total"]["effective_usd"]) == ("260.000000000", "236.000000000")


def test_the_bridge_of_what_is_paid_has_seats_and_terms_as_parts_of_their_own(place: Path, run: Any) -> None:
    september = [
        logged(7, "2026-09-05T10:00:00Z", "90", "ann", team="web"),
        logged(8, "2026-09-08T10:00:00Z", "40", "cust-1", team="web", origin="jsonl", client="app", provider="openai"),
    ]
    fill(place, run, ROWS + september)
    bridge = ("report", "--bridge", "2026-09", "2026-10", "--cost", "effective")
    document = run(*bridge, "--json").json
    # Three seats in both months; of the meter 40 without a discount, then 40 less a tenth.
    assert document["cost_is"] == "effective"
    assert document["before"]["cost_usd"] == "340.000000000"
    assert document["after"]["cost_usd"] == run("report", *OCTOBER, "--json").json["paid"]["paid_usd"]
    parts = {part["cause"]: Decimal(part["usd"]) for part in document["parts"]}
    assert sum(parts.values()) == Decimal(document["change_usd"]) == -4
    assert parts["fees"] == 0
    assert parts["contract_terms"] < 0
    assert (document["before"]["list_usd"], document["after"]["list_usd"]) == ("130.000000000", "260.000000000")
    table = run(*bridge).out
    assert "Change -4.00 USD of what is paid. Shapley value of nine factors" in table
    assert "At list price: $130.00 and $260.00." in table
    assert "contract terms" in run(*bridge, "--format", "html").out
    listed = run("report", "--bridge", "2026-09", "2026-10", "--json").json
    assert (listed["cost_is"], listed["change_usd"]) == ("list", "130.000000000")
    assert "contract_terms" not in [part["cause"] for part in listed["parts"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cost", "effective"), "--cost is for --bridge"),
        (("--bridge", "2026-09", "2026-10", "--cost", "effective", "--origin", "jsonl"), "leave --origin out"),
        (("--bridge", "2026-09", "2026-10", *OCTOBER), "--bridge names its two periods itself"),
    ],
)
def test_a_bridge_that_cannot_be_meant_is_refused(run: Any, filled: Path, words: tuple[str, ...], said: str) -> None:
    refused = run("report", *words)
    assert refused.code == 2
    assert said in refused.err


def test_the_bridge_says_which_subscription_is_in_neither_bill(place: Path, run: Any) -> None:
    fill(place, run, [*ROWS, ON_PLAN | {"tag.plan": "pro"}])
    told = run("report", "--bridge", "2026-09", "2026-10", "--cost", "effective").out
    assert "Use of $7.00 at list price in 2026-10 was on a subscription that no contract names" in told


def test_every_form_of_a_report_has_them(run: Any, filled: Path) -> None:
    table = run("report", "--by", "team", *OCTOBER).out
    assert "(idle seats, anthropic)" in table
    assert "$336.0000" in table  # the column adds up to what is paid
    assert "Paid: $336.00, of it $236.00 for use whose list price is $260.00, $100.00 for idle seats." in table
    rows = list(csv.DictReader(io.StringIO(run("report", "--by", "team", *OCTOBER, "--format", "csv").out)))
    assert sum(Decimal(row["effective_usd"]) for row in rows) == 336
    assert sum(Decimal(row["cost_usd"] or 0) for row in rows) == 260
    markdown = run("report", "--by", "team", *OCTOBER, "--format", "md").out
    assert "| list | effective | marginal |" in markdown
    assert "list" in run("report", *OCTOBER, "--format", "md").out


def test_chargeback_splits_what_is_paid(run: Any, filled: Path) -> None:
    document = run("report", "--chargeback", "team", *OCTOBER, "--json").json
    assert document["cost_is"] == "effective"
    assert document["total_usd"] == "336.000000000"
    assert sum(Decimal(owner["total_usd"]) for owner in document["owners"]) == 336
    assert document["shared_usd"] == "109.000000000"  # what has no team, and the idle seat
    apart = run("report", "--showback", "team", *OCTOBER, "--json").json
    assert apart["unsplit_usd"] == "109.000000000"


def test_use_on_a_plan_without_a_contract_is_not_billed(run: Any, place: Path) -> None:
    fill(place, run, [*ROWS, ON_PLAN | {"tag.plan": "pro"}], "data_dir: data\n")
    document = run("report", "--by", "origin", *OCTOBER, "--json").json
    origins = {group["origin"]: group for group in document["groups"]}
    assert (origins["codex"]["effective_usd"], origins["codex"]["on_plan_list_usd"]) == (None, "7.000000000")
    assert origins["claude-code"]["effective_usd"] == "220.000000000"
    assert "not billed as if metered" in run("report", *OCTOBER).out
    alone = run("report", "--origin", "claude-code", *OCTOBER, "--json").json
    assert "paid" not in alone


def test_without_contracts_and_plans_a_report_is_as_it_was(run: Any, place: Path) -> None:
    fill(place, run, ROWS, "data_dir: data\n")
    document = run("report", "--by", "team", *OCTOBER, "--json").json
    assert "paid" not in document
    assert "effective_usd" not in document["total"]
    assert "effective" not in run("report", *OCTOBER).out


def test_contracts_tell_what_they_cost_saved_and_have_left(run: Any, filled: Path) -> None:
    document = run("contracts", *OCTOBER, "--json").json
    seats, commitment = document["contracts"]
    assert (seats["cost_usd"], seats["list_usd"], seats["saved_usd"]) == (
        "300.000000000",
        "220.000000000",
        "-80.000000000",
    )
    assert (seats["idle_usd"], seats["seat_use"]) == ("100.000000000", 0.666667)
    assert commitment["commitment"]["left_usd"] == "964.000000000"
    assert document["paid"]["paid_usd"] == "336.000000000"
    table = run("contracts", *OCTOBER).out
    assert "anthropic: 3 seats at $100.00 for claude-code" in table
    assert "unused on 2026-12-31" in table


SEAT = "data_dir: data\ncontracts: [{provider: anthropic, seats: 1, usd_per_seat_month: 100, covers: [claude-code]}]\n"


def unpriced(number: int, **more: Any) -> dict[str, Any]:
    """Of a model that nobody is known to sell: neither provider nor cost."""
    row = logged(number, f"2026-10-0{number}T10:00:00Z", "1", "ann", model="mock-large") | more
    return {name: value for name, value in row.items() if name not in ("cost_usd", "provider") or name in more}


def test_a_seat_with_calls_that_have_no_price_is_not_idle_and_its_list_price_is_unknown(run: Any, place: Path) -> None:
    fill(place, run, [unpriced(1), unpriced(2)], SEAT)
    document = run("contracts", *OCTOBER, "--json").json
    (seat,), paid = document["contracts"], document["paid"]
    assert (seat["cost_usd"], seat["idle_usd"], seat["seat_use"]) == ("100.000000000", "0.000000000", 1.0)
    assert (seat["list_usd"], seat["saved_usd"], seat["list_over_fee"]) == (None, None, None)
    assert seat["unpriced_attempts"] == 2
    assert (paid["effective_usd"], paid["marginal_usd"], paid["fixed"]) == ("100.000000000", "0.000000000", [])
    table = run("contracts", *OCTOBER).out
    assert "list price: unknown." in table
    assert "$0.00 for" in table  # idle, which it was not
    assert "Attempts without a known price, in no list price: 2." in table
    assert "Paid: $100.00, of it $100.00 for use whose list price is unknown." in run("report", *OCTOBER).out


def test_by_the_meter_what_has_no_price_costs_an_unknown_amount(run: Any, place: Path) -> None:
    discount = "data_dir: data\ncontracts: [{provider: anthropic, discount: 0.1}]\n"
    fill(place, run, [unpriced(1, provider="anthropic"), unpriced(2, origin="jsonl", client="app")], discount)
    document = run("contracts", *OCTOBER, "--json").json
    (contract,), paid = document["contracts"], document["paid"]
    assert (contract["cost_usd"], contract["list_usd"], contract["unpriced_attempts"]) == (None, None, 1)
    assert (paid["list_usd"], paid["effective_usd"], paid["marginal_usd"]) == (None, None, None)
    told = run("report", *OCTOBER).out
    assert "Paid: $0.00, without use whose list price is unknown." in told
    assert "one more of the same costs: unknown in all" in told


def test_contracts_without_any_say_how_to_write_one(run: Any, book: Any) -> None:
    found = run("contracts")
    assert found.code == 1
    assert "usd_per_seat_month" in found.err


def test_plan_or_metered_by_person(run: Any, filled: Path) -> None:
    (client,) = run("contracts", "--plan-or-metered", *OCTOBER, "--json").json["clients"]
    assert client["client"] == "claude-code"
    people = {one["user"]: one for one in client["people"]}
    part = Decimal(27) / 31  # nothing is recorded before the fifth
    assert abs(Decimal(people["ann"]["plan_usd"]) - 100 * part) < Decimal("0.000001")
    assert (people["ann"]["cheaper"], people["bob"]["cheaper"]) == ("plan", "metered")
    assert client["all_metered_usd"] == "220.000000000"
    assert client["cheapest"] == "both"
    table = run("contracts", "--plan-or-metered", *OCTOBER).out
    assert "Cheapest: the plan for ann, the meter for 1 other." in table
    dear = run("contracts", "--plan-or-metered", "--usd-per-seat-month", "1000", *OCTOBER).out
    assert "Cheapest: the meter for all." in dear


def test_plan_or_metered_needs_a_fee(run: Any, place: Path) -> None:
    fill(place, run, ROWS, "data_dir: data\n")
    found = run("contracts", "--plan-or-metered")
    assert found.code == 2
    assert "--usd-per-seat-month" in found.err
    assert run("contracts", "--usd-per-seat-month", "5").code == 2
    assert (
        "No use of codex" in run("contracts", "--plan-or-metered", "--usd-per-seat-month", "5", "--client", "codex").out
    )


def test_units_and_their_margin(run: Any, filled: Path) -> None:
    (filled / "revenue.csv").write_text("unit,usd,month\nacme,60,2026-10\n")
    document = run("unit", *OCTOBER, "--revenue", "revenue.csv", "--json").json
    units = {unit["unit"]: unit for unit in document["units"]}
    assert set(units) == {"acme", "cust-1"}
    assert (units["acme"]["cost_usd"], units["acme"]["margin_usd"]) == ("75.000000000", "-15.000000000")
    assert (units["cust-1"]["cost_usd"], units["cust-1"]["margin_usd"]) == ("27.000000000", None)
    assert document["units"][0]["unit"] == "acme"
    assert document["paid_usd"] == "336.000000000"
    assert Decimal(document["cost_usd"]) + Decimal(document["unsplit_usd"]) == 336
    table = run("unit", *OCTOBER, "--revenue", "revenue.csv").out
    assert "Below zero: 1 paying unit, $15.00 more than they bring in." in table
    assert "(no unit)" in table
    rows = list(csv.DictReader(io.StringIO(run("unit", *OCTOBER, "--format", "csv", "--shared", "equal").out)))
    assert sum(Decimal(row["cost_usd"]) for row in rows) == 336
    assert run("unit", "--by", "tag:customer", *OCTOBER, "--format", "md").out.startswith("| tag:customer |")


def test_mistakes_of_use_and_of_the_revenue_file(run: Any, filled: Path) -> None:
    (filled / "bad.csv").write_text("unit,usd\nacme,$5\n")
    found = run("unit", "--revenue", "bad.csv")
    assert found.code == 2
    assert found.err.startswith("bad.csv:2: the amount of `acme` is not a number")
    assert run("unit", "--by", "colour").code == 2
    assert run("unit", "--unlisted-free").code == 2
    (filled / "plans.csv").write_text("plan,usd_per_month\npro,5\n")
    assert run("unit", "--by", "feature", "--revenue", "plans.csv").code == 2


def test_an_import_of_claude_codes_logs_says_how_to_tell_of_a_plan_once(run: Any, place: Path) -> None:
    (place / "bascule.yaml").write_text("data_dir: data\n")
    assert "reports show what is really paid" in run("import", "claude-code", str(LOGS)).out
    assert "really paid" not in run("import", "claude-code", str(LOGS), "--tag", "plan=max").out
    (place / "bascule.yaml").write_text(CONFIG)
    assert "really paid" not in run("import", "claude-code", str(LOGS)).out
