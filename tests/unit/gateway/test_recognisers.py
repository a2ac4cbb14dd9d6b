"""What is found in text, and what only looks like it. Numbers are test numbers that their issuers publish."""

import random
import string

import pytest

from bascule.decide.protect import Kind, Recogniser, search
from bascule.gateway.recognisers import recognisers

FOUND = {
    "payment card": ["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "(6011111111111117)"],
    "bank account": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "FR1420041010050500013M02606"],
    "e-mail address": ["ann.lee+x@example.co.uk", "<bob@example.com>", "mail to: c_d@sub.example.org."],
    "telephone number": ["+49 30 901820", "+1 (212) 555-0187", "+442079460958"],
    "US social security number": ["536-90-4399"],
    "Italian tax number": ["RCCMNL83S18D969H"],
    "Spanish identity number": ["54362315K", "54362315-K"],
    "API key": ["sk-proj-" + "a1" * 20, "sk-ant-api03-" + "Zz9_" * 10, "key=bsk-0123456789-" + "x" * 43],
    "AWS key": ["AKIAIOSFODNN7EXAMPLE"],
    "GitHub token": ["ghp_" + "a" * 36],
    "JWT": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"],
    "private key": ["-----BEGIN RSA PRIVATE KEY-----\nMIIB\nAAAA\n-----END RSA PRIVATE KEY-----"],
}
NOT = [
    "4111 1111 1111 1112", "1234567890123456", "order 4000-0000-0000-0001", "v4.1111.1111.1111", "1111111111111111",
    "DE88 3704 0044 0532 0130 00", "GB00NWBK60161331926819", "user@localhost", "a@b", "@decorator", "x = y@z",
    "+1", "1 + 234567890", "2026-11-30", "000-00-0000", "666-12-3456", "12345678A", "sk-short", "AKIA1234",
    "eyJhbGciOiJIUzI1NiJ9", "commit 3f786850e387550fdab836ed7e6dc881de23001b", "127.0.0.1:8787", "1,000,000,000,000",
    "3.14159265358979", "0x1234567890abcdef", "Mi 1234 5678 9012",
]  # fmt: skip
ALL: frozenset[Kind] = frozenset(("personal", "secrets"))


def every() -> tuple[Recogniser, ...]:
    found = recognisers()
    assert found is not None, "the extra `protection` is not installed"
    return found


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in FOUND.items() for text in texts])
def test_it_is_found_and_redacted(name: str, text: str) -> None:
    done = search({"text": f"see {text} here"}, every(), ALL, 1_000)
    assert done.counts == {name: 1}
    assert f"[redacted {name}]" in done.body["text"]
    assert done.body["text"].startswith("see ")
    assert done.body["text"].endswith(" here")


@pytest.mark.parametrize("text", NOT)
def test_what_only_looks_like_it_stays(text: str) -> None:
    body = {"text": text}
    done = search(body, every(), ALL, 1_000)
    assert (done.counts, done.body) == ({}, body)
    assert done.body is body


def test_random_text_holds_little() -> None:
    dice = random.Random(7)
    words = ["".join(dice.choices(string.ascii_lowercase, k=dice.randrange(2, 9))) for _ in range(2_000)]
    numbers = [str(dice.randrange(10 ** dice.randrange(1, 16))) for _ in range(2_000)]
    text = " ".join(
        [dice.choice((dice.choice(words), dice.choice(words), dice.choice(numbers))) for _ in range(50_000)]
    )
    found = search([text], every(), frozenset(), 10**6).counts
    assert sum(found.values()) < 300, found
