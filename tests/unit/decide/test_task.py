import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.task import task_of
from bascule.model.facts import Facts


def guess(user: str = "", system: str = "", tools: int = 0) -> str | None:
    return task_of(None, Facts(model="m", first_user_text=user, system_text=system, tools=tools))[0]


def test_the_header_is_believed_and_may_be_any_name() -> None:
    facts = Facts(model="m", first_user_text="Summarize this.")
    assert task_of("invoice_triage", facts) == ("invoice_triage", "header")
    assert task_of(None, facts) == ("summarization", "rule")
    assert task_of("", facts) == ("summarization", "rule")
    assert task_of(None, Facts(model="m")) == (None, None)


@pytest.mark.parametrize(
    ("user", "task"),
    [
        ("Classify this review as positive, negative or neutral: great!", "classification"),
        ("Could you please summarize the following article?\n\nOnce upon a time", "summarization"),
        ("I want you to extract all dates from: on 3 May ...", "extraction"),
        ("Here is a contract.\nPlease extract the parties.", "extraction"),
        ("Write a python function that reverses a list.", "code_generation"),
        ("fix the bug in parse()", "code_generation"),
        ("Refactor:\n```py\nx=1\n```", "code_generation"),
        ("Write an email to my landlord about a bug in the kitchen", "writing"),
        ("Draft a letter of resignation", "writing"),
        ("Prove that sqrt(2) is irrational.", "reasoning"),
        ("Compare Postgres and MySQL for our workload.", "analysis"),
        ("Review this code for SQL injection vulnerabilities", "security_audit"),
        ("Please perform a security audit of the login handler.", "security_audit"),
        ("word " * 200 + "\nSummarize the above.", "summarization"),
    ],
)
def test_instructions_are_recognised(user: str, task: str) -> None:
    assert guess(user) == task


@pytest.mark.parametrize(
    "user",
    [
        "",
        "hi",
        "What is the capital of France?",
        "The classify command does not work",
        "My teacher said to summarize less.",
        "Write it again, shorter",
        "Is a security audit worth the money for a small shop?",
        "How do I fix my marriage?",
        "What would happen if vulnerabilities were never found?",
        "Zusammenfassung bitte",
    ],
)
def test_what_is_in_doubt_stays_unknown(user: str) -> None:
    assert guess(user) is None


def test_an_applications_instructions_outrank_its_users_text() -> None:
    assert guess("Write a poem about spring", "You are a strict sentiment classifier.") == "classification"
    assert guess("Write a poem about spring", "You work for ACME. Extract the order number.") == "extraction"
    assert guess("Summarize this.", "You are a helpful assistant.") == "summarization"


def test_a_coding_agent_needs_its_tools() -> None:
    system = "You are Claude Code, a command line tool."
    assert guess("hi", system, tools=20) == "code_generation"
    assert guess("hi", system) is None


@given(st.text(max_size=2_000), st.text(max_size=2_000))
def test_any_text_is_taken(user: str, system: str) -> None:
    guess(user, system)
