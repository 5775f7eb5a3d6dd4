"""The ledger's tree: signed by the worker, and proven to all who ask.

A tree that grows in public tells when a household arrived. So controllers see the newest
checkpoint, and everybody else that of the last local midnight. Proofs are given only for trees
whose checkpoint the caller may see.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from app.allocation.ledger.leaves import LeafFault, parse_leaf
from app.allocation.ledger.notes import CheckpointBody, Note, VerifierKey, parse_note
from app.allocation.ledger.tree import (
    GrowingTree,
    Stretch,
    TreePart,
    consistency_proof,
    hash_of,
    inclusion_proof,
    leaf_hash,
)
from app.config import program
from app.database import counters
from app.database.caller import OVERSIGHT
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.errors import Fault, Invalid, Missing, Unavailable
from app.ledger.signed_file import SignedRoot, SignedTreeFile
from app.ledger.signed_notes import sign, signer_of, verifier_of
from app.ledger.store import tree
from app.ledger.store.tree import SignedTree
from app.reference import load

AT_ONCE = 5_000
"""The leaves that one transaction adds to the tree."""
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
"""The moment from which the empty tree may be seen: it was there before any record."""

log = structlog.get_logger()


class LedgerBroken(Exception):
    """The ledger differs from what was signed: nothing more is signed until a person looks."""


@dataclass(frozen=True, slots=True)
class MerkleProof:
    """The hashes of a proof, in the order of RFC 9162."""

    hashes: tuple[bytes, ...]


async def sign_tree(tx: Transaction, *, signed: SignedTreeFile | None = None) -> int:
    """Sign the tree if it has grown; return how many leaves are still to be added.

    `signed` knows what this host has signed, also when the database was put back to an older state:
    a tree that contradicts it is never signed.

    One transaction at a time signs, and only on top of what was signed before: its root must follow
    from the stored hashes, and its note from our keys. So two checkpoints that disagree are never
    both signed, whatever crashes between signing and storing: a note that was signed and not stored
    has never left this transaction.

    Raises LedgerBroken if what was signed before does not follow from what is stored, or if a leaf
    is missing; OperatorError where the file cannot be read or written.
    """
    leaves = await tree.begin_sealing(tx)
    before = await tree.newest(tx)
    secrets = await keys.signing_secrets(tx)
    name = await origin(tx)
    known = None if signed is None else await asyncio.to_thread(signed.read)
    if known is not None and known.origin != name:
        known = None  # of the ledger that this one came after
    if before is None:
        before = await _store(tx, GrowingTree(), secrets, public_from=BEFORE_ALL)
    grown = GrowingTree(before.size, await _peaks(tx, before, secrets))
    end = min(leaves, max(before.size + AT_ONCE, 0 if known is None else known.size))
    made: list[tuple[TreePart, bytes]] = []
    if end > before.size:
        made = await _grow(tx, grown, end=end)
    if known is not None:
        await _refuse_fork(tx, known, end=end, made=dict(made))
    if end > before.size:
        if signed is not None:
            root = SignedRoot(name, grown.size, grown.root.hex())
            await asyncio.to_thread(signed.write, root)
        await tree.add_subtrees(tx, made)
        await _store(tx, grown, secrets, public_from=midnight_after(await tree.clock(tx)))
    return leaves - end


async def holds(
    tx: Transaction, size: int, root: str, *, made: Mapping[TreePart, bytes] | None = None
) -> bool:
    """Whether the tree of a size, as stored and as just made, has this root (in hex)."""
    parts, added = Stretch(0, size).subtrees, made or {}
    found = {**await tree.hashes(tx, parts), **added}
    return all(part in found for part in parts) and hash_of(Stretch(0, size), found).hex() == root


async def _refuse_fork(
    tx: Transaction, known: SignedRoot, *, end: int, made: Mapping[TreePart, bytes]
) -> None:
    """LedgerBroken unless a tree of `end` leaves grew out of one that is known to be signed."""
    if known.size <= end and await holds(tx, known.size, known.root, made=made):
        return
    log.error("ledger_older_than_signed", size=end, signed=known.size)
    raise LedgerBroken(
        f"The ledger has signed a tree of {known.size} leaves that is not in this database: it"
        f" was put back to an older state. `{program()} restore --by-hand` begins it anew."
    )


async def _peaks(
    tx: Transaction, before: SignedTree, secrets: Sequence[bytes]
) -> tuple[bytes, ...]:
    """Return the hashes that make up the newest checkpoint's root, after checking that root."""
    parts = Stretch(0, before.size).subtrees
    found = await tree.hashes(tx, parts)
    note = parse_note(before.note)
    name = note.text.partition("\n")[0]
    signs = CheckpointBody(name, before.size, before.root).text() == note.text
    complete = all(part in found for part in parts)
    if not signs or not complete or hash_of(Stretch(0, before.size), found) != before.root:
        log.error("ledger_broken", size=before.size)
        raise LedgerBroken(
            f"The checkpoint of {before.size} leaves does not follow from what is stored."
        )
    if signer_of(note, [verifier_of(secret, name=name) for secret in secrets]) is None:
        log.warning("checkpoint_of_an_older_key", size=before.size)
    return tuple(found[part] for part in parts)


