"""Sealing what lies on disk: AES-256-GCM under a key that is made from a secret of the configuration.

A sealed text is the key's id, a nonce and the ciphertext; what it belongs to is authenticated with it, so that one
recording cannot be put in the place of another. Nonces are random: below four thousand million texts under one key,
which is what NIST SP 800-38D allows for them, none is drawn twice.
"""

import os
from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol

from bascule.config.secret import Secret
from bascule.model.errors import StoreError

ID_BYTES = 8
NONCE_BYTES = 12
_CONTEXT = b"bascule content v1"

PLAIN = bytes(ID_BYTES)
"""The key id of what is not sealed."""


class Vault(Protocol):
    """Both raise StoreError."""

    def seal(self, text: bytes, belongs_to: bytes) -> bytes: ...

    def open(self, sealed: bytes, belongs_to: bytes) -> bytes: ...


class AesVault:
    """Implements `Vault`. The first key seals; all open."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        """Raises StoreError where the extra `encryption` is not installed."""
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
            from cryptography.hazmat.primitives.hashes import SHA256
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        except ImportError as error:
            raise StoreError("recordings are sealed by the extra: pip install 'bascule[encryption]'") from error
        self._ciphers: dict[bytes, AESGCM] = {}
        for secret in secrets:
            key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_CONTEXT).derive(secret.reveal())
            key_id = blake2b(key, digest_size=ID_BYTES, person=b"bascule-key-id").digest()
            self._ciphers.setdefault(key_id, AESGCM(key))
        self._current = next(iter(self._ciphers))

    def seal(self, text: bytes, belongs_to: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return self._current + nonce + self._ciphers[self._current].encrypt(nonce, text, belongs_to)

    def open(self, sealed: bytes, belongs_to: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        key_id, nonce = sealed[:ID_BYTES], sealed[ID_BYTES : ID_BYTES + NONCE_BYTES]
        if key_id == PLAIN:
            return sealed[ID_BYTES:]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise StoreError(
                f"a recording is sealed under the key {key_id.hex()}, which the configuration does not have; "
                "name its secret in privacy.previous_content_keys"
            )
        try:
            return cipher.decrypt(nonce, sealed[ID_BYTES + NONCE_BYTES :], belongs_to)
        except InvalidTag:
            raise StoreError("a recording was changed since it was sealed, or belongs elsewhere") from None


class NoVault:
    """Implements `Vault` where encryption was switched off: it opens only what is not sealed."""

    def seal(self, text: bytes, belongs_to: bytes) -> bytes:
        return PLAIN + text

    def open(self, sealed: bytes, belongs_to: bytes) -> bytes:
        if sealed[:ID_BYTES] != PLAIN:
            raise StoreError("a recording is sealed, and privacy.encryption is off; name its secret and switch it on")
        return sealed[ID_BYTES:]
