"""The installation's own data keys, made once and kept wrapped."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.database.transaction import Transaction
from app.models import InstallationKey
from app.seal import DataKey

LEDGER = "ledger"
"""Seals the openings of leaves, each with its index as the row."""
MONITOR = "monitor"
"""Seals the sums of arrivals, until they are released."""


CHECKPOINTS = "checkpoint/"
"""The name of each key that signs checkpoints, before its number; the last two sign."""
SIGNING = 2


async def signing_secrets(
    tx: Transaction,
) -> list[bytes]:
    """Return the secrets of the keys that sign checkpoints, the newest first.

    The first caller makes one.
    """
    numbers = await _signing_numbers(tx) or [1]
    return [(await read(tx, f"{CHECKPOINTS}{number}")).secret for number in numbers[:SIGNING]]


async def add_signing(
    tx: Transaction,
) -> None:
    """Make another key that signs checkpoints."""
    newest = max(await _signing_numbers(tx), default=0)
    await read(tx, f"{CHECKPOINTS}{newest + 1}")


async def _signing_numbers(tx: Transaction) -> list[int]:
    """Return the numbers of all keys that sign or signed checkpoints, the last first."""
    names = await tx.rows(
        select(InstallationKey.name).where(InstallationKey.name.startswith(CHECKPOINTS))
    )
    return sorted((int(row.name.removeprefix(CHECKPOINTS)) for row in names), reverse=True)


NAMES = "names"
"""Makes the HMAC by which a sign-in name is found."""
REGISTER = "register"
"""Makes the HMACs by which names of sites and labels of places are told apart."""


async def read(
    tx: Transaction,
    name: str,
) -> DataKey:
    """Return one of the installation's keys; the first caller makes it."""
    wanted = select(InstallationKey.wrapped).where(InstallationKey.name == name)
    row = await tx.row(wanted)
    if row is None:
        _, wrapped = tx.keyring.new_data_key(row=name)
        await tx.run(
            insert(InstallationKey).values(name=name, wrapped=wrapped).on_conflict_do_nothing()
        )
        row = (await tx.rows(wanted))[0]
    return tx.keyring.unwrap(row.wrapped, row=name)