async def _grow(tx: Transaction, grown: GrowingTree, *, end: int) -> list[tuple[TreePart, bytes]]:
    made: list[tuple[TreePart, bytes]] = []
    for index, content in await tree.leaves(tx, first=grown.size, end=end):
        try:
            fits = parse_leaf(content).index == index == grown.size
        except LeafFault:
            fits = False
        if not fits:
            break
        grown.add(leaf_hash(content), made)
    if grown.size != end:
        log.error("ledger_broken", size=grown.size)
        raise LedgerBroken(f"Leaf {grown.size} is not there, or is no leaf.")
    return made


async def _store(
    tx: Transaction, grown: GrowingTree, secrets: Sequence[bytes], *, public_from: datetime
) -> SignedTree:
    name = await origin(tx)
    text = CheckpointBody(name, grown.size, grown.root).text()
    note = Note(text, tuple(sign(text, secret, name=name) for secret in secrets))
    sealed = SignedTree(grown.size, grown.root, note.to_text(), public_from)
    await tree.add_checkpoint(tx, sealed)
    return sealed


async def visible_note(tx: Transaction) -> str:
    """Return the newest checkpoint that the caller may see; Unavailable before the first."""
    found = await (tree.newest(tx) if may_watch(tx) else tree.newest_public(tx))
    if found is None:
        raise Unavailable("No checkpoint has been sealed yet.")
    return found.note


async def newest(tx: Transaction) -> SignedTree | None:
    """Return the newest checkpoint, for any caller; None before the first one was signed."""
    return await tree.newest(tx)


async def prove_inclusion(tx: Transaction, *, leaf: int, size: int) -> MerkleProof:
    """Prove that a leaf is in the tree of a size, if the caller may see its checkpoint.

    Raises Missing for any other size.
    """
    if leaf >= size:
        raise Invalid(Fault("/leaf", "must be smaller than the size"))
    await _check_size(tx, size)
    return await _proof(tx, inclusion_proof(leaf, size))


async def prove_consistency(tx: Transaction, *, old: int, new: int) -> MerkleProof:
    """Prove that the tree of one size grew out of that of another, as `prove_inclusion` does."""
    if old > new:
        raise Invalid(Fault("/from", "must not be larger than what it is compared to"))
    for size in {old, new}:
        await _check_size(tx, size)
    return await _proof(tx, consistency_proof(old, new))


async def _check_size(tx: Transaction, size: int) -> None:
    if await tree.at_size(tx, size, public=not may_watch(tx)) is None:
        raise Missing


async def _proof(tx: Transaction, stretches: tuple[Stretch, ...]) -> MerkleProof:
    found = await tree.hashes(tx, {part for stretch in stretches for part in stretch.subtrees})
    return MerkleProof(tuple(hash_of(stretch, found) for stretch in stretches))


async def verifiers(tx: Transaction) -> list[VerifierKey]:
    """Return the keys that check checkpoints, the newest first.

    Once the ledger has begun anew, those under its name before follow.
    """
    last = await tree.newest(tx)
    names = [await origin(tx), *([] if last is None else [last.note.partition("\n")[0]])]
    secrets = await keys.signing_secrets(tx)
    return [verifier_of(secret, name=name) for name in dict.fromkeys(names) for secret in secrets]


async def add_key(tx: Transaction) -> None:
    """Begin to sign with a new key; the previous one signs beside it until the next is added."""
    await counters.lock(tx, tree.HEAD)
    await keys.add_signing(tx)


async def origin(tx: Transaction) -> str:
    """Return the origin that the ledger's next checkpoint names.

    A ledger that has lost leaves goes on under another, so that no two of one origin disagree.
    """
    since = await counters.read(tx, counters.LEDGER_SINCE)
    own = load().country.ledger_origin
    return f"{own}/{since}" if since else own


def may_watch(tx: Transaction) -> bool:
    """Whether the caller may watch the tree grow."""
    return tx.identity is not None and not tx.identity.roles.isdisjoint(OVERSIGHT)


def midnight_after(at: datetime) -> datetime:
    """Return the moment at which the next local day begins."""
    country = load().country
    return country.midnight(country.day_of(at) + timedelta(days=1)).astimezone(UTC)
