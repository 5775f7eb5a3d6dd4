"""The installation's own data keys, made once and kept wrapped."""

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.models import InstallationKey
from app.seal import DataKey, Keyring

if TYPE_CHECKING:
    from app.store.database import Transaction

LEDGER = "ledger"
"""Seals the openings of leaves, each with its index as the row."""
NAMES = "names"
"""Makes of a name that somebody signs in with what it is found by (HMAC)."""


async def read(tx: "Transaction", name: str, *, keyring: Keyring) -> DataKey:
    """Return one of the installation's keys; the first to ask makes it."""
    wanted = select(InstallationKey.wrapped).where(InstallationKey.name == name)
    row = await tx.row(wanted)
    if row is None:
        _, wrapped = keyring.new_data_key(row=name)
        await tx.run(insert(InstallationKey).values(name=name, wrapped=wrapped).on_conflict_do_nothing())
        row = (await tx.rows(wanted))[0]
    return keyring.unwrap(row.wrapped, row=name)
