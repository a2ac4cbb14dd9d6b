"""Headers and error answers: any text fits a header, and waiting times are whole seconds that suffice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.dialects.registry import CLIENT_DIALECTS
from bascule.gateway.respond import answer_headers, cost_header, error_answer, header_text
from bascule.gateway.surfaces import SURFACES
from bascule.model.errors import STATUS_OF, Refusal


@given(st.text(max_size=50))
def test_any_text_is_a_header(text: str) -> None:
    value = header_text(text)
    assert value.isascii()
    assert not any(byte < 0x20 or byte == 0x7F for byte in value)


def test_plain_names_stay_as_they_are() -> None:
    assert header_text("provider/Model-1.5:floor 100%") == b"provider/Model-1.5:floor 100%"
    assert header_text("größe\r\nx: y") == b"gr%C3%B6%C3%9Fe%0D%0Ax: y"


@pytest.mark.parametrize(("wait_s", "told"), [(0.0, b"1"), (0.2, b"1"), (1.0, b"1"), (1.001, b"2"), (59.5, b"60")])
def test_a_client_is_told_to_wait_long_enough(wait_s: float, told: bytes) -> None:
    _, headers, _ = error_answer(
        "openai_chat", Refusal(kind="rate_limited", message="m", retry_after_s=wait_s), "req_1"
    )
    assert dict(headers)[b"retry-after"] == told


@pytest.mark.parametrize("kind", STATUS_OF)
def test_every_refusal_is_an_error_of_every_surface(kind: str) -> None:
    for surface in [s for s, facts in SURFACES.items() if facts.chat_dialect in CLIENT_DIALECTS]:
        refusal = Refusal(kind=kind, message="why")  # type: ignore[arg-type]
        status, headers, body = error_answer(surface, refusal, "req_1")
        assert status == refusal.http_status
        assert "why" in json.loads(body)["error"]["message"]
        assert dict(headers)[b"cache-control"] == b"private, no-store"
        assert dict(headers)[b"x-bascule-request-id"] == b"req_1"


def test_an_unknown_cost_is_no_header() -> None:
    assert cost_header(None) is None
    assert cost_header(0) == (b"x-bascule-cost-usd", b"0.000000000")
    served = answer_headers(
        request_id="req_1", model="m", provider=None, reason="r", cache="none", content_type=(b"content-type", b"x")
    )
    assert b"x-bascule-provider" not in dict(served)
