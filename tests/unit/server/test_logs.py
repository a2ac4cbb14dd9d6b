"""Nothing that is written to the log holds a secret, and every line is one JSON object."""

import base64
import json
import logging
import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.redaction import HEAD_CHARS, REDACTED, Redactor, forms
from bascule.server.logs import JsonFormatter, configure_logging


def record(message: str, *args: object, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("bascule.test", logging.INFO, __file__, 1, message, args, None)
    made.__dict__.update(extra)
    return made


def line(secrets: list[str], message: str, *args: object, **extra: Any) -> str:
    return JsonFormatter(Redactor(secrets)).format(record(message, *args, **extra))


def test_a_line_has_its_fields() -> None:
    said = json.loads(line([], "served %s", "x", request_id="req_1", status=200))
    assert (said["level"], said["logger"], said["message"]) == ("info", "bascule.test", "served x")
    assert (said["request_id"], said["status"]) == ("req_1", 200)
    assert said["ts"].endswith("+00:00")


@given(st.text(min_size=4, max_size=40).filter(lambda secret: REDACTED.find(secret) < 0))
def test_a_registered_secret_is_in_no_line(secret: str) -> None:
    """Whatever it is made of: JSON writes quotes, backslashes and control characters in another way."""
    written = line([secret], "it is %s.", secret, where={"a": [secret]})
    assert written.count(REDACTED) >= 2
    if secret not in json.dumps(json.loads(line([], "it is .", where={"a": [""]}))):
        assert secret not in written


LONG = "sp3c/al+K3y?with=everything&in it"


@pytest.mark.parametrize("form", sorted(set(forms(LONG))))
def test_a_secret_goes_in_every_form_and_from_its_beginning_on(form: str) -> None:
    redactor = Redactor([LONG])
    for length in range(HEAD_CHARS, len(form) + 1):
        assert redactor.clean(f"<{form[:length]}>") == f"<{REDACTED}>"


@pytest.mark.parametrize("before", ["", "u", "us", "user", "user:", "Bearer "])
def test_base64_of_more_than_the_secret_hides_nothing(before: str) -> None:
    encoded = base64.b64encode(f"{before}{LONG}:after".encode()).decode()
    written = Redactor([LONG]).clean(f"Authorization: Basic {encoded}")
    assert REDACTED in written
    for piece in range(len(encoded) - HEAD_CHARS):
        shown = encoded[piece : piece + HEAD_CHARS]
        if shown in written:
            at = piece * 6 // 8  # only what stands before or after the secret is left
            assert at + 1 < len(before) + HEAD_CHARS * 6 // 8 or at >= len(before) + len(LONG) - HEAD_CHARS * 6 // 8


def test_a_secret_inside_another_leaves_nothing_of_that() -> None:
    inner, outer = "inner-secret-0123456789", "outer--inner-secret-0123456789--and-the-rest-of-it"
    assert Redactor([inner, outer]).clean(f"{outer} {inner}") == f"{REDACTED} {REDACTED}"


def test_a_secret_in_a_traceback_and_in_what_is_no_text() -> None:
    """Python quotes a secret in its own way before JSON does in another."""
    secret = "pass\"wo\\rd-'ü"
    try:
        raise ValueError(secret)
    except ValueError:
        failed = record("no", other=Exception(secret), raw=secret.encode())
        failed.exc_info = sys.exc_info()
    said = json.loads(JsonFormatter(Redactor([secret])).format(failed))
    assert said["other"] == f"Exception('{REDACTED}')"
    assert said["raw"] == f"b'{REDACTED}'"
    assert said["traceback"].startswith("Traceback")
    assert said["traceback"].endswith(f"ValueError: {REDACTED}")


def test_the_longer_of_two_secrets_leaves_nothing_behind() -> None:
    assert "tail" not in line(["secret", "secret-tail"], "secret-tail")


def test_what_looks_like_a_key_goes_too() -> None:
    for text in (
        "Authorization: Bearer abcdefghijkl", "sk-proj-abcdefgh1234", "bsk-0123456789-abcdefgh", "xai-abcdefgh12",
        "gsk_abcdefgh12", "hf_abcdefgh12", "AIzaabcdefgh12", "/v1beta/models?alt=sse&key=abcdefgh",
    ):  # fmt: skip
        written = json.loads(line([], text))["message"]
        assert REDACTED in written
        assert "abcdefgh" not in written


def test_short_values_are_not_cut_out_of_every_word() -> None:
    assert json.loads(line(["a", "on"], "a nation"))["message"] == "a nation"


@pytest.mark.parametrize("odd", [{"big": 1 << 70}, {"half": "\ud800"}, {"keys": {(1, 2): 3}}, {"bytes": b"\xff"}])
def test_what_json_has_no_word_for_is_written_all_the_same(odd: dict[str, Any]) -> None:
    """Else logging prints the message, secrets and all, past the redactor."""
    written = line(["top-secret"], "top-secret", **odd)
    assert "top-secret" not in written
    assert set(odd) < set(json.loads(written))


def test_secrets_can_be_added_later() -> None:
    redactor = Redactor(["first-secret"])
    redactor.register(["second-secret"])
    assert redactor.clean("first-secret second-secret") == f"{REDACTED} {REDACTED}"


def test_every_logger_writes_through_the_redactor(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        configure_logging(Redactor(["top-secret"]), level="info")
        logging.getLogger("uvicorn.error").warning("one top-secret")
        logging.getLogger("bascule.x").info("two top-secret")
        logging.getLogger("bascule.x").debug("three")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    written = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert [one["message"] for one in written] == [f"one {REDACTED}", f"two {REDACTED}"]


def test_on_a_terminal_lines_are_plain(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    try:
        configure_logging(Redactor(["top-secret"]), level="info")
        logging.getLogger("bascule.x").warning("no %s", "top-secret", extra={"request_id": "req_1"})
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    (written,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning no \[redacted\] \(request_id=req_1\)", written)
