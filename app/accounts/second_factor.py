"""The second factor: codes that change every half minute (RFC 6238), and recovery codes."""

import hashlib
import hmac
import re
import secrets
from base64 import b32encode
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
ISSUER = "Plek"
AROUND = (0, -1, 1)
"""The steps around now whose codes are accepted, as telephones' clocks differ a little."""
RECOVERY_CODES = 10
RECOVERY_CHARACTERS = 16
"""Base32 characters: 80 random bits, for which a plain hash is enough."""

_CODE = re.compile(r"\d{6}", re.ASCII)


def new_secret() -> bytes:
    """Make the secret of a second factor."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, at: datetime, *, step: int = 0) -> str:
    """Return the code at a moment, or some steps after it."""
    return _totp(secret).generate(int(at.timestamp()) + step * STEP_S).decode()


def step_of(secret: bytes, code: str, *, at: datetime) -> int:
    """Return the step that a code belongs to, around a moment; 0 if it is no code of theirs.

    Spaces do not count. It is always compared with every step, even if it is no code at all.
    """
    typed = "".join(code.split())
    given = typed.encode() if _CODE.fullmatch(typed) else b"never."
    now, found = int(at.timestamp()) // STEP_S, 0
    for around in AROUND:
        if hmac.compare_digest(code_at(secret, at, step=around).encode(), given):
            found = now + around
    return found


def provisioning_uri(secret: bytes, *, name: str) -> str:
    """Return the URI to be scanned, with which an authenticator keeps the secret under a name."""
    return _totp(secret).get_provisioning_uri(name, ISSUER)


def spell_secret(secret: bytes) -> str:
    """Return the secret for typing, in groups of four."""
    return _in_fours(b32encode(secret).decode())


def new_recovery_codes() -> list[str]:
    """Make recovery codes, for use without the telephone."""
    return [
        _in_fours(b32encode(secrets.token_bytes(RECOVERY_CHARACTERS * 5 // 8)).decode())
        for _ in range(RECOVERY_CODES)
    ]


def recovery_hash(code: str) -> bytes:
    """Return the hash of a recovery code, however it was typed."""
    return hashlib.sha256("".join(code.split()).upper().encode(errors="replace")).digest()


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 - what authenticators know; HMAC needs no more of it


def _in_fours(text: str) -> str:
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))
