"""Rows of any program. The round trip with our own export is in tests/unit/cli/test_import.py."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.model.row import AttemptRow
from bascule.offline.imports.booking import Attribution
from bascule.offline.imports.columns import count, dollars, moment
from bascule.offline.imports.lines import BadLine, read_blocks
from bascule.offline.imports.observed import Given
from bascule.offline.imports.rows import RowReader, column_map
from bascule.offline.imports.sellers import Sellers

WHEN = {"ts_start": "2026-11-21T12:00:00Z"}
NOON = 1_795_262_400_000
Read = Callable[..., list[Any]]


@pytest.fixture
def read(tmp_path: Path, sellers: Sellers) -> Read:
    def reading(text: str, name: str = "rows.jsonl", map: dict[str, str] | None = None, **who: str) -> list[Any]:  # noqa: A002
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return list(RowReader(sellers, Attribution(**who), column_map(map or {})).read(path, read_blocks(path)))

    return reading


def row(items: list[Any]) -> AttemptRow:
    (item,) = items
    assert isinstance(item, Given), item
    return item.row


def bad(items: list[Any]) -> str:
    (item,) = items
    assert isinstance(item, BadLine), item
    return item.why


def test_a_row_without_a_cost_is_priced_at_its_day(read: Read) -> None:
    given = WHEN | {
        "model": "claude-sonnet-4-5",
        "tokens_in": 1_000,
        "tokens_out": 100,
        "tag.team": "shop",
        "user": "ann",
    }
    found = row(read(json.dumps(given), team="platform", user="bob"))
    assert found.cost_nanousd == 1_000 * 3_000 + 100 * 15_000
    assert (found.provider, found.usage_source, found.ts_start_ms) == ("anthropic", "reported", NOON)
    assert (found.user, found.team, found.tags) == ("ann", "platform", {"team": "shop"})
    assert (found.kind, found.origin, found.chain) == ("import", "jsonl", "")


def test_a_cost_is_taken_at_its_word_an_empty_one_too(read: Read) -> None:
    given = WHEN | {"model": "claude-sonnet-4-5", "tokens_in": 1_000, "tokens_out": 100}
    assert row(read(json.dumps(given | {"cost_usd": "0.5"}))).cost_nanousd == 500_000_000
    assert row(read(json.dumps(given | {"cost_nanousd": 7, "cost_usd": "0.5"}))).cost_nanousd == 7
    assert row(read(json.dumps(given | {"cost_nanousd": None, "cost_usd": 0.25}))).cost_nanousd == 250_000_000
    assert row(read(json.dumps(given | {"cost_usd": None}))).cost_nanousd is None


def test_columns_of_others_by_name_and_by_path(read: Read) -> None:
    given = {
        "startTime": 1_795_262_400.5,
        "usage": {"prompt": 9, "a.b": 4},
        "spend": 0.001,
        "x": {"id": "r7"},
        "junk": 1,
    }
    names = {"ts_start": "startTime", "tokens_in": "usage.prompt", "cost_usd": "spend", "id": "x.id", "tag.j": "absent"}
    items = read("\n".join([json.dumps(given)]), map=names)
    found = row(items)
    assert (found.ts_start_ms, found.tokens_in, found.cost_nanousd) == (NOON + 500, 9, 1_000_000)
    assert found.attempt_id == "jsonl:r7"
    assert found.tags == {}


def test_a_map_to_no_column_of_ours_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean tokens_in"):
        column_map({"token_in": "x"})


def test_csv_with_quotes_line_ends_tags_and_bom(read: Read) -> None:
    text = (
        "\ufeffts_start,model,tokens_in,tokens_out,tag.job,tags,stream,status,cost_usd\r\n"
        '2026-11-21 12:00,gpt-5,1000,,"a, ""b""\r\nc","{""k"":""v""}",true,200,\r\n'
        "\r\n"
        '1795262400,gpt-5,10,1,,,no,,"$1,234.50"\r\n'
    )
    first, second = [item.row for item in read(text, "rows.csv")]
    assert first.tags == {"job": 'a, "b"\nc', "k": "v"}
    assert (first.ts_start_ms, first.tokens_in, first.tokens_out, first.stream, first.status) == (
        NOON,
        1000,
        None,
        True,
        200,
    )
    assert first.cost_nanousd is None
    assert (second.ts_start_ms, second.stream, second.cost_nanousd) == (NOON, False, 1_234_500_000_000)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"tokens_in": 1}, "ts_start: a row needs the time"),
        (WHEN | {"tokens_in": -1}, "tokens_in: expected a whole number that is not negative"),
        (WHEN | {"tokens_in": "many"}, "tokens_in: expected a whole number"),
        (WHEN | {"tokens_in": 1.5}, "tokens_in: expected a whole number"),
        (WHEN | {"cost_usd": "free"}, "cost_usd: expected an amount of dollars"),
        (WHEN | {"cost_usd": "NaN"}, "cost_usd: expected an amount of dollars"),
        (WHEN | {"cost_nanousd": 0.5}, "cost_nanousd: expected a whole number of nano-dollars"),
        ({"ts_start": "soon"}, "ts_start: expected a time"),
        ({"ts_start": -5}, "ts_start: expected a time"),
        (WHEN | {"role": "king"}, "role: expected one of primary"),
        (WHEN | {"tags": [1]}, "tags: expected an object"),
        (WHEN | {"stream": "maybe"}, "stream: expected true or false"),
        (WHEN | {"rates": {"input": "x"}}, "rates: expected rates"),
        (WHEN | {"user": ["ann"]}, "user: expected text"),
        (WHEN | {"user": "x" * 5_000}, "user: longer than"),
    ],
)
def test_bad_values_name_their_column(read: Read, given: dict[str, Any], why: str) -> None:
    assert bad(read(json.dumps(given))).startswith(why)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ts_start,user\n2026-11-21,\udcff\n", "not UTF-8"),
        ("ts_start,user\n2026-11-21\n", "1 cells under 2 columns"),
        ('ts_start,user\n2026-11-21,"a"b\n', "broken CSV"),
    ],
)
def test_bad_csv_rows(read: Read, text: str, why: str) -> None:
    assert why in bad(read(text, "rows.csv"))


def test_rows_without_an_id_are_known_by_what_they_say(read: Read) -> None:
    one, two = json.dumps(WHEN | {"tokens_in": 1}), json.dumps(WHEN | {"tokens_in": 2})
    ids = [item.source_id for item in read(f"{one}\n{one}\n{two}\n")]
    assert len(set(ids)) == 3
    assert [item.source_id for item in read(f"{two}\n{one}\n{one}\n{one}\n", "other.jsonl")][:3] == [ids[2], *ids[:2]]
    reordered = json.dumps({"tokens_in": 1, **WHEN})
    assert read(reordered)[0].source_id == ids[0]


@pytest.mark.parametrize(
    "given", [NOON / 1000, NOON, NOON * 1_000, NOON * 1_000_000, str(NOON), "2026-11-21T12:00:00+00:00"]
)
def test_times_since_the_epoch_by_their_size(given: Any) -> None:
    assert moment(given) == NOON


@given(st.integers(-(10**15), 10**15))
def test_dollars_are_exact_to_the_nano(nanousd: int) -> None:
    from bascule.model.money import usd_text

    assert dollars(usd_text(nanousd)) == nanousd


def test_dollars_beyond_a_nano_are_rounded_half_up() -> None:
    assert dollars("0.0000000005") == 1
    assert dollars(1e-10) == 0
    assert dollars(0.1) == 100_000_000


@pytest.mark.parametrize(
    ("written", "nanousd"),
    [
        ("1,234.5", 1_234_500_000_000),
        ("$12,345,678", 12_345_678_000_000_000),
        (" 1.5 ", 1_500_000_000),
        ("-0.25", -250_000_000),
        ("1.5e-3", 1_500_000),
    ],
)
def test_dollars_as_they_are_written(written: str, nanousd: int) -> None:
    assert dollars(written) == nanousd


@pytest.mark.parametrize(
    "written",
    [
        "1,5",
        "0,75",
        "1.234,50",
        "12,34,567",
        "1234,567",
        ",5",
        "1_000",
        "١٢",
        "１",
        "1 000",
        "--1",
        "1e",
        "0x10",
        "inf",
    ],
)
def test_other_writings_are_no_amounts_and_no_counts(written: str) -> None:
    """A decimal comma above all: read as a group's it would make a cost ten times as high or more."""
    with pytest.raises(ValueError, match="amount of dollars"):
        dollars(written)
    with pytest.raises(ValueError, match="whole number"):
        count(written)
    with pytest.raises(ValueError, match="a time"):
        moment(written)


@pytest.mark.parametrize("written", ["1e999999", "1e-999999", "1e9999999999999999999999"])
def test_exponents_beyond_sense_are_no_counts(written: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        count(written)


def test_a_decimal_comma_is_a_bad_line_of_its_number(read: Read) -> None:
    good, refused = read('ts_start,cost_usd\n2026-11-21,"-1.5"\n2026-11-21,"1,5"\n', "rows.csv")
    assert (good.row.cost_nanousd, refused.line) == (-1_500_000_000, 3)
    assert (Path(refused.file).name, refused.why) == ("rows.csv", "cost_usd: expected an amount of dollars")


def test_columns_that_say_nothing_are_told_once_each(tmp_path: Path, sellers: Sellers) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        f"{json.dumps(WHEN | {'junk': 1, 'kind': 'settle'})}\n" * 3 + json.dumps(WHEN | {"junk": None}) + "\n"
    )
    reader = RowReader(sellers, Attribution())
    assert len(list(reader.read(path, read_blocks(path)))) == 4
    assert reader.unknown == {"junk": 3}
