"""What follows a restore: numbers go on beyond the past, the ledger signs no fork."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.backup.dump import newest_tree
from app.backup.manifest import Tree
from app.backup.store import restore_statements
from app.database import counters, server
from app.database.transaction import Database, Transaction
from app.ledger import checkpoints
from app.ledger.signed_file import SignedTreeFile
from app.seal import Keyring


@dataclass(frozen=True, slots=True)
class Known:
    """The largest tree that the ledger is known to have signed before a restore, if any is."""

    tree: Tree | None
    complete: bool
    """Whether nothing larger can have been signed: so said the database that is replaced, or the
    file of the one host that signs."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What became of the ledger in a restore."""

    kept: Tree | None
    """The newest signed tree that is there now."""
    lost: Tree | None
    """A larger one that it had signed; None where none is known."""
    origin: str | None
    """The name under which it goes on, where that is a new one."""
    keys: tuple[str, ...] = ()

    def sentences(self) -> Iterator[str]:
        """Say what controllers and witnesses have to be told."""
        if self.origin is None:
            yield "The ledger has everything that it ever signed, and goes on as it was."
            return
        size = 0 if self.kept is None else self.kept.size
        if self.lost is not None:
            yield (
                f"The ledger had signed a tree of {self.lost.size:,} leaves, and has signed"
                f" {size:,} of them now: what was recorded since the backup is lost."
            )
        else:
            yield (
                f"The ledger has {size:,} signed leaves; whether it had signed more, nobody here"
                " knows."
            )
        yield (
            f"So that it never contradicts what it signed, it goes on as {self.origin}. Tell every"
            " controller and every witness: they keep what they have, check that the new ledger"
            f" still holds the first {size:,} leaves, and begin another witness with the new key:"
        )
        yield from self.keys


async def known_tree(database: Database, signed: SignedTreeFile, *, one_host: bool) -> Known:
    """Return the largest signed tree that the database or this host's file knows.

    `one_host` says that no other host can have signed.
    """
    there = None
    if (await server.look(database)).revision is not None:
        async with database.transaction() as tx:
            there = await newest_tree(tx)
    found = signed.read()
    if found is None or (there is not None and there.size >= found.size):
        return Known(there, complete=there is not None)
    return Known(Tree(found.origin, found.size, found.root), complete=one_host)


async def begin_epoch(database: Database) -> None:
    """Let all numbers go on beyond any that were given, and end every session."""
    async with database.transaction() as tx:
        await restore_statements.begin_epoch(tx)


async def settle_ledger(
    database: Database, known: Known, *, keyring: Keyring, nothing_since: bool
) -> Aftermath:
    """Let the ledger go on as it was if it lost nothing that it signed, else under a new name.

    What is not known counts as lost, unless the operator says that nothing was booked since.
    """
    async with database.transaction() as tx:
        kept = await newest_tree(tx)
        lost = None if await _has(tx, known.tree) else known.tree
        same = known.tree is None or kept is None or known.tree.origin == kept.origin
        if lost is None and same and (known.complete or nothing_since):
            return Aftermath(kept, None, None)
        await counters.note(tx, counters.LEDGER_SINCE, tx.at)
        origin = await checkpoints.origin(tx)
        verifiers = await checkpoints.verifiers(replace(tx, keys=keyring))
        keys = tuple(key.to_text() for key in verifiers if key.name == origin)
        return Aftermath(kept, lost, origin, keys)


async def _has(tx: Transaction, tree: Tree | None) -> bool:
    return tree is None or await checkpoints.holds(tx, tree.size, tree.root)
