"""The frame itself: every promise has a test and a mutant that fits the code."""

import pytest
from tests.promises import mutants


@pytest.mark.parametrize("patch", mutants.patches([]), ids=lambda patch: patch.stem)
def test_a_mutant_fits_the_code_and_says_what_it_breaks(patch) -> None:
    assert mutants.applies(patch) == ""
    assert not patch.read_text(encoding="utf-8").startswith("diff ")


def test_no_mutant_is_without_a_test() -> None:
    for patch in mutants.patches([]):
        assert mutants.tests_of(mutants.number_of(patch)), patch.name
