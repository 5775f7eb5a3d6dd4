"""Vouching: a colleague lets in, for one shift, an account that is locked out on duty.

The colleague reads a short code to them; with their own name to sign in and that code they get one
session of an intake worker. Everyone at the desk is told, and may end it.
"""

import hashlib
import hmac
import secrets
from base64 import b32encode
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from app.accounts import account_changes, sessions
from app.accounts.sessions import NewSession, Visitor
from app.accounts.sign_ins import LONGEST_SIGN_IN_NAME, NOBODY, Begin, name_key
from app.accounts.store import sign_in_rows, vouching_rows
from app.accounts.store.vouching_rows import VouchedProof, VouchingRow
from app.database import access_log
from app.database.caller import REFUSED
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.errors import Conflict, Forbidden, Missing, TooMany, UnprovedFactor
from app.events.allowance import Allowance

VOUCH, UNVOUCH = "vouch", "unvouch"
VOUCHED = "vouched"
"""The kind of proof by which such a session was opened, as the access log has it."""
CODE_VALID = timedelta(minutes=15)
CODE_BYTES = 5
"""40 bits, eight characters: tries are limited, and it is short to read out."""


@dataclass(frozen=True, slots=True)
class NewVouching:
    """A vouching, and its code, which is shown this once."""

    row: VouchingRow
    code: str = field(repr=False)


async def vouch(tx: Transaction, account_id: UUID) -> NewVouching:
    """Vouch for a colleague of the same desk; tell everyone there.

    Raises Missing for who is none, Forbidden without a second factor proved just now or from a
    session that was vouched for, and Conflict while such a session of theirs lives.
    """
    id_, code = uuid4(), _new_code()
    vouched = await vouching_rows.vouch(
        tx, id_, account_id=account_id, hashed=await _hash(tx, code), valid=CODE_VALID
    )
    if vouched.outcome == "missing":
        raise Missing
    if vouched.outcome == "vouched_for":
        raise Forbidden("Whom a colleague vouched for vouches for nobody.", code="vouched_for")
    if vouched.outcome == "unproved":
        raise UnprovedFactor
    if vouched.outcome == "already":
        raise Conflict("vouched_already", "A colleague vouches for this account already.")
    await account_changes.log_act(tx, VOUCH, account_id, told_id=tx.caller.provider)
    (row,) = await vouching_rows.list_seen(tx, vouching_id=id_, limit=1)
    return NewVouching(row, code)


async def end_vouching(tx: Transaction, vouching_id: UUID) -> None:
    """End what a colleague vouched for, code and session, at once."""
    account_id = await vouching_rows.end(tx, vouching_id)
    if account_id is None:
        raise Missing
    await account_changes.log_act(tx, UNVOUCH, account_id, told_id=tx.caller.provider)


async def list_vouchings(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None = None
) -> list[VouchingRow]:
    """Return the vouchings of the caller's desk, the newest first."""
    return await vouching_rows.list_seen(tx, limit=limit, after=after)


async def come_in(
    begin: Begin, name: str, code: str, *, visitor: Visitor, allowance: Allowance
) -> NewSession | None:
    """Open the session that was vouched for; None without telling what of it was wrong.

    The same statements run for every name. Raises TooMany as signing in does.
    """
    async with begin() as tx:
        key = await name_key(tx, name[:LONGEST_SIGN_IN_NAME])
    counted = hashlib.sha256(b"vouched:" + key).hexdigest()
    if wait := await allowance.spend_sign_in(counted, source=visitor.source, known_device=False):
        raise TooMany(retry_after=wait)
    async with begin() as tx:
        row = await sign_in_rows.find_by_name(tx, key)
        account_id = NOBODY if row is None else row.account_id
        proof = VouchedProof(account_id, await _hash(tx, code))
        opened = await sessions.open_vouched_session(tx, proof, visitor=visitor)
        entry = sessions.entry(visitor, sessions.SIGN_IN, row and row.account_id)
        entry = replace(entry, purpose=VOUCHED)
        if opened is None:
            entry = replace(entry, outcome=REFUSED)
        else:
            entry = replace(entry, account_id=account_id)
        await access_log.add(tx, entry)
    return opened


def _new_code() -> str:
    text = b32encode(secrets.token_bytes(CODE_BYTES)).decode()
    return f"{text[:4]} {text[4:]}"


async def _hash(tx: Transaction, code: str) -> bytes:
    """Return the hash of a code, however typed, by the installation's own key."""
    key = await keys.read(tx, keys.NAMES)
    typed = "".join(code.split()).upper()[:LONGEST_SIGN_IN_NAME]
    return hmac.digest(key.secret, b"vouching " + typed.encode(errors="replace"), "sha256")
