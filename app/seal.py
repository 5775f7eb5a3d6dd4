"""Sealing with AES-256-GCM: one data key for each referral and each site.

Everything personal is sealed, and everything that could locate a person. Data keys are stored
wrapped by the key ring from the environment.
"""

import base64
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.errors import OperatorError

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_FILE = "key"
"""The file in the data folder that holds the keys unless PLEK_KEY is set."""

Found = TypeVar("Found")
Source: TypeAlias = Callable[[], str | None]
"""Reads the configured keys again; None if they have not changed since the last look."""


class SealBroken(Exception):
    """Sealed bytes that belong to another key or another row."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key, which seals the rows of one referral or site.

    It is stored only wrapped.
    """

    secret: bytes = field(repr=False)

    def seal(self, content: bytes, *, row: str) -> bytes:
        """Seal bytes for one row.

        The row's id is authenticated, so that sealed bytes cannot be moved to another row.
        """
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.secret).encrypt(nonce, content, row.encode())

    def unseal(self, sealed: bytes, *, row: str) -> bytes:
        """Return the bytes that were sealed for this row.

        Raise SealBroken for any others.
        """
        try:
            return AESGCM(self.secret).decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], row.encode()
            )
        except (InvalidTag, ValueError):  # the latter: fewer bytes than any seal has
            raise SealBroken from None

    def seal_json(self, content: object, *, row: str) -> bytes:
        """Seal a JSON document for one row."""
        return self.seal(json.dumps(content, separators=(",", ":")).encode(), row=row)

    def unseal_json(self, sealed: bytes, *, row: str) -> Any:  # noqa: ANN401 - whatever was sealed
        """Unseal the JSON document of one row."""
        return json.loads(self.unseal(sealed, row=row))


@dataclass(frozen=True, slots=True)
class _Key:
    """One key-encryption key, and the keys derived from it (HKDF, RFC 5869).

    The derived keys make tokens and seal stored answers.
    """

    wrapping: DataKey
    tokens: AESSIV
    answers: DataKey
    fingerprint: str

    @classmethod
    def of(cls, secret: bytes) -> "_Key":
        """Derive all keys from one secret."""
        return cls(
            wrapping=DataKey(secret),
            tokens=AESSIV(_derive_key(secret, purpose=b"plek tokens", length=64)),
            answers=DataKey(_derive_key(secret, purpose=b"plek answers", length=KEY_BYTES)),
            fingerprint=_derive_key(secret, purpose=b"plek fingerprint", length=8).hex(),
        )


class _Ring:
    """The keys, newest first; newer ones are looked for if none fits."""

    def __init__(self, secrets: tuple[bytes, ...], *, source: Source | None) -> None:
        self.keys = tuple(_Key.of(secret) for secret in secrets)
        self._source = source

    def newest(self) -> _Key:
        """The newest key, so that a row sealed during a rotation is sealed only once."""
        self._follow()
        return self.keys[0]

    def open_with_any_key(self, attempt: Callable[[_Key], Found]) -> Found:
        """Return the result of the first key that fits.

        Raise SealBroken if none does, newer ones included.
        """
        while True:
            for key in self.keys:
                try:
                    return attempt(key)
                except SealBroken:
                    continue
            if not self._follow():
                raise SealBroken

    def _follow(self) -> bool:
        """Take over changed keys from the source, unless ours are missing among them.

        A ring without any of our keys belongs to another installation.
        """
        text = self._source() if self._source else None
        if text is None:
            return False
        try:
            secrets = secrets_of(text)
        except OperatorError:
            return False
        if self.keys[0].wrapping.secret not in secrets or secrets == tuple(
            key.wrapping.secret for key in self.keys
        ):
            return False
        self.keys = tuple(_Key.of(secret) for secret in secrets)
        return True


class Seals:
    """The key ring for one purpose: the newest key seals, any key that fits unseals."""

    def __init__(self, ring: _Ring, part: Callable[[_Key], DataKey]) -> None:
        self._ring = ring
        self._part = part

    def seal(self, content: bytes, *, row: str) -> bytes:
        """Seal bytes for one row."""
        return self._part(self._ring.newest()).seal(content, row=row)

    def unseal(self, sealed: bytes, *, row: str) -> bytes:
        """Return the bytes that were sealed for this row.

        Raise SealBroken for any others.
        """
        return self._ring.open_with_any_key(lambda key: self._part(key).unseal(sealed, row=row))

    def reseal(self, sealed: bytes, *, row: str) -> bytes | None:
        """Seal the same bytes with the newest key; None if they are already.

        Raise SealBroken if no key fits.
        """
        content = self.unseal(sealed, row=row)
        newest = self._part(self._ring.keys[0])
        try:
            newest.unseal(sealed, row=row)
        except SealBroken:
            return newest.seal(content, row=row)
        return None


