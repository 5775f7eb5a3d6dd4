"""The ledger's leaves as readers see them, with the openings that are for their region.

Each opening that is shown stands in its household's list of accesses.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.database import access_log
from app.database.caller import Caller, Role
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.errors import Unavailable
from app.ledger.store import entry_rows, tree
from app.ledger.store.entry_rows import EntryRow
from app.ledger.store.tree import SignedTree

PAGE = 2_000


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A leaf's canonical bytes, and its opening if the reader may see it."""

    index: int
    type: str
    content: bytes
    opening: Mapping[str, Any] | None


async def export_entries(
    tx: Transaction, *, size: int, region: str | None
) -> AsyncGenerator[LedgerEntry]:
    """Yield the leaves of the tree of a size, with the openings for a region's auditors.

    Without a region there are no openings.
    """
    seen = -1
    while seen + 1 < size:
        page = await _read(tx, after=seen, limit=min(PAGE, size - 1 - seen), region=region)
        if not page:
            return
        for entry in page:
            yield entry
        seen = page[-1].index


async def list_entries(tx: Transaction, *, after: int, limit: int) -> list[LedgerEntry]:
    """Return the leaves after an index, in order; and one more, shut, if there are more."""
    rows = await entry_rows.list_entries(
        tx, after=after, limit=limit + 1, region=_region_of(tx.caller)
    )
    return await _unseal(tx, rows, shown=limit)


async def list_readable(tx: Transaction, *, before: int | None, limit: int) -> list[LedgerEntry]:
    """Return the leaves before an index that the caller can read, newest first.

    Those are the leaves in clear, and those whose opening the caller may see; and one more, shut,
    if there are more.
    """
    rows = await entry_rows.list_readable(
        tx, before=before, limit=limit + 1, region=_region_of(tx.caller)
    )
    return await _unseal(tx, rows, shown=limit)


async def export_signed(tx: Transaction) -> tuple[SignedTree, AsyncGenerator[LedgerEntry]]:
    """Return the newest checkpoint and its leaves, as `plek ledger export` writes them."""
    newest = await tree.newest(tx)
    if newest is None:
        raise Unavailable("No checkpoint has been sealed yet.")
    return newest, export_entries(tx, size=newest.size, region=_region_of(tx.caller))


async def note_export(tx: Transaction) -> None:
    """Log an export at the command line, for every household that was in it."""
    seen = tuple(sorted(tx.looks.referral_ids))
    entry = access_log.of_actor(tx.actor, "export", "ledger", None, referral_ids=seen)
    await access_log.add(tx, entry)


def _region_of(caller: Caller) -> str | None:
    return caller.region if caller.has(Role.AUDITOR) else None


async def _read(
    tx: Transaction, *, after: int, limit: int, region: str | None
) -> list[LedgerEntry]:
    return await _unseal(
        tx, await entry_rows.list_entries(tx, after=after, limit=limit, region=region)
    )


async def _unseal(
    tx: Transaction, rows: Sequence[EntryRow], *, shown: int = PAGE
) -> list[LedgerEntry]:
    """Open what is sealed of the first rows, and note whose it is for the access log."""
    sealed = [(row.index, row.sealed_opening) for row in rows[:shown] if row.sealed_opening]
    openings: dict[int, Mapping[str, Any]] = {}
    if sealed:
        key = await keys.read(tx, keys.LEDGER)
        openings = {index: key.unseal_json(one, row=str(index)) for index, one in sealed}
        tx.looks.referral_ids.update(await entry_rows.households_of(tx, list(openings)))
    return [LedgerEntry(row.index, row.type, row.content, openings.get(row.index)) for row in rows]
