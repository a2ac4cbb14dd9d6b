"""What was written elsewhere is shown, never obeyed."""

import pytest

from bascule.cli.drawing import png, svg
from bascule.cli.output import print_table
from bascule.cli.page import Grid, Section, page
from bascule.cli.render import markdown_table
from bascule.cli.showing import showable
from bascule.offline.charts import spend_by

ODD = "feature\x1b[2J\x1b]0;title\x07\x00\n| x\ud800"


def test_a_name_is_one_line_of_what_can_be_printed() -> None:
    assert showable("plain name, żółć 🤔") == "plain name, żółć 🤔"
    assert showable(ODD) == "feature\ufffd[2J\ufffd]0;title\ufffd\ufffd | x\ufffd"
    assert showable("a\u00a0b\tc") == "a b c"


def test_no_form_lets_it_through(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["branch"], [[ODD]])
    written = page(ODD, ODD, [], [Section(heading=ODD, grid=Grid((ODD,), ((ODD,),)))])
    chart = svg(spend_by([{"name": ODD, "usd": 1.0, "label": ODD}], title=ODD))
    for text in (capsys.readouterr().out, markdown_table(["branch"], [[ODD]]), written, chart):
        assert "\x1b" not in text
        assert "\x00" not in text
        assert "feature" in text
    assert png(spend_by([{"name": ODD, "usd": 1.0, "label": ODD}], title=ODD)).startswith(b"\x89PNG")
