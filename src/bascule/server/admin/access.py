"""Who calls the admin API, and with which role. Closed unless the configuration or a key opens it."""

from hmac import compare_digest
from typing import Literal

from msgspec import Struct

from bascule.config.secret import Secret
from bascule.decide.admit import key_problem
from bascule.model.policy import KeyPolicy
from bascule.ports import KeyStore
from bascule.server.admin.answers import Refused

Role = Literal["admin", "auditor", "team_admin"]

READ: frozenset[Role] = frozenset({"admin", "auditor"})
"""Who may read what all teams do."""

BY_SECRET = "admin"  # noqa: S105  who, not the secret
"""Who the audit trail names where the configured secret was used; keys are `key:NAME`."""

REMEDY = "set admin.secret in bascule.yaml (e.g. `admin: {secret: env:BASCULE_ADMIN}`)"


class Caller(Struct, frozen=True, kw_only=True):
    """Somebody who may use the admin API. `policy` is the key's, None for the configured secret."""

    by: str
    role: Role
    policy: KeyPolicy | None = None

    @property
    def parent(self) -> KeyPolicy | None:
        """What nothing that this caller makes or changes may exceed; None is no bound."""
        return self.policy if self.role == "team_admin" else None


def caller_of(secret: bytes | None, admin_secret: Secret | None, keys: KeyStore, now_ms: int) -> Caller | Refused:
    """The caller behind a presented secret: 401 where it is not known (503 where that cannot be told), 403 where it may
    nothing here.

    The open mode of loopback opens nothing: without a secret or keys there is no administrator.
    """
    if admin_secret is None and keys.is_open:
        return Refused(status=403, message=f"the admin API is closed: {REMEDY} and present that secret")
    if secret is None:
        return Refused(status=401, message="no key was sent; use 'Authorization: Bearer KEY'")
    if admin_secret is not None and compare_digest(secret, admin_secret.reveal()):
        return Caller(by=BY_SECRET, role="admin")
    key = keys.lookup(secret)
    if key is None and keys.outage is not None:
        return Refused(status=503, message="the store of keys does not answer; try again soon", retry_after_s=2)
    if key is None:
        return Refused(status=401, message="this key is not known here")
    expired = key_problem(key, now_ms)
    if expired is not None:
        return Refused(status=401, message=expired.message)
    if key.role == "member":
        more = f", or {REMEDY}" if admin_secret is None else ""
        message = f"key {key.name!r} has role member; this takes the admin secret or a key with another role"
        return Refused(status=403, message=message + more)
    if key.role == "team_admin" and key.team is None:
        return Refused(status=403, message=f"key {key.name!r} has role team_admin and no team; give it one")
    return Caller(by=f"key:{key.name}", role=key.role, policy=key)
