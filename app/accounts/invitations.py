"""Invitations: a link with which its receiver sets a password and a second factor, once."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from app.accounts import passwords, second_factor, sessions
from app.accounts.sessions import NewSession, Visitor
from app.accounts.sign_ins import Begin, name_of, renew_recovery_codes, seal_factor
from app.accounts.store import sign_in_rows
from app.database.transaction import Transaction
from app.errors import Fault, Invalid, Missing
from app.seal import Keyring

VALID = timedelta(days=1)
CODE_BYTES = 32
SCOPE = "second factor"


@dataclass(frozen=True, slots=True)
class OfferedFactor:
    """The second factor offered for an account, which nobody else has seen."""

    name: str = field(repr=False)
    secret: bytes = field(repr=False)
    sealed: str = field(repr=False)
    """The secret for the form to bring back; it opens with this invitation alone."""


@dataclass(frozen=True, slots=True)
class ChosenCredential:
    """The password and second factor chosen with an invitation."""

    invitation: str = field(repr=False)
    sealed: str = field(repr=False)
    password: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A first session, and the recovery codes, which are shown this once."""

    opened: NewSession
    recovery_codes: tuple[str, ...] = field(repr=False)


def new_code() -> str:
    """Make the code of an invitation's link; only its hash is kept."""
    return secrets.token_urlsafe(CODE_BYTES)


async def offer_factor(tx: Transaction, code: str, *, again: str | None = None) -> OfferedFactor:
    """Return a new second factor for an invitation, or the one offered before; else Missing."""
    account_id = await sign_in_rows.invited_account(tx, hash_of(code))
    row = None if account_id is None else await sign_in_rows.read(tx, account_id)
    if row is None:
        raise Missing
    secret = _unseal_secret(again, code, keyring=tx.keyring) if again else None
    secret = secret or second_factor.new_secret()
    return OfferedFactor(
        name_of(row, keyring=tx.keyring), secret, tx.keyring.token(secret, scope=_scope(code))
    )


async def accept_invitation(
    begin: Begin, choice: ChosenCredential, *, visitor: Visitor
) -> Enrolment:
    """Accept an invitation and sign in; all older sessions of the account end.

    Raises Invalid with codes for the faults of the choice, and Missing if the invitation is no
    longer open.
    """
    async with begin() as tx:
        offer = await offer_factor(tx, choice.invitation, again=choice.sealed)
        step = second_factor.step_of(offer.secret, choice.code, at=tx.at)
        organisations = await tx.snapshots.organisations(tx)
    fault = await passwords.fault_of(choice.password, name=offer.name, organisations=organisations)
    faults = [Fault("/password", fault)] if fault else []
    if not step:
        faults.append(Fault("/code", "code_wrong"))
    if faults:
        raise Invalid(*faults)
    hashed = await passwords.hash_password(choice.password)
    async with begin() as tx:
        return await _enrol(tx, choice, (hashed, offer.secret, step), visitor=visitor)


async def _enrol(
    tx: Transaction, choice: ChosenCredential, chosen: tuple[str, bytes, int], *, visitor: Visitor
) -> Enrolment:
    hashed, secret, step = chosen
    account_id = await sign_in_rows.invited_account(tx, hash_of(choice.invitation))
    row = None if account_id is None else await sign_in_rows.read(tx, account_id)
    if row is None or not await sign_in_rows.use_invitation(tx, hash_of(choice.invitation)):
        raise Missing
    sealed = seal_factor(row, secret, keyring=tx.keyring)
    await sign_in_rows.enrol(tx, row.account_id, password=hashed, second_factor=sealed, step=step)
    codes = await renew_recovery_codes(tx, row.account_id)
    await sign_in_rows.end_sessions(tx, row.account_id)
    opened = await sessions.open_session(
        tx, row.account_id, visitor=visitor, by=sessions.INVITATION
    )
    if opened is None:
        raise Missing
    return Enrolment(opened, codes)


def _unseal_secret(sealed: str, code: str, *, keyring: Keyring) -> bytes | None:
    return keyring.read_token(sealed, scope=_scope(code))


def _scope(code: str) -> str:
    return f"{SCOPE} {hash_of(code).hex()}"


def hash_of(code: str) -> bytes:
    """Return the hash under which the code of an invitation is kept."""
    return hashlib.sha256(code.strip().encode(errors="replace")).digest()
