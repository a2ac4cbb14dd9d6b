import pytest

from bascule.decide.aliases import Aliases, matches

ALIASES = Aliases.of(
    {
        "claude-*": "big",
        "claude-haiku-4-5": "exact",
        "claude-*haiku*": "small",
        "claude-o*": "first",
        "claude-*o": "second",
    }
)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("claude-haiku-4-5", "exact"),
        ("claude-haiku-4-5-20251001", "small"),
        ("claude-3-5-haiku-latest", "small"),
        ("claude-sonnet-5", "big"),
        ("claude-", "big"),
        ("claude-oo", "first"),
        ("claude", None),
        ("my-claude-x", None),
        # the suffix is not part of the name that a pattern stands for
        ("claude-sonnet-5:floor", None),
        ("claude-sonnet-5:7b", "big"),
    ],
)
def test_an_exact_name_wins_then_the_longest_pattern(name: str, target: str | None) -> None:
    assert ALIASES.target(name) == target


@pytest.mark.parametrize(
    ("pattern", "name", "wanted"),
    [
        ("*", "", True),
        ("*", "anything/at-all", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "aXYc", False),
        ("a*b*bc", "abc", False),
        ("a*b*bc", "abbc", True),
        ("a**c", "ac", True),
        ("claude-[34]", "claude-3", False),
        ("plain", "plain", True),
        ("plain", "plainer", False),
    ],
)
def test_a_star_is_any_characters_and_nothing_else_is_special(pattern: str, name: str, wanted: bool) -> None:
    assert matches(pattern, name) is wanted
