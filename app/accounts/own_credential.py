"""A person's own password and second factor, changed after proving them as at sign-in.

Every session of the account ends with a change, and a new one begins where it was made.
"""

from dataclasses import dataclass, field
from uuid import UUID

from app.accounts import passwords, second_factor, sessions
from app.accounts.invitations import OfferedFactor
from app.accounts.sessions import NewSession, Visitor
from app.accounts.sign_ins import (
    Begin,
    SignInAttempt,
    act_on_proof,
    name_of,
    renew_recovery_codes,
    seal_factor,
)
from app.accounts.store import sign_in_rows
from app.accounts.store.sign_in_rows import CredentialRow
from app.database.transaction import Transaction
from app.errors import Fault, Invalid, Missing
from app.events.allowance import Allowance


@dataclass(frozen=True, slots=True)
class ConfirmedFactor:
    """The second factor that was offered, and a code that shows that it works."""

    sealed: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CredentialChange:
    """The new session after a change, and new recovery codes with a new second factor.

    The codes are shown this once.
    """

    opened: NewSession
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


async def offer_factor(tx: Transaction, account_id: UUID, *, again: str = "") -> OfferedFactor:
    """Return a new second factor for an account, or the one offered before; else Missing.

    Only an account that has a second factor is offered another.
    """
    row = await sign_in_rows.read(tx, account_id)
    if row is None or row.second_factor is None:
        raise Missing
    scope = _scope(account_id)
    secret = tx.keyring.read_token(again, scope=scope) or second_factor.new_secret()
    return OfferedFactor(
        name_of(row, keyring=tx.keyring), secret, tx.keyring.token(secret, scope=scope)
    )


async def change_credential(
    begin: Begin,
    attempt: SignInAttempt,
    chosen: str | ConfirmedFactor,
    *,
    visitor: Visitor,
    allowance: Allowance,
) -> CredentialChange | None:
    """Change the password or the second factor; None if the proof of identity is wrong.

    Raises Invalid with codes for the faults of what was chosen, and TooMany as signing in does.
    """
    hashed = ""
    if not isinstance(chosen, ConfirmedFactor):
        hashed = await _hash_chosen(begin, chosen, name=attempt.name)

    async def act(tx: Transaction, row: CredentialRow) -> CredentialChange | None:
        if isinstance(chosen, ConfirmedFactor):
            by, codes = sessions.NEW_SECOND_FACTOR, await _renew_factor(tx, row, chosen)
        else:
            by, codes = sessions.NEW_PASSWORD, ()
            await sign_in_rows.set_password(tx, row.account_id, hashed)
        await sign_in_rows.end_sessions(tx, row.account_id)
        opened = await sessions.open_session(tx, row.account_id, visitor=visitor, by=by)
        return None if opened is None else CredentialChange(opened, codes)

    return await act_on_proof(begin, attempt, act, visitor=visitor, allowance=allowance)


async def _hash_chosen(begin: Begin, chosen: str, *, name: str) -> str:
    async with begin() as tx:
        organisations = await tx.snapshots.organisations(tx)
    if code := await passwords.fault_of(chosen, name=name, organisations=organisations):
        raise Invalid(Fault("/chosen", code))
    return await passwords.hash_password(chosen)


async def _renew_factor(
    tx: Transaction, row: CredentialRow, factor: ConfirmedFactor
) -> tuple[str, ...]:
    secret = tx.keyring.read_token(factor.sealed, scope=_scope(row.account_id))
    step = second_factor.step_of(secret, factor.code, at=tx.at) if secret else 0
    if secret is None or not step:
        raise Invalid(Fault("/digits", "code_wrong"))
    await sign_in_rows.set_second_factor(
        tx, row.account_id, seal_factor(row, secret, keyring=tx.keyring), step=step
    )
    return await renew_recovery_codes(tx, row.account_id)


def _scope(account_id: UUID) -> str:
    return f"own second factor {account_id}"
