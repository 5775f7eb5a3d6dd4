"""Signing in: one answer to whatever is wrong, and the same amount of work for it."""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar
from uuid import UUID

from app.accounts import passwords, second_factor, sessions
from app.accounts.sessions import NewSession, Visitor
from app.accounts.store import sign_in_rows
from app.accounts.store.sign_in_rows import CredentialRow
from app.database import access_log
from app.database.caller import GRANTED, REFUSED, Caller
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.errors import TooMany
from app.events.allowance import Allowance
from app.seal import Keyring

LONGEST_SIGN_IN_NAME = 200
NOBODY = UUID(int=0)
NO_SECRET = bytes(second_factor.SECRET_BYTES)
SIGNING = "signing"
"""The actor of a transaction that finds out who wants to sign in."""
DEVICE_SCOPE = "device"
DEVICE_ID_BYTES = 16
MOST_ACCOUNTS = 8
"""The accounts that a device remembers; the one that signed in longest ago is forgotten."""

Done = TypeVar("Done")
Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[Transaction]]
"""Opens a transaction as the actor `signing`."""


@dataclass(frozen=True, slots=True)
class Device:
    """A browser, and the accounts that have signed in on it, remembered in a cookie.

    Only a successful sign-in makes such a cookie. A person who guesses passwords has none for the
    account, so slowing down devices without one keeps nobody from working who has signed in there
    before (OWASP, Slow Down Online Guessing Attacks with Device Cookies).
    """

    id: bytes
    accounts: tuple[UUID, ...] = ()

    @classmethod
    def read(cls, cookie: str | None, *, keyring: Keyring) -> "Device":
        """Return the device that a cookie names; a new one if the cookie is not ours."""
        content = keyring.read_token(cookie, scope=DEVICE_SCOPE) if cookie else None
        if content is None or len(content) % DEVICE_ID_BYTES or len(content) < DEVICE_ID_BYTES:
            return cls(secrets.token_bytes(DEVICE_ID_BYTES))
        parts = [
            content[start : start + DEVICE_ID_BYTES]
            for start in range(0, len(content), DEVICE_ID_BYTES)
        ]
        return cls(parts[0], tuple(UUID(bytes=part) for part in parts[1:]))

    def knows(self, account_id: UUID | None) -> bool:
        """Whether this account has signed in here."""
        return account_id in self.accounts

    def after(self, account_id: UUID) -> "Device":
        """Return the device after an account has signed in on it."""
        others = [known for known in self.accounts if known != account_id]
        return Device(self.id, (*others, account_id)[-MOST_ACCOUNTS:])

    def cookie(self, *, keyring: Keyring) -> str:
        """Return the cookie by which the device is remembered."""
        content = self.id + b"".join(account_id.bytes for account_id in self.accounts)
        return keyring.token(content, scope=DEVICE_SCOPE)

    def counted_as(self, account_id: UUID) -> str:
        """Return the key under which tries of an account on this device are counted."""
        return hashlib.sha256(b"device:" + self.id + account_id.bytes).hexdigest()


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """The name, password and code given to sign in, and the device."""

    name: str = field(repr=False)
    password: str = field(repr=False)
    code: str = field(repr=False)
    device: Device = field(repr=False)


@dataclass(frozen=True, slots=True)
class _NamedAccount:
    """The account with the given name, or values that take as long to compare with."""

    name_key: bytes
    row: CredentialRow | None
    secret: bytes

    @property
    def account_id(self) -> UUID:
        return NOBODY if self.row is None else self.row.account_id

    @property
    def password(self) -> str | None:
        return None if self.row is None else self.row.password


def factor_row(account_id: UUID) -> str:
    """Return the row name that seals a second factor: not the same as for the sign-in name."""
    return f"{account_id} second factor"


async def name_key(tx: Transaction, name: str) -> bytes:
    """Return the key by which a sign-in name is found, in whatever case it was typed.

    Only the installation's own key gives it.
    """
    key = await keys.read(tx, keys.NAMES)
    folded = unicodedata.normalize("NFKC", name).casefold().strip()
    return hmac.digest(key.secret, folded.encode(), "sha256")


async def sign_in(
    begin: Begin, attempt: SignInAttempt, *, visitor: Visitor, allowance: Allowance
) -> NewSession | None:
    """Open a session, or return None without telling which part of the attempt was wrong.

    Raises TooMany as `act_on_proof` does.
    """

    async def come_in(tx: Transaction, row: CredentialRow) -> NewSession | None:
        return await sessions.open_session(
            tx, row.account_id, visitor=visitor, by=sessions.PASSWORD
        )

    return await act_on_proof(begin, attempt, come_in, visitor=visitor, allowance=allowance)


