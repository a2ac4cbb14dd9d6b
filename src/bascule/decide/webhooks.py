"""What a webhook is sent, byte for byte: body, signature, and whether to try again. Pure.

Signed as Standard Webhooks 1.0 has it (standardwebhooks.com), so that its libraries verify what comes: HMAC-SHA256
over `id.timestamp.body`. The timestamp is that of the attempt, as receivers refuse old ones.
"""

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from typing import Any, Literal

import msgspec

from bascule.model.alert import KINDS, Alert, FieldValue

WebhookFormat = Literal["bascule", "slack"]
Header = tuple[bytes, bytes]

MAX_VALUE_CHARS = 256
"""Of one text of an alert; names of sessions and scopes come from clients."""
_WHSEC = "whsec_"
_TRY_AGAIN = frozenset({408, 425, 429})
_MARKS = {"info": ":white_check_mark:", "warning": ":warning:", "critical": ":rotating_light:"}


class BadWebhookSecret(ValueError):
    """A secret that begins with `whsec_` and is no base64 behind it."""


def signing_key(secret: bytes) -> bytes:
    """The bytes that sign: what `whsec_` is the base64 of, else the secret itself. Raises BadWebhookSecret."""
    text = secret.decode("ascii", "replace")
    if not text.startswith(_WHSEC):
        return secret
    try:
        key = b64decode(text[len(_WHSEC) :], validate=True)
    except ValueError:
        raise BadWebhookSecret("whsec_ is not followed by base64") from None
    if not key:
        raise BadWebhookSecret("whsec_ is followed by nothing")
    return key


def signed_headers(key: bytes | None, message_id: str, now_s: int, body: bytes) -> list[Header]:
    """`webhook-id`, `webhook-timestamp` and, with a key, `webhook-signature`."""
    headers = [
        (b"content-type", b"application/json"),
        (b"webhook-id", message_id.encode()),
        (b"webhook-timestamp", b"%d" % now_s),
    ]
    if key is not None:
        mac = digest(key, b"%s.%d.%s" % (message_id.encode(), now_s, body), "sha256")
        headers.append((b"webhook-signature", b"v1," + b64encode(mac)))
    return headers


def message_id_of(webhook: str, claim: str) -> str:
    """The same for every attempt, and for every replica that might send it: receivers drop repeats by it."""
    return f"msg_{sha256(f'{webhook} {claim}'.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def body_of(alert: Alert, shape: WebhookFormat) -> bytes:
    """The JSON that is sent."""
    return msgspec.json.encode(_slack(alert) if shape == "slack" else _own(alert))


def _own(alert: Alert) -> dict[str, Any]:
    when = datetime.fromtimestamp(alert.ts_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "type": alert.event,
        "timestamp": when.replace("+00:00", "Z"),
        "severity": KINDS[alert.event].severity,
        "summary": _cut(alert.summary),
        "data": {name: _cut(value) for name, value in alert.fields.items()},
    }


def _slack(alert: Alert) -> dict[str, Any]:
    """An incoming webhook's `text`, which notifications show, and blocks. Nothing in it can mention or link."""
    head = f"{_MARKS[KINDS[alert.event].severity]} {_escaped(_cut(alert.summary))}"
    told = [f"*{name}*: {_escaped(_cut(value))}" for name, value in alert.fields.items() if value is not None]
    blocks = [_section(head)]
    if told:
        blocks.append(_section("\n".join(told)))
    return {"text": head, "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _escaped(value: FieldValue) -> str:
    """As Slack wants it; without `<` there are no mentions and no links."""
    return f"{value}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(value: FieldValue) -> FieldValue:
    if not isinstance(value, str):
        return value
    clean = "".join([char if char.isprintable() else " " for char in value[:MAX_VALUE_CHARS]])
    return clean if len(value) <= MAX_VALUE_CHARS else f"{clean[:-1]}…"


def claim_name(alert: Alert, until_ms: int) -> str:
    """Of all alerts that are the same: event, scope and window."""
    return f"{alert.event} {until_ms} {alert.scope}"


def window_end_ms(now_ms: int, length_s: float) -> int:
    """The end of the window that `now_ms` is in: equal for all replicas, as it comes from the clock."""
    length_ms = max(1, round(length_s * 1000))
    return (now_ms // length_ms + 1) * length_ms


def is_worth_another(status: int) -> bool:
    """Whether a delivery that was answered so may go better later. A redirect is never followed."""
    return status >= 500 or status in _TRY_AGAIN


def pause_s(attempt: int, dice: float, *, first_s: float, most_s: float) -> float:
    """Before the attempt after `attempt` (1, 2, …): doubling, half of it by chance. `dice` is from 0 to 1."""
    doubled: float = min(most_s, first_s * 2 ** min(attempt - 1, 30))
    return doubled * (0.5 + 0.5 * dice)
