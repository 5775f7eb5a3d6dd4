"""Accounts of people: invited, changed, disabled and reset by those who keep them.

The operator makes the first one. Coordinators keep the accounts of their own provider's people, and
administrators all; nobody keeps their own. Every act is logged, with a purpose if it lets a person
see clients. When it takes effect is decided in `account_changes`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from app.accounts import account_changes, invitations
from app.accounts.account_changes import CHANGE, ENABLE, INVITE, RESET, AskedChange
from app.accounts.accounts import LONGEST_NAME, is_demo_shown
from app.accounts.sign_ins import LONGEST_SIGN_IN_NAME, name_key
from app.accounts.store import account_rows, change_rows, sign_in_rows, staff_rows
from app.accounts.store.sign_in_rows import CredentialRow
from app.accounts.store.staff_rows import AccountRow, StaffRow
from app.database.caller import PEOPLE, PROVIDER_ACCOUNTS, STAFF, Role
from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Forbidden, Invalid, Missing
from app.seal import Keyring

CLIENT_DATA = "client_data"
"""The purpose in the log when an account gets a role that sees clients."""
DISABLE = "disable"


@dataclass(frozen=True, slots=True)
class AccountWanted:
    """What an account is to be."""

    roles: frozenset[str]
    provider_id: UUID | None
    region: str | None
    name: str | None
    """What colleagues call it."""


@dataclass(frozen=True, slots=True)
class StaffAccount:
    """An account as an administrator sees it."""

    row: StaffRow
    sign_in_name: str | None = field(repr=False)
    """None for a machine, and for a person with a token only."""


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An account, and the code of its invitation, which is shown this once."""

    account_id: UUID
    code: str = field(repr=False)
    asked: AskedChange
    """From when on it can be accepted."""


async def list_accounts(
    tx: Transaction,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
    provider_id: UUID | None = None,
) -> list[StaffAccount]:
    """Return accounts, the newest first."""
    rows = await staff_rows.list_accounts(tx, limit=limit, after=after, provider_id=provider_id)
    return [_unseal(row, keyring=tx.keyring) for row in rows]


async def read(tx: Transaction, account_id: UUID) -> StaffAccount:
    """Return an account."""
    row = await staff_rows.read(tx, account_id)
    if row is None:
        raise Missing
    return _unseal(row, keyring=tx.keyring)


async def find_by_name(tx: Transaction, sign_in_name: str) -> list[StaffAccount]:
    """Return the account that signs in by exactly this name: names are sealed."""
    row = await staff_rows.find_by_name(tx, await name_key(tx, sign_in_name[:LONGEST_SIGN_IN_NAME]))
    return [] if row is None else [_unseal(row, keyring=tx.keyring)]


async def invite(
    tx: Transaction, wanted: AccountWanted, *, sign_in_name: str, embedded: bool
) -> NewInvitation:
    """Make an account and its invitation; raise Invalid with codes for its faults."""
    shown = await is_demo_shown(tx) is True
    if shown and not embedded:
        raise Conflict(
            "demo_country", "This database holds the demo country: no accounts are made in it here."
        )
    await _check(tx, wanted, more=_name_faults(sign_in_name))
    key_of_name = await name_key(tx, sign_in_name)
    if await sign_in_rows.is_taken(tx, key_of_name):
        raise Invalid(Fault("/signInName", "name_taken"))
    account_id = uuid4()
    await staff_rows.add(tx, account_id, _row(wanted), demo=shown)
    row_id = str(account_id)
    key, wrapped = tx.keyring.new_data_key(row=row_id)
    sealed = key.seal(sign_in_name.strip().encode(), row=row_id)
    await sign_in_rows.add(
        tx, CredentialRow(account_id, wrapped, sealed, None, None, 0, None), name_key=key_of_name
    )
    return await _invite(tx, account_id, INVITE, purpose=_sees_clients(wanted.roles))


async def change(tx: Transaction, account_id: UUID, wanted: AccountWanted) -> AskedChange | None:
    """Change the roles of an account, its provider or region, and its name at work.

    The name is changed at once; None if there is nothing else to change.
    """
    before = await _other_account(tx, account_id)
    await _check(tx, wanted, machine=Role.CLIENT_SYSTEM in before.roles)
    await staff_rows.set_name(tx, account_id, wanted.name)
    stands = (frozenset(before.roles), before.provider_id, before.region)
    if (wanted.roles, wanted.provider_id, wanted.region) == stands:
        await account_changes.log_act(tx, CHANGE, account_id)
        return None
    purpose = _sees_clients(wanted.roles - set(before.roles))
    return await account_changes.ask_change(
        tx, account_id, CHANGE, wanted=_row(wanted), purpose=purpose
    )


