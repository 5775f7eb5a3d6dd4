"""The ledger's tree: sealed and signed by the worker, shown and proven to whoever asks.

A tree that grows in the open tells when somebody arrived. So those who control see the newest
checkpoint, and everybody else that of the last local midnight; and proofs are for those trees alone
whose checkpoint the asker may see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from app.allocation.ledger.leaves import LeafFault, parse_leaf
from app.allocation.ledger.notes import Checkpoint, Note, VerifierKey, parse_note
from app.allocation.ledger.tree import (
    GrowingTree,
    Stretch,
    Subtree,
    consistency_proof,
    hash_of,
    inclusion_proof,
    leaf_hash,
)
from app.database import counters
from app.database.caller import OVERSIGHT
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.errors import Fault, Invalid, Missing, Unavailable
from app.ledger.signed_notes import sign, signer_of, verifier_of
from app.ledger.store import tree
from app.ledger.store.tree import SignedTree
from app.reference import load

AT_ONCE = 5_000
"""Leaves that one transaction seals."""
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
"""From when the empty tree may be seen: there was one before anything was recorded."""

log = structlog.get_logger()


class LedgerBroken(Exception):
    """The ledger is not what was signed before: nothing more is signed until somebody has looked into it."""


@dataclass(frozen=True, slots=True)
class MerkleProof:
    """The hashes of a proof, in the order of RFC 9162."""

    hashes: tuple[bytes, ...]


async def sign_tree(
    tx: Transaction,
) -> int:
    """Sign the tree as it is by now, if it has grown; return how many leaves are still waiting for it.

    One transaction at a time, and only on top of what was signed before: its root must follow from
    the stored hashes, and its note from our keys. So two checkpoints that disagree are never both
    signed, whatever crashes between the signing and the storing; a note that was signed and not
    stored has never left this transaction.

    Raises:
        Broken: where what was signed before does not follow from what is stored, or a leaf is
        missing.
    """
    leaves = await tree.begin_sealing(tx)
    before = await tree.newest(tx)
    secrets = await keys.signing(tx)
    if before is None:
        before = await _store(tx, GrowingTree(), secrets, public_from=BEFORE_ALL)
    grown = GrowingTree(before.size, await _peaks(tx, before, secrets))
    end = min(leaves, before.size + AT_ONCE)
    if end > before.size:
        made = await _grow(tx, grown, end=end)
        await tree.add_subtrees(tx, made)
        await _store(tx, grown, secrets, public_from=midnight_after(await tree.clock(tx)))
    return leaves - end


async def _peaks(
    tx: Transaction, before: SignedTree, secrets: Sequence[bytes]
) -> tuple[bytes, ...]:
    """Return the hashes that the newest checkpoint's root is made of, having made sure that it is."""
    parts = Stretch(0, before.size).subtrees
    found = await tree.hashes(tx, parts)
    note = parse_note(before.note)
    signs = Checkpoint(origin(), before.size, before.root).text() == note.text
    complete = all(part in found for part in parts)
    if not signs or not complete or hash_of(Stretch(0, before.size), found) != before.root:
        log.error("ledger_broken", size=before.size)
        raise LedgerBroken(
            f"The checkpoint of {before.size} leaves does not follow from what is stored."
        )
    if signer_of(note, [verifier_of(secret, name=origin()) for secret in secrets]) is None:
        log.warning("checkpoint_of_an_older_key", size=before.size)
    return tuple(found[part] for part in parts)


async def _grow(tx: Transaction, grown: GrowingTree, *, end: int) -> list[tuple[Subtree, bytes]]:
    made: list[tuple[Subtree, bytes]] = []
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
    text = Checkpoint(origin(), grown.size, grown.root).text()
    note = Note(text, tuple(sign(text, secret, name=origin()) for secret in secrets))
    sealed = SignedTree(grown.size, grown.root, note.to_text(), public_from)
    await tree.add_checkpoint(tx, sealed)
    return sealed


async def visible_note(tx: Transaction) -> str:
    """Return the checkpoint that whoever asks may see; Unavailable before the first one was sealed."""
    found = await (tree.newest(tx) if may_watch(tx) else tree.newest_public(tx))
    if found is None:
        raise Unavailable("No checkpoint has been sealed yet.")
    return found.note


async def newest(tx: Transaction) -> SignedTree | None:
    """Return the newest checkpoint, whoever asks; None before the first one was signed."""
    return await tree.newest(tx)


async def prove_inclusion(tx: Transaction, *, leaf: int, size: int) -> MerkleProof:
    """Prove that a leaf is in the tree of a size whose checkpoint the asker may see; raise Missing for another."""
    if leaf >= size:
        raise Invalid(Fault("/leaf", "must be smaller than the size"))
    await _check_size(tx, size)
    return await _proof(tx, inclusion_proof(leaf, size))


async def prove_consistency(tx: Transaction, *, old: int, new: int) -> MerkleProof:
    """Prove that the tree of one size grew out of that of another, both sizes as for `prove_inclusion`."""
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


async def verifiers(
    tx: Transaction,
) -> list[VerifierKey]:
    """Return the keys by which checkpoints are signed, as others check them; the newest first."""
    return [verifier_of(secret, name=origin()) for secret in await keys.signing(tx)]


async def add_key(
    tx: Transaction,
) -> None:
    """Begin to sign by a new key; the one before signs beside it until the next is made."""
    await counters.lock(tx, tree.HEAD)
    await keys.add_signing(tx)


def origin() -> str:
    """Return what the ledger's checkpoints call it."""
    return load().country.ledger_origin


def may_watch(tx: Transaction) -> bool:
    """Whether whoever asks may watch the tree grow."""
    return tx.identity is not None and not tx.identity.roles.isdisjoint(OVERSIGHT)


def midnight_after(at: datetime) -> datetime:
    """Return the next moment at which a day begins where the country's clocks are."""
    country = load().country
    return country.midnight(country.day_of(at) + timedelta(days=1)).astimezone(UTC)