class Keyring:
    """The key-encryption keys of an installation, newest first.

    The tokens that name offers and lists, and answers kept for repeats, have keys of their own,
    derived from these. The newest key makes them and every key reads them, so nothing breaks while
    processes have different keys first.
    """

    def __init__(self, secrets: tuple[bytes, ...], *, source: Source | None = None) -> None:
        self._ring = _Ring(secrets, source=source)
        self.wrapping = Seals(self._ring, lambda key: key.wrapping)
        """Wraps data keys; the row is the name of the referral, the site or the key itself."""
        self.answers = Seals(self._ring, lambda key: key.answers)
        """Seals the answers stored for repeated requests."""
        self.name = _derive_key(secrets[-1], purpose=b"plek installation", length=6).hex()
        """The name by which installations on a shared server are told apart.

        It says nothing about the keys.

        It comes from the last key, the oldest: a rotation leaves it alone. Once that key is
        retired, processes that start have another one, and do not hear the doorbells of those that
        go on with the old. That costs half a
        second: each looks by itself twice a second for what no doorbell told it.
        """

    @classmethod
    def parse(
        cls, text: str, *, named: str = "PLEK_KEY", source: Source | None = None
    ) -> "Keyring":
        """Parse keys as PLEK_KEY holds them: base64, separated by commas, newest first.

        `named` is where they are configured, for messages to the operator; `source` is asked for
        newer keys when none of these fits.
        """
        return cls(secrets_of(text, named=named), source=source)

    @property
    def older(self) -> int:
        """The number of keys beside the newest."""
        return len(self._ring.keys) - 1

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The name of each key, newest first, by which a backup tells them apart.

        It is derived, and says nothing about the key.
        """
        return tuple(key.fingerprint for key in self._ring.keys)

    def opener(self, wrapped: bytes, *, row: str) -> str:
        """The fingerprint of the key that wrapped a row's data key; SealBroken if none did."""

        def attempt(key: _Key) -> str:
            key.wrapping.unseal(wrapped, row=row)
            return key.fingerprint

        return self._ring.open_with_any_key(attempt)

    def new_data_key(self, *, row: str) -> tuple[DataKey, bytes]:
        """Make a data key for a row; return it with its wrapped form."""
        key = DataKey(os.urandom(KEY_BYTES))
        return key, self.wrapping.seal(key.secret, row=row)

    def unwrap(self, wrapped: bytes, *, row: str) -> DataKey:
        """Unwrap the data key of a row; SealBroken if no key of the ring wrapped it."""
        return DataKey(self.wrapping.unseal(wrapped, row=row))

    def token(self, content: bytes, *, scope: str) -> str:
        """Turn bytes into an opaque string, bound to a scope, that only this ring can read.

        The same bytes in the same scope give the same string (until the next rotation); in another
        scope nothing links the two.
        """
        sealed = self._ring.keys[0].tokens.encrypt(content, [scope.encode()])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def read_token(self, token: str, *, scope: str) -> bytes | None:
        """Return the bytes that a token holds; None if it was not made here for this scope."""

        def read(key: _Key) -> bytes:
            try:
                return key.tokens.decrypt(raw, [scope.encode()])
            except InvalidTag:
                raise SealBroken from None

        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            return self._ring.open_with_any_key(read)
        except (ValueError, SealBroken):
            return None


class KeyFile:
    """A file of keys that is read again when no known key fits.

    A rotation writes a new key to it while other processes go on serving. A look costs a
    microsecond or two, and is taken only for sealed bytes that no key opens, or to make a data key.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    def read_if_changed(self) -> str | None:
        """Return the file's content if it has changed since the last look.

        None if unreadable.
        """
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen == self._seen:
                return None
            text = self._path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return None
        self._seen = seen
        return text


def secrets_of(text: str, *, named: str = "PLEK_KEY") -> tuple[bytes, ...]:
    """Return the keys in a text, each once.

    Raise OperatorError, which repeats nothing of the text, if it holds anything else.
    """
    try:
        secrets = tuple(
            base64.b64decode(part.strip(), validate=True)
            for part in text.split(",")
            if part.strip()
        )
    except ValueError:
        raise OperatorError(f"{named} is not base64.") from None
    if not secrets or any(len(secret) != KEY_BYTES for secret in secrets):
        raise OperatorError(
            f"{named} must hold one or more keys of {KEY_BYTES} bytes each, base64, separated "
            "by commas."
        )
    return tuple(dict.fromkeys(secrets))


def new_key() -> str:
    """Make a new key in the form that PLEK_KEY takes."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _derive_key(secret: bytes, *, purpose: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=purpose).derive(secret)