async def disable(tx: Transaction, account_id: UUID) -> None:
    """Refuse an account from now on, by session or token, and what was asked for it."""
    before = await _other_account(tx, account_id)
    if not await change_rows.disable(tx, account_id):
        raise Missing
    await account_changes.log_act(tx, DISABLE, account_id, told_id=before.provider_id)


async def enable(tx: Transaction, account_id: UUID) -> AskedChange | None:
    """Admit a disabled account again, with the credentials it had; None if it is not disabled."""
    before = await _other_account(tx, account_id)
    if before.disabled_at is None:
        return None
    return await account_changes.ask_change(tx, account_id, ENABLE)


async def reset(tx: Transaction, account_id: UUID) -> NewInvitation:
    """Invite an account again; its password and second factor end when that takes effect."""
    before = await _other_account(tx, account_id)
    if before.key is None:
        raise Missing
    return await _invite(tx, account_id, RESET)


async def _invite(
    tx: Transaction, account_id: UUID, act: str, *, purpose: str | None = None
) -> NewInvitation:
    code = invitations.new_code()
    asked = await account_changes.ask_change(
        tx,
        account_id,
        act,
        invitation=(invitations.hash_of(code), invitations.VALID),
        purpose=purpose,
    )
    return NewInvitation(account_id, code, asked)


async def _other_account(tx: Transaction, account_id: UUID) -> StaffRow:
    if account_id == tx.caller.account_id:
        raise Forbidden("Another administrator has to do that.", code="own_account")
    row = await staff_rows.read(tx, account_id)
    if row is None:
        raise Missing
    return row


async def _check(
    tx: Transaction, wanted: AccountWanted, *, machine: bool = False, more: Iterable[Fault] = ()
) -> None:
    faults = [*more, *_faults(wanted, machine=machine), *_beyond(tx, wanted)]
    if wanted.region is not None and not await account_rows.region_exists(tx, wanted.region):
        faults.append(Fault("/region", "region_unknown"))
    if wanted.provider_id is not None and str(
        wanted.provider_id
    ) not in await tx.snapshots.providers(tx):
        faults.append(Fault("/provider", "provider_unknown"))
    if faults:
        raise Invalid(*faults)


def _faults(wanted: AccountWanted, *, machine: bool) -> Iterator[Fault]:
    allowed = PEOPLE | {Role.CLIENT_SYSTEM} if machine else PEOPLE
    if not wanted.roles or not wanted.roles <= allowed:
        yield Fault("/roles", "role_needed")
    working = not PROVIDER_ACCOUNTS.isdisjoint(wanted.roles)
    if working != (wanted.provider_id is not None):
        yield Fault("/provider", "provider_needed" if working else "provider_unused")
    auditing = Role.AUDITOR in wanted.roles
    if auditing != (wanted.region is not None):
        yield Fault("/region", "region_needed" if auditing else "region_unused")
    if wanted.name is not None and not (
        1 <= len(wanted.name) <= LONGEST_NAME and wanted.name.isprintable()
    ):
        yield Fault("/name", "name_length")


def _beyond(tx: Transaction, wanted: AccountWanted) -> Iterator[Fault]:
    """Return what a coordinator may not give: other roles, or another provider."""
    if tx.identity is None or tx.caller.has(Role.ADMINISTRATOR):
        return
    if not wanted.roles <= STAFF:
        yield Fault("/roles", "role_needed")
    elif wanted.provider_id != tx.caller.provider_id:
        yield Fault("/provider", "provider_needed")


def _name_faults(sign_in_name: str) -> Iterator[Fault]:
    name = sign_in_name.strip()
    if not (3 <= len(name) <= LONGEST_SIGN_IN_NAME and name.isprintable()):  # noqa: PLR2004 - initials are three
        yield Fault("/signInName", "name_length")


def _sees_clients(roles: frozenset[str]) -> str | None:
    return None if STAFF.isdisjoint(roles) else CLIENT_DATA


def _row(wanted: AccountWanted) -> AccountRow:
    return AccountRow(tuple(sorted(wanted.roles)), wanted.provider_id, wanted.region, wanted.name)


def _unseal(row: StaffRow, *, keyring: Keyring) -> StaffAccount:
    if row.key is None or row.sign_in_name is None:
        return StaffAccount(row, None)
    row_id = str(row.id)
    return StaffAccount(
        row, keyring.unwrap(row.key, row=row_id).unseal(row.sign_in_name, row=row_id).decode()
    )
