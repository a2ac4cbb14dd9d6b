"""Virtual keys: 256 random bits, stored as a keyed hash, found by that hash.

A key is `bsk-<id>-<secret>`. The store has HMAC-SHA256(pepper, key) and never the key; the pepper is a file beside
the database, so that a copy of the database alone tells nothing. The look-up hashes whatever was sent and asks a
dictionary: how long that takes says nothing about any key.
"""

import base64
import os
import secrets
import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

from msgspec import Struct, structs

from bascule.model.errors import StoreError
from bascule.model.policy import KeyPolicy
from bascule.ports import Governance, StoredKey

PEPPER_FILE = "pepper"
PREFIX = "bsk"
_PEPPER_BYTES = 32
_BLOCK_BYTES = 64
"""Of SHA-256."""
_CHECK = "pepper_check"
GRACE_S = 3_600.0
"""How long stored keys are good while the store cannot be asked."""
PATIENCE_S = 1.0
"""How long an answer may take before whoever has an unknown key is told that it cannot be judged."""


class KeyHasher:
    """HMAC-SHA256 (RFC 2104) under a pepper. Does not print.

    Every request asks for one, so both hashes are begun here and copied there: a third of the time of `hmac.digest`,
    which besides lets go of the interpreter, so that the drainer's thread comes between.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, pepper: bytes) -> None:
        if len(pepper) < _PEPPER_BYTES:
            raise ValueError(f"a pepper has at least {_PEPPER_BYTES} bytes")
        block = pepper if len(pepper) <= _BLOCK_BYTES else sha256(pepper).digest()
        padded = block.ljust(_BLOCK_BYTES, b"\0")
        self._inner = sha256(bytes([byte ^ 0x36 for byte in padded]))
        self._outer = sha256(bytes([byte ^ 0x5C for byte in padded]))

    def digest(self, secret: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(secret)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    @property
    def fingerprint(self) -> str:
        """Tells whether two peppers are the same, and nothing else."""
        return self.digest(b"bascule pepper check").hex()


def open_pepper(data_dir: Path) -> KeyHasher:
    """The hasher of this data directory, its pepper made at the first call. Raises StoreError."""
    path = data_dir / PEPPER_FILE
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make_pepper(path)
        if path.stat().st_mode & 0o077:
            raise StoreError(f"{path} can be read by others; run `chmod 600 {path}`, and rotate all keys if it was")
        pepper = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read or made: {error.strerror}. Check its owner and the disk") from error
    if len(pepper) != _PEPPER_BYTES:
        raise StoreError(f"{path} is damaged; restore it from a backup, or remove it and create all keys anew")
    return KeyHasher(pepper)


def _make_pepper(path: Path) -> None:
    """Whole or not at all, and whoever comes first wins."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, secrets.token_bytes(_PEPPER_BYTES))
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        pass  # another process was faster, and its pepper is as good
    finally:
        fresh.unlink()


class NewKey(Struct, frozen=True):
    """A key just made. `secret` is shown to its owner once and is nowhere else."""

    stored: StoredKey
    secret: str

    def __repr__(self) -> str:
        return f"NewKey({self.stored.key_id})"


