import pytest

from bascule.decide.evidence.finding import Subject
from bascule.decide.rephrase import WEIGHT, against, compared, repeated
from bascule.model.request import Message, Request, Text, ToolResult


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("How do I sort a list of dates?", "how do I sort a list of DATES", "retry"),
        ("How do I sort a python list of dates?", "Python: sort a list of dates, how?", "rephrase"),
        ("Wie sortiere ich eine Liste von Tagen?", "Eine Liste von Tagen, wie sortiere ich sie?", "rephrase"),
        ("Write a poem about the sea", "No, that is about lakes", "correction"),
        ("Write a poem about the sea", "That’s not what I asked for", "correction"),
        ("Translate to French: apple", "Translate to French: pear", None),
        ("What is the population of Spain in 2020?", "What is the population of Spain in 2021?", None),
        ("Summarise the first chapter please", "Thanks! And now the second chapter", None),
        ("ok", "ok then", None),
        ("", "", None),
        ("word " * 100 + "apple", "word " * 100 + "pears", None),
        ("Nobody knows the answer", "Note that nothing else matters here", None),
    ],
)
def test_asking_again(before: str, after: str, kind: str | None) -> None:
    found = compared(before, after)
    assert (None if found is None else found.kind) == kind


def request(*turns: tuple[str, str]) -> Request:
    messages = [Message(role=role, content=(Text(text=text),)) for role, text in turns]
    return Request(model="m", messages=tuple(messages))


def test_only_the_last_message_after_an_answer_counts() -> None:
    asked = "How do I sort a list of dates?"
    assert repeated(request(("user", asked), ("assistant", "So."), ("user", asked))) is not None
    assert repeated(request(("user", asked), ("user", asked))) is None, "nothing was answered in between"
    assert repeated(request(("user", asked))) is None
    later = (("user", asked), ("assistant", "So."), ("user", asked), ("assistant", "So."), ("user", "Good, thank you"))
    assert repeated(request(*later)) is None


def test_results_of_tools_are_no_messages_of_a_user() -> None:
    result = Message(role="user", content=(ToolResult(tool_use_id="1", content=(Text(text="ok"),)),))
    asked = request(("user", "Do it now please"), ("assistant", "I look."))
    assert repeated(Request(model="m", messages=(*asked.messages, result))) is None


def test_it_counts_little_and_only_against() -> None:
    found = against(Subject("small"), 7)
    assert (found.mean, found.weight, found.source) == (0.0, WEIGHT, "live")
    assert WEIGHT <= 0.1
