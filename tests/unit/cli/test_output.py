"""Tables on a terminal: numbers stay whole, what is left out is named."""

import sys

import pytest

from bascule.cli.output import print_table

COLUMNS = ("model", "requests", "cost", "takes", "spread")
ROWS = [
    ("a-model-with-a-long-name", 12, "$0.004552", "text, image, audio and video", "54.5x"),
    ("small", 1, "$0.000975", None, None),
]


def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int | None) -> str:
    if width is not None:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_table(COLUMNS, ROWS, optional=("spread", "requests"))
    return capsys.readouterr().out


def test_all_fits_on_a_wide_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(monkeypatch, capsys, 120)
    assert "spread" in out
    assert "Not shown" not in out


def test_a_narrow_terminal_leaves_out_the_optional_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = printed(monkeypatch, capsys, 80)
    assert "Not shown, for want of width: spread." in out
    assert "54.5x" not in out


def test_text_is_folded_and_numbers_are_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = printed(monkeypatch, capsys, 56)
    lines = out[: out.index("Not shown")].splitlines()[1:]  # the head carries codes for bold
    assert max(len(line) for line in lines) <= 56
    assert "$0.004552" in out
    assert "a-model-with-a-long-name" in out
    assert "Not shown, for want of width: requests, spread." in out


def test_a_table_too_wide_for_any_folding_is_left_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = printed(monkeypatch, capsys, 30)
    assert "a-model-with-a-long-name  $0.004552  text, image, audio and video\n" in out


def test_a_pipe_gets_whole_rows_without_blanks_at_their_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = printed(monkeypatch, capsys, None)
    assert "spread" in out
    assert out.splitlines() == [line.rstrip() for line in out.splitlines()]
    assert len(out.splitlines()) == 3