class KeyRing:
    """Implements `ports.KeyStore` over the configuration's keys and those that commands made.

    `configured` are secrets with what they may do; where a secret is in both, the configuration's word counts. So it
    does for names, on which budgets, kept answers and used Idempotency-Keys hang: a stored key of another team that has
    a name of the configuration is good for nothing, whichever was there first.
    `shared`: other replicas make keys there too, all with one pepper. While the store does not answer, its keys are
    good as they were last seen, for `grace_s`: nobody can say whether they were revoked meanwhile. Raises StoreError
    where the stored keys were made with another pepper.
    """

    def __init__(
        self,
        hasher: KeyHasher,
        governance: Governance,
        configured: Iterable[tuple[bytes, KeyPolicy]] = (),
        *,
        shared: bool = False,
        grace_s: float = GRACE_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._grace_s = grace_s
        self._monotonic_s = monotonic_s
        self._seen_s = monotonic_s()
        """When the store was last known to have what is known here."""
        self._asked_s: float | None = None
        """When it was asked, while it has not answered."""
        self._failure: str | None = None
        self._hasher = hasher
        self._governance = governance
        self._configured: dict[bytes, KeyPolicy] = {}
        self._owners: dict[str, tuple[str | None, str | None]] = {}
        """Organisation and team of each configured name."""
        self._known: list[StoredKey] = []
        self._stored: dict[bytes, KeyPolicy] = {}
        self._revision = -1
        self._any_stored = False
        _check_pepper(hasher, governance, shared=shared)
        self.configure(configured)
        self.refresh()

    def lookup(self, secret: bytes) -> KeyPolicy | None:
        digest = self._hasher.digest(secret)
        return self._configured.get(digest) or self._stored.get(digest)

    @property
    def outage(self) -> str | None:
        if self._failure is not None:
            return self._failure
        asked_s = self._asked_s
        if asked_s is None or self._monotonic_s() - asked_s < PATIENCE_S:
            return None
        return "the store of keys has not answered yet"

    @property
    def is_open(self) -> bool:
        """A key that was revoked still counts: revoking the last one must not open the door."""
        return not self._configured and not self._any_stored

    def configure(self, configured: Iterable[tuple[bytes, KeyPolicy]]) -> None:
        """Take the keys of a new configuration. Raises ValueError for an empty secret."""
        fresh: dict[bytes, KeyPolicy] = {}
        for secret, policy in configured:
            if not secret:
                raise ValueError(f"key {policy.name} has an empty secret; anybody could send that")
            fresh[self._hasher.digest(secret)] = policy
        self._configured = fresh
        self._owners = {policy.name: (policy.org, policy.team) for policy in fresh.values()}
        self._stored = self._good(self._known)

    def refresh(self) -> bool:
        """See keys that other processes made or revoked; True where there was a change. One cheap query otherwise.

        From any thread, one at a time. Raises StoreError.
        """
        asked_s = self._asked_s = self._monotonic_s()
        try:
            changed = self._look()
        except StoreError as error:
            self._failure = str(error)
            if asked_s - self._seen_s > self._grace_s:
                self._known, self._stored, self._revision = [], {}, -1  # to be read anew, when that can be done
            raise
        finally:
            self._asked_s = None
        self._seen_s, self._failure = asked_s, None
        return changed

    def _look(self) -> bool:
        revision = self._governance.revision()
        if revision == self._revision:
            return False
        keys = self._governance.keys()
        if self._shared:
            _check_pepper(self._hasher, self._governance, shared=True)  # two may have begun at once
        self._known, self._stored = keys, self._good(keys)
        self._any_stored = bool(keys)
        self._revision = revision
        return True

    def _good(self, keys: Iterable[StoredKey]) -> dict[bytes, KeyPolicy]:
        """By their digests, without those that have a name of another team's configured key."""
        owners = self._owners
        whose = [(key, (key.policy.org, key.policy.team)) for key in keys]
        return {key.digest: _policy(key) for key, owner in whose if owners.get(key.policy.name, owner) == owner}


def _policy(key: StoredKey) -> KeyPolicy:
    """What a stored key may do; a revocation is an expiry, which whoever admits requests looks at."""
    ends = [ms for ms in (key.policy.expires_ms, key.revoked_ms) if ms is not None]
    return structs.replace(key.policy, expires_ms=min(ends, default=None))


def _check_pepper(hasher: KeyHasher, governance: Governance, *, shared: bool) -> None:
    known = governance.setting(_CHECK)
    if known is None:
        governance.set_setting(_CHECK, hasher.fingerprint)
    elif known != hasher.fingerprint:
        if shared:
            raise StoreError(
                "the replicas that share this database have another pepper, so that keys made there would not be "
                f"recognised here. Copy the file `{PEPPER_FILE}` of their data directory into this one"
            )
        stored = governance.keys()
        if any(key.revoked_ms is None for key in stored):
            raise StoreError(
                "the keys in the database were made with another pepper, so none of them would be recognised. "
                f"Restore the file `{PEPPER_FILE}` of the data directory, or revoke all keys and create new ones"
            )
        governance.set_setting(_CHECK, hasher.fingerprint)


def create_key(governance: Governance, hasher: KeyHasher, policy: KeyPolicy, *, by: str, now_ms: int) -> NewKey:
    """A new key. Raises StoreError where a key of this name is good at `now_ms`, or was another team's: names are what
    budgets, kept answers, used Idempotency-Keys and feedback hang on, after a key's end too."""
    if was_anothers(governance, policy):
        raise StoreError(f"the name {policy.name} was another team's; take another")
    if any(key.policy.name == policy.name for key in live_keys(governance, now_ms)):
        raise StoreError(f"there already is a key named {policy.name}; rotate it, revoke it, or take another name")
    new = _mint(hasher, policy, now_ms)
    governance.add_key(new.stored, by=by)
    return new


def was_anothers(governance: Governance, policy: KeyPolicy) -> bool:
    """Whether a stored key of this name, good or ended, is of another organisation or team."""
    stored, owner = governance.keys(), (policy.org, policy.team)
    return any(key.policy.name == policy.name and (key.policy.org, key.policy.team) != owner for key in stored)


def rotate_key(
    governance: Governance, hasher: KeyHasher, name: str, *, by: str, now_ms: int, grace_ms: int = 0
) -> NewKey | None:
    """A new secret under the same name and policy; the old one is good for another `grace_ms`. None: no such key.

    The new key is there before the old one ends, whatever happens in between.
    """
    old = [key for key in live_keys(governance, now_ms) if key.policy.name == name]
    if not old:
        return None
    new = _mint(hasher, old[-1].policy, now_ms)
    governance.add_key(new.stored, by=by, action="key.rotate")
    for key in old:
        governance.end_key(key.key_id, at_ms=now_ms + grace_ms, by=by, now_ms=now_ms)
    return new


def revoke_key(governance: Governance, name_or_id: str, *, by: str, now_ms: int) -> int:
    """End the key of this id, or all of this name, now. How many were ended."""
    found = [key for key in live_keys(governance, now_ms) if name_or_id in (key.key_id, key.policy.name)]
    return sum(governance.end_key(key.key_id, at_ms=now_ms, by=by, now_ms=now_ms) for key in found)


def live_keys(governance: Governance, now_ms: int) -> list[StoredKey]:
    """Stored keys that are neither revoked nor expired at `now_ms`, oldest first."""
    stored = governance.keys()
    return [key for key in stored if (ends_ms := _policy(key).expires_ms) is None or now_ms < ends_ms]


def _mint(hasher: KeyHasher, policy: KeyPolicy, now_ms: int) -> NewKey:
    key_id = secrets.token_hex(5)
    random = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    secret = f"{PREFIX}-{key_id}-{random}"
    stored = StoredKey(
        key_id=key_id,
        policy=structs.replace(policy, source="store"),
        digest=hasher.digest(secret.encode()),
        created_ms=now_ms,
    )
    return NewKey(stored, secret)
