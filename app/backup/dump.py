"""Make a backup: a dump of one snapshot, its rows counted twice."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from app.backup import archive
from app.backup.archive import CHUNK, BackupDraft
from app.backup.check import compare
from app.backup.manifest import Manifest, Tree
from app.backup.programs import (
    ConnectionSettings,
    PostgresProgram,
    Programs,
    connection_settings,
    find_programs,
)
from app.backup.script import count_rows
from app.backup.store import snapshot
from app.database import counters
from app.database.sealing import sealed_rows
from app.database.sealing.sealed_rows import WRAPPED
from app.database.transaction import Database, Transaction
from app.errors import OperatorError
from app.ledger import checkpoints
from app.seal import Keyring, SealBroken

Say = Callable[[str, float | None], None]
"""Hears what is being done, and which share of it is."""


async def make_backup(
    database: Database, *, url: str, keyring: Keyring, path: Path, say: Say
) -> Manifest:
    """Write a backup of the database as it is at one moment, while the service goes on.

    `database` and `url` are the owner's. Raises OperatorError, and leaves no file, where a table
    may hide rows from the operator, where a data key opens with none of the keys, or where what
    was written differs from what the snapshot has.
    """
    with archive.draft(path) as draft:
        async with database.transaction(snapshot=True) as tx:
            await snapshot.stay_open(tx)
            await _refuse_hiding(tx)
            source = await snapshot.source(tx)
            programs = find_programs(source.postgres)
            manifest = Manifest(
                made_at=tx.at,
                plek=version("plek"),
                revision=source.revision,
                postgres=source.postgres,
                owner=source.owner,
                keys=await _openers(tx, keyring),
                tree=await newest_tree(tx),
                rows=await _count(tx, say),
            )
            exported = await snapshot.export(tx)
            await _dump(draft, programs, connection_settings(url), snapshot=exported, say=say)
        manifest = draft.close_with(manifest)
        say("Counting what was written", None)
        written = archive.open_archive(draft.path)
        compare(manifest, await count_rows(programs, written.dump()))
        archive.settle(draft, path)
    async with database.transaction() as tx:
        await counters.note(tx, counters.BACKUP, manifest.made_at)
    return manifest


async def newest_tree(tx: Transaction) -> Tree | None:
    """Return the ledger's newest signed tree."""
    signed = await checkpoints.newest(tx)
    if signed is None:
        return None
    return Tree(signed.note.partition("\n")[0], signed.size, signed.root.hex())


async def _refuse_hiding(tx: Transaction) -> None:
    if hiding := await snapshot.hiding_tables(tx):
        raise OperatorError(
            f"The rules of {', '.join(hiding)} may hide rows from the operator, and a backup would"
            " lack them; nothing was written. This release of Plek has a fault: each table needs a"
            " rule that shows the operator all of it."
        )


async def _count(tx: Transaction, say: Say) -> dict[str, int]:
    tables = await snapshot.tables(tx)
    rows: dict[str, int] = {}
    for number, table in enumerate(tables):
        say("Counting rows", number / len(tables))
        rows[table] = await snapshot.count(tx, table)
    return rows


async def _openers(tx: Transaction, keyring: Keyring) -> tuple[str, ...]:
    """Return the fingerprints of the keys that open what is sealed, newest first."""
    opening, closed = set[str](), 0
    for shelf in WRAPPED:
        after = None
        while found := await sealed_rows.batch(tx, shelf, after=after):
            for seal in found:
                try:
                    opening.add(keyring.opener(seal.content, row=seal.row))
                except SealBroken:
                    closed += 1
            after = found[-1]
    if closed:
        raise OperatorError(
            f"{closed:,} data keys open with none of this installation's keys, and a backup would"
            " be none of what they seal; nothing was written. `plek doctor` says more."
        )
    return tuple(name for name in keyring.fingerprints if name in opening)


async def _dump(
    draft: BackupDraft,
    programs: Programs,
    connection: ConnectionSettings,
    *,
    snapshot: str,
    say: Say,
) -> None:
    command = (
        programs["pg_dump"],
        "--format=custom",
        "--schema=public",
        "--enable-row-security",
        f"--snapshot={snapshot}",
        "--lock-wait-timeout=60s",
        f"--dbname={connection.dsn}",
    )
    async with PostgresProgram(*command, connection=connection) as process:
        assert process.stdout is not None  # noqa: S101 - asked for
        while chunk := await process.stdout.read(CHUNK):
            draft.add(chunk)
            say(f"Dumping, {draft.bytes >> 20:,} MB", None)
