"""Credentials that run out: renewed in a thread, once for all who wait, and what goes wrong is told as `auth`."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from json import JSONDecodeError
from typing import Any

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError, MetadataRetrievalError

from bascule.ports import Timeouts, TransportError, UpstreamCall
from bascule.providers.signing import SigV4
from bascule.upstream.outbox import Outbox
from bascule.upstream.signer import Signer

SIGNING = SigV4(region="eu-central-1")
CALL = UpstreamCall(
    origin="https://bedrock-runtime.eu-central-1.amazonaws.com",
    method="POST",
    target="/model/m/converse",
    headers=((b"content-type", b"application/json"),),
    body=b"{}",
    timeouts=Timeouts(connect_s=5, first_byte_s=5, idle_s=5, total_s=5),
    signing=SIGNING,
)
EXPIRED, DUE, DAY = timedelta(minutes=-1), timedelta(minutes=12), timedelta(days=1)


class Role:
    """A machine's role: its keys `OLD` end in `left`; `renew` may give others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, left: timedelta, renew: Callable[[], dict[str, str]]) -> None:
        self.asked_in: list[threading.Thread] = []
        self.renew = renew
        self._left = left
        monkeypatch.setattr("bascule.upstream.sigv4.Session", lambda: self)

    def get_credentials(self) -> RefreshableCredentials:
        return RefreshableCredentials("OLD", "secret", "token", datetime.now(UTC) + self._left, self._ask, "iam-role")

    def _ask(self) -> dict[str, str]:
        self.asked_in.append(threading.current_thread())
        return self.renew()


def keys(name: str, left: timedelta) -> dict[str, str]:
    end = (datetime.now(UTC) + left).isoformat()
    return {"access_key": name, "secret_key": "secret", "token": "token", "expiry_time": end}


def raising(error: Exception) -> Callable[[], dict[str, str]]:
    def renew() -> dict[str, str]:
        raise error

    return renew


def held(may_end: threading.Event, name: str) -> Callable[[], dict[str, str]]:
    """A renewal that hangs until it may end."""

    def renew() -> dict[str, str]:
        may_end.wait(5)
        return keys(name, DAY)

    return renew


def signer_of(call: UpstreamCall) -> str:
    headers: dict[bytes, bytes] = dict(call.headers)
    return headers[b"authorization"].decode().partition("Credential=")[2].partition("/")[0]


async def test_one_renewal_serves_all_who_wait(monkeypatch):
    role = Role(monkeypatch, EXPIRED, lambda: keys("NEW", DAY))
    signer = Signer(Outbox())
    calls = await asyncio.gather(*[signer.signed(CALL, SIGNING, 5) for _ in range(10)])
    assert {signer_of(call) for call in calls} == {"NEW"}
    assert len(role.asked_in) == 1
    assert role.asked_in[0] is not threading.main_thread()
    assert signer_of(await signer.signed(CALL, SIGNING, 5)) == "NEW"
    assert len(role.asked_in) == 1


async def test_what_is_still_good_signs_while_others_are_fetched(monkeypatch):
    may_end = threading.Event()

    role = Role(monkeypatch, EXPIRED, lambda: keys("NEW", DUE))
    signer = Signer(Outbox())
    await signer.signed(CALL, SIGNING, 5)  # its keys are soon to be renewed
    role.renew = held(may_end, "NEWER")
    try:
        for _ in range(3):
            assert signer_of(await signer.signed(CALL, SIGNING, 5)) == "NEW"
    finally:
        may_end.set()
    renewal: Any = signer._renewal
    await renewal
    assert signer_of(await signer.signed(CALL, SIGNING, 5)) == "NEWER"
    assert threading.main_thread() not in role.asked_in


@pytest.mark.parametrize(
    "renew",
    [
        raising(MetadataRetrievalError(error_msg="down")),
        raising(ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")),
        raising(JSONDecodeError("no JSON", "", 0)),
        lambda: keys("NEW", EXPIRED),
    ],
)
async def test_what_cannot_be_renewed_is_told(monkeypatch, renew):
    Role(monkeypatch, EXPIRED, renew)
    signer = Signer(Outbox())
    results = await asyncio.gather(*[signer.signed(CALL, SIGNING, 5) for _ in range(2)], return_exceptions=True)
    for error in results:
        assert isinstance(error, TransportError)
        assert (error.error_class, error.request_sent) == ("auth", False)


async def test_good_keys_outlive_a_failed_renewal(monkeypatch):
    """Botocore raises from ten minutes before the end on; the keys still do."""
    role = Role(monkeypatch, EXPIRED, lambda: keys("NEW", timedelta(minutes=5)))
    signer = Signer(Outbox())
    await signer.signed(CALL, SIGNING, 5)
    role.renew = raising(MetadataRetrievalError(error_msg="down"))
    assert signer_of(await signer.signed(CALL, SIGNING, 5)) == "NEW"
    renewal: Any = signer._renewal
    with pytest.raises(TransportError):
        await renewal
    assert signer_of(await signer.signed(CALL, SIGNING, 5)) == "NEW"


async def test_who_gives_up_leaves_the_search_to_the_others(monkeypatch):
    may_end = threading.Event()
    role = Role(monkeypatch, EXPIRED, held(may_end, "NEW"))
    signer = Signer(Outbox())
    with pytest.raises(TransportError) as raised:
        await signer.signed(CALL, SIGNING, 0)
    assert (raised.value.error_class, raised.value.request_sent) == ("timeout_connect", False)
    waiting = asyncio.ensure_future(signer.signed(CALL, SIGNING, 5))
    may_end.set()
    assert signer_of(await waiting) == "NEW"
    assert len(role.asked_in) == 1
