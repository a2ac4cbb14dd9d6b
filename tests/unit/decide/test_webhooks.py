"""What a webhook is sent."""

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.webhooks import (
    BadWebhookSecret,
    body_of,
    claim_name,
    is_worth_another,
    message_id_of,
    pause_s,
    signed_headers,
    signing_key,
    window_end_ms,
)
from bascule.model.alert import EVENTS, KINDS, Alert

AT_MS = 1_795_262_400_123


def alert(**more: object) -> Alert:
    fields = {"scope": "key:ci", "threshold": 0.8, "window_id": None}
    values = {"event": "budget_threshold", "scope": "key:ci 0.8", "ts_ms": AT_MS, "summary": "80 %", "fields": fields}
    return Alert(**{**values, **more})  # type: ignore[arg-type]  # what a test leaves out has a default here


def test_the_signature_is_the_standards_own_example() -> None:
    """The vector that the standard's libraries carry."""
    key = signing_key(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = dict(signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'))
    assert headers[b"webhook-signature"] == b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers[b"webhook-id"] == b"msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers[b"webhook-timestamp"] == b"1614265330"


def test_any_text_is_a_key_and_half_a_whsec_is_none() -> None:
    assert signing_key(b"a plain secret") == b"a plain secret"
    assert signing_key(b"whsec_" + b64encode(b"k" * 24)) == b"k" * 24
    for bad in (b"whsec_", b"whsec_!!!!", b"whsec_abc"):
        with pytest.raises(BadWebhookSecret):
            signing_key(bad)


def test_without_a_key_nothing_is_signed() -> None:
    assert b"webhook-signature" not in dict(signed_headers(None, "m", 1, b"{}"))


def test_the_bodies() -> None:
    assert json.loads(body_of(alert(), "bascule")) == {
        "type": "budget_threshold",
        "timestamp": "2026-11-21T12:00:00.123Z",
        "severity": "warning",
        "summary": "80 %",
        "data": {"scope": "key:ci", "threshold": 0.8, "window_id": None},
    }
    slack = json.loads(body_of(alert(), "slack"))
    assert slack["text"] == ":warning: 80 %"
    assert "*threshold*: 0.8" in slack["blocks"][1]["text"]["text"]
    assert "window_id" not in slack["blocks"][1]["text"]["text"]


@given(st.text(max_size=400), st.sampled_from(["bascule", "slack"]))
def test_whatever_a_client_calls_its_session_nobody_is_mentioned(text: str, shape: str) -> None:
    body = body_of(alert(summary=text, fields={"session_id": text}), shape)  # type: ignore[arg-type]  # a literal
    said = json.loads(body)
    if shape == "slack":
        assert "<" not in json.dumps(said)
    assert len(body) < 5_000


def test_an_alert_is_the_same_for_all_replicas_in_a_window() -> None:
    ends = {window_end_ms(AT_MS + late_ms, 3600) for late_ms in (0, 1, 60_000, 3_599_000 - AT_MS % 3_600_000)}
    assert len(ends) == 1
    (end,) = ends
    assert window_end_ms(end, 3600) == end + 3_600_000
    assert message_id_of("ops", claim_name(alert(), end)) == message_id_of("ops", claim_name(alert(ts_ms=7), end))
    assert message_id_of("ops", claim_name(alert(), end)) != message_id_of("dev", claim_name(alert(), end))


def test_what_is_tried_again() -> None:
    assert [status for status in (302, 400, 401, 404, 408, 410, 429, 500, 503) if is_worth_another(status)] == [
        408, 429, 500, 503,
    ]  # fmt: skip


@given(st.integers(1, 100), st.floats(0, 1))
def test_pauses_grow_to_their_bound(attempt: int, dice: float) -> None:
    assert 0.5 <= pause_s(attempt, dice, first_s=1, most_s=300) <= 300
    assert pause_s(attempt, 1.0, first_s=1, most_s=300) == min(300, 2 ** (attempt - 1))


def test_the_table_has_every_event() -> None:
    assert set(EVENTS) == set(KINDS)
