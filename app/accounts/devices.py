"""Devices that somebody has signed in on: a cookie says so, and only a sign-in that succeeded makes one.

Whoever guesses passwords has no such cookie for the account, so slowing down devices that have none
keeps nobody from working who has signed in there before (OWASP, Slow Down Online Guessing Attacks
with Device Cookies).
"""

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from app.seal import Keyring

SCOPE = "device"
ID_BYTES = 16
MOST_ACCOUNTS = 8
"""That one device remembers; the one that signed in longest ago is forgotten first."""


@dataclass(frozen=True, slots=True)
class Device:
    """A browser, and who has signed in on it."""

    id: bytes
    accounts: tuple[UUID, ...] = ()

    @classmethod
    def read(cls, cookie: str | None, *, keyring: Keyring) -> "Device":
        """Return what a cookie says; a new device where it says nothing that is ours."""
        content = keyring.read_token(cookie, scope=SCOPE) if cookie else None
        if content is None or len(content) % ID_BYTES or len(content) < ID_BYTES:
            return cls(secrets.token_bytes(ID_BYTES))
        parts = [content[start : start + ID_BYTES] for start in range(0, len(content), ID_BYTES)]
        return cls(parts[0], tuple(UUID(bytes=part) for part in parts[1:]))

    def knows(self, account_id: UUID | None) -> bool:
        """Whether this account has signed in here."""
        return account_id in self.accounts

    def after(self, account_id: UUID) -> "Device":
        """Return the device once an account has signed in on it."""
        others = [known for known in self.accounts if known != account_id]
        return Device(self.id, (*others, account_id)[-MOST_ACCOUNTS:])

    def cookie(self, *, keyring: Keyring) -> str:
        """Return what to remember it by."""
        content = self.id + b"".join(account_id.bytes for account_id in self.accounts)
        return keyring.token(content, scope=SCOPE)

    def counted_as(self, account_id: UUID) -> str:
        """Return under what tries of an account on this device are counted."""
        return hashlib.sha256(b"device:" + self.id + account_id.bytes).hexdigest()
