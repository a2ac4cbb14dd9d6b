import pytest

from bascule.offline.dimensions import NAMES, SMALL_INPUT, SMALL_OUTPUT, dimension_names
from bascule.storage.analytics import dimensions


def test_all_names_of_the_interface() -> None:
    wanted = (
        "model", "provider", "market", "org", "team", "department", "user", "key", "session", "agent", "task", "pr",
        "branch", "project", "client", "origin", "outcome", "hour", "day", "week", "month",
    )  # fmt: skip
    assert set(wanted) <= set(NAMES)


def test_what_is_named_can_be_read() -> None:
    assert set(dimensions.NAMES) == set(NAMES) - {"tag:K"}
    assert (dimensions.SMALL_INPUT, dimensions.SMALL_OUTPUT) == (SMALL_INPUT, SMALL_OUTPUT)


def test_names_are_taken_apart() -> None:
    assert dimension_names(["model,team", "day", "team"]) == ("model", "team", "day")
    assert dimension_names(["tag:a,b"]) == ("tag:a,b",)
    for wrong in ("colour", "tag:", "tag"):
        with pytest.raises(ValueError, match="provider"):
            dimension_names([wrong])