async def act_on_proof(
    begin: Begin,
    attempt: SignInAttempt,
    act: Callable[[Transaction, CredentialRow], Awaitable[Done]],
    *,
    visitor: Visitor,
    allowance: Allowance,
) -> Done | None:
    """Act for the owner of an account, if the attempt proves it; else return None.

    The act is part of the transaction that uses the code up. Raises TooMany if a device that never
    signed in to this account has tried too often. A device that has signed in before has tries of
    its own, which nobody else can use up.
    """
    async with begin() as tx:
        claimed = await _look_up_name(tx, attempt.name)
    known = claimed.row is not None and attempt.device.knows(claimed.account_id)
    counted = attempt.device.counted_as(claimed.account_id) if known else claimed.name_key.hex()
    if wait := await allowance.spend_sign_in(counted, source=visitor.source, known_device=known):
        raise TooMany(retry_after=wait)
    right = await passwords.verify_password(claimed.password, attempt.password, known_device=known)
    better = None
    if right and claimed.password is not None and passwords.is_outdated(claimed.password):
        better = await passwords.hash_password(attempt.password)
    async with begin() as tx:
        if not await _use_code(tx, claimed, attempt.code, proven=right) or claimed.row is None:
            refused = sessions.entry(
                visitor, sessions.SIGN_IN, claimed.row and claimed.account_id, outcome=REFUSED
            )
            await access_log.add(tx, refused)
            return None
        if better is not None:
            await sign_in_rows.set_password(tx, claimed.account_id, better)
        return await act(tx, claimed.row)


async def prove_again(
    begin: Begin, caller: Caller, code: str, *, visitor: Visitor, allowance: Allowance
) -> bool:
    """Note in the caller's session that a code proves the second factor again.

    Raises TooMany for an account that has tried too often; the access log has every try.
    """
    counted = hashlib.sha256(b"proof:" + caller.account_id.bytes).hexdigest()
    if wait := await allowance.spend_sign_in(counted, source=visitor.source, known_device=True):
        raise TooMany(retry_after=wait)
    async with begin() as tx:
        row = await sign_in_rows.read(tx, caller.account_id)
        enrolled = row is not None and row.second_factor is not None
        claimed = _NamedAccount(b"", row, _secret_of(tx, row))
        proven = await _use_code(tx, claimed, code, proven=enrolled)
        if proven:
            await sign_in_rows.prove_session(tx, caller.token_id, account_id=caller.account_id)
        outcome = GRANTED if proven else REFUSED
        entry = sessions.entry(visitor, sessions.SIGN_IN, caller.account_id, outcome=outcome)
        await access_log.add(
            tx, replace(entry, account_id=caller.account_id, purpose=sessions.SECOND_FACTOR)
        )
    return proven


def name_of(row: CredentialRow, *, keyring: Keyring) -> str:
    """Return the name by which an account signs in."""
    row_id = str(row.account_id)
    return keyring.unwrap(row.key, row=row_id).unseal(row.name, row=row_id).decode()


def seal_factor(row: CredentialRow, secret: bytes, *, keyring: Keyring) -> bytes:
    """Return a second factor as it is stored for an account."""
    return keyring.unwrap(row.key, row=str(row.account_id)).seal(
        secret, row=factor_row(row.account_id)
    )


async def renew_recovery_codes(tx: Transaction, account_id: UUID) -> tuple[str, ...]:
    """Give an account new recovery codes, which are shown this once; older ones end."""
    codes = second_factor.new_recovery_codes()
    await sign_in_rows.add_recovery_codes(
        tx, account_id, [second_factor.recovery_hash(code) for code in codes]
    )
    return tuple(codes)


async def _look_up_name(tx: Transaction, name: str) -> _NamedAccount:
    wanted = await name_key(tx, name[:LONGEST_SIGN_IN_NAME])
    row = await sign_in_rows.find_by_name(tx, wanted)
    return _NamedAccount(wanted, row, _secret_of(tx, row))


def _secret_of(tx: Transaction, row: CredentialRow | None) -> bytes:
    if row is None or row.second_factor is None:
        return NO_SECRET
    return tx.keyring.unwrap(row.key, row=str(row.account_id)).unseal(
        row.second_factor, row=factor_row(row.account_id)
    )


async def _use_code(tx: Transaction, claimed: _NamedAccount, code: str, *, proven: bool) -> bool:
    """Use the given code or recovery code up; the same statements run whatever was given."""
    step = second_factor.step_of(claimed.secret, code, at=tx.at)
    by_code = await sign_in_rows.use_step(tx, claimed.account_id, step=step, proven=proven)
    hashed = second_factor.recovery_hash(code)
    by_recovery = await sign_in_rows.use_recovery_code(
        tx, claimed.account_id, hashed, proven=proven
    )
    return by_code or by_recovery
