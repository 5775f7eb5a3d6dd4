"""Sealing: AES-256-GCM for what is personal or could locate someone, one data key per referral and per site."""

import base64
import json
import os
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.errors import OperatorError

KEY_BYTES = 32
NONCE_BYTES = 12


class SealBroken(Exception):
    """Sealed bytes that this key, or this row, did not seal."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key that seals the rows of one referral or one site; only its wrapped form is ever stored."""

    secret: bytes

    def seal(self, content: bytes, *, row: str) -> bytes:
        """Seal bytes for one row; `row` (its id) is authenticated, so that sealed bytes cannot change places."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.secret).encrypt(nonce, content, row.encode())

    def unseal(self, sealed: bytes, *, row: str) -> bytes:
        """Return the bytes that were sealed for this row; raise SealBroken for any others."""
        try:
            return AESGCM(self.secret).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], row.encode())
        except InvalidTag:
            raise SealBroken from None

    def seal_json(self, content: object, *, row: str) -> bytes:
        """Seal a JSON document for one row."""
        return self.seal(json.dumps(content, separators=(",", ":")).encode(), row=row)

    def unseal_json(self, sealed: bytes, *, row: str) -> Any:  # noqa: ANN401 - whatever was sealed
        """Return the JSON document that was sealed for this row."""
        return json.loads(self.unseal(sealed, row=row))


class Keyring:
    """The key-encryption keys of an installation, newest first: they wrap data keys and nothing else.

    The tokens that name offers and lists, and answers kept for repeats, have keys of their own, derived from the
    newest key (HKDF, RFC 5869); they live a day at most, so rotation costs no more than asking again.
    """

    def __init__(self, secrets: tuple[bytes, ...]) -> None:
        if not secrets or any(len(secret) != KEY_BYTES for secret in secrets):
            message = "PLEK_KEY must hold one or more keys of 32 bytes each, base64, separated by commas."
            raise OperatorError(message)
        self._wrapping = tuple(DataKey(secret) for secret in secrets)
        self._tokens = AESSIV(_derived(secrets[0], purpose=b"plek tokens", length=64))
        self.answers = DataKey(_derived(secrets[0], purpose=b"plek answers", length=KEY_BYTES))
        self.name = _derived(secrets[-1], purpose=b"plek installation", length=6).hex()
        """Tells installations apart where they share a server; it says nothing about the keys."""

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """Read keys as they stand in PLEK_KEY: base64, separated by commas, the newest first."""
        try:
            return cls(tuple(base64.b64decode(part, validate=True) for part in text.split(",") if part))
        except ValueError:
            message = "PLEK_KEY is not base64."
            raise OperatorError(message) from None

    def new_data_key(self, *, row: str) -> tuple[DataKey, bytes]:
        """Make a data key for a row; return it and its wrapped form."""
        key = DataKey(os.urandom(KEY_BYTES))
        return key, self._wrapping[0].seal(key.secret, row=row)

    def unwrap(self, wrapped: bytes, *, row: str) -> DataKey:
        """Return the data key of a row; raise SealBroken when no key of the ring wrapped it."""
        for wrapping in self._wrapping:
            try:
                return DataKey(wrapping.unseal(wrapped, row=row))
            except SealBroken:
                continue
        raise SealBroken

    def token(self, content: bytes, *, scope: str) -> str:
        """Turn bytes into an opaque string that only this installation can read, bound to a scope.

        The same bytes in the same scope give the same string; in another scope nothing links the two.
        """
        return base64.urlsafe_b64encode(self._tokens.encrypt(content, [scope.encode()])).decode().rstrip("=")

    def read_token(self, token: str, *, scope: str) -> bytes | None:
        """Return what a token says, or None where it is not one of ours for this scope."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            return self._tokens.decrypt(raw, [scope.encode()])
        except (ValueError, InvalidTag):
            return None


def new_key() -> str:
    """Make a fresh key in the form that PLEK_KEY takes."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _derived(secret: bytes, *, purpose: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=purpose).derive(secret)
