"""Signing the tree: on top of what was signed, once a size, whatever crashes."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from asyncpg import PostgresError

from app.allocation.ledger.leaves import clear_leaf_bytes
from app.allocation.ledger.notes import CheckpointBody, parse_checkpoint, parse_note
from app.allocation.ledger.tree import GrowingTree
from app.database.transaction import WORKER
from app.errors import Unavailable
from app.ledger import checkpoints, ledger
from app.ledger.signed_notes import signer_of
from app.ledger.store import tree
from tests import rfc9162
from tests.country import FIRST_LEAF, Country


async def write(country: Country, count: int) -> None:
    """Write leaves in clear."""
    for _ in range(count):
        async with country.owner.transaction() as tx:
            await ledger.append_clear(
                tx, leaf_type="cap", content={"region": "GM0193", "nights": 4}
            )


async def seal(country: Country) -> int:
    """Sign as the worker does; return how many leaves wait."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        return await checkpoints.sign_tree(tx)


async def sizes(country: Country) -> list[int]:
    """Return the sizes that have a checkpoint."""
    return [row.size for row in await country.rows("SELECT size FROM checkpoints ORDER BY size")]


async def leaves(country: Country) -> list[bytes]:
    """Return every leaf's bytes."""
    return [
        bytes(row.content)
        for row in await country.rows("SELECT content FROM leaves ORDER BY index")
    ]


async def test_a_checkpoint_signs_the_tree_of_all_leaves_by_the_ledgers_key(
    country: Country,
) -> None:
    for more in (0, 1, 5, 0, 7):
        await write(country, more)
        assert await seal(country) == 0
    assert await sizes(country) == [0, FIRST_LEAF, FIRST_LEAF + 1, FIRST_LEAF + 6, FIRST_LEAF + 13]
    there = await leaves(country)
    async with country.owner.transaction() as tx:
        keys = await checkpoints.verifiers(tx)
    assert [key.name for key in keys] == ["plek.example/nl"]
    for row in await country.rows("SELECT * FROM checkpoints"):
        note = parse_note(row.note)
        assert parse_checkpoint(note) == CheckpointBody(
            "plek.example/nl", row.size, rfc9162.mth(there[: row.size])
        )
        assert signer_of(note, keys) == keys[0]


async def test_many_leaves_are_sealed_a_part_at_a_time(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "AT_ONCE", 4)
    await write(country, 7)
    assert [await seal(country) for _ in range(4)] == [5, 1, 0, 0]
    assert await sizes(country) == [0, 4, 8, 9]


async def test_two_who_seal_at_once_seal_one_after_the_other(country: Country) -> None:
    await write(country, 5)
    assert await asyncio.gather(*(seal(country) for _ in range(8))) == [0] * 8
    assert await sizes(country) == [0, FIRST_LEAF + 5]


async def test_a_crash_between_signing_and_storing_leaves_nothing_that_was_signed(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[str] = []
    store = tree.add_checkpoint

    async def crashing(tx: Any, sealed: tree.SignedTree) -> None:
        signed.append(sealed.note)
        await store(tx, sealed)
        if sealed.size:
            raise OSError

    await seal(country)
    await write(country, 3)
    with monkeypatch.context() as patched:
        patched.setattr(tree, "add_checkpoint", crashing)
        with pytest.raises(Unavailable):
            await seal(country)
    assert await sizes(country) == [0, FIRST_LEAF]
    assert await country.value("SELECT count(*) FROM subtrees") == 3
    await seal(country)
    assert (
        await country.value("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1") == signed[-1]
    )


async def disagreeing(country: Country) -> tuple[bytes, bytes]:
    """Sign a tree, change one of its leaves secretly, write another leaf and sign again.

    Return the root of the first tree by the second checkpoint, and the root that was signed.
    """
    await write(country, 3)
    await seal(country)
    signed = await country.value("SELECT root FROM checkpoints ORDER BY size DESC LIMIT 1")
    await country.rows("ALTER TABLE leaves DISABLE TRIGGER only_grows")
    await country.rows("ALTER TABLE subtrees DISABLE TRIGGER only_grows")
    other = clear_leaf_bytes(3, "cap", {"region": "GM0014", "nights": 9})
    await country.rows("UPDATE leaves SET content = :content WHERE index = 3", content=other)
    made: list[Any] = []
    grown = GrowingTree()
    for leaf in await leaves(country):
        grown.add(checkpoints.leaf_hash(leaf), made)
    for part, hashed in made:
        await country.rows(
            "UPDATE subtrees SET hash = :hash WHERE level = :level AND index = :index",
            hash=hashed,
            level=part.level,
            index=part.index,
        )
    await write(country, 1)
    await seal(country)
    return rfc9162.mth((await leaves(country))[: FIRST_LEAF + 3]), bytes(signed)


async def test_nothing_is_signed_on_top_of_what_was_changed(country: Country) -> None:
    with pytest.raises(checkpoints.LedgerBroken, match="does not follow from what is stored"):
        await disagreeing(country)
    assert await sizes(country) == [0, FIRST_LEAF + 3]


async def test_without_looking_at_what_was_signed_two_checkpoints_would_disagree(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unguarded(tx: Any, before: tree.SignedTree, _secrets: Any) -> tuple[bytes, ...]:
        parts = checkpoints.Stretch(0, before.size).subtrees
        found = await tree.hashes(tx, parts)
        return tuple(found[part] for part in parts)

    monkeypatch.setattr(checkpoints, "_peaks", unguarded)
    now, signed = await disagreeing(country)
    assert now != signed
    assert await sizes(country) == [0, FIRST_LEAF + 3, FIRST_LEAF + 4]


async def test_without_the_lock_two_who_seal_would_sign_twice_and_the_tables_still_say_no(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = asyncio.Barrier(2)
    begin = tree.begin_sealing

    async def unlocked(tx: Any) -> int:
        monkeypatch.setattr(tree.counters, "lock", nothing)
        found = await begin(tx)
        await both.wait()
        return found

    async def nothing(*_given: Any) -> None:
        return None

    await seal(country)
    await write(country, 3)
    monkeypatch.setattr(tree, "begin_sealing", unlocked)
    done = await asyncio.gather(seal(country), seal(country), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["UniqueViolationError", "int"]
    assert await sizes(country) == [0, FIRST_LEAF, FIRST_LEAF + 3]


async def test_a_leaf_that_is_missing_or_none_stops_the_sealing(country: Country) -> None:
    await write(country, 1)
    await country.rows("UPDATE heads SET value = value + 1 WHERE name = 'ledger'")
    with (
        structlog.testing.capture_logs() as logged,
        pytest.raises(checkpoints.LedgerBroken, match="Leaf 3"),
    ):
        await seal(country)
    assert [one["event"] for one in logged] == ["ledger_broken"]
    assert await sizes(country) == []
    await country.rows("INSERT INTO leaves (index, type, content) VALUES (3, 'cap', 'no leaf')")
    with pytest.raises(checkpoints.LedgerBroken, match="Leaf 3"):
        await seal(country)


@pytest.mark.parametrize("table", ["checkpoints", "subtrees"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
async def test_what_was_sealed_never_changes(country: Country, table: str, change: str) -> None:
    await seal(country)
    column = {"checkpoints": "size", "subtrees": "index"}[table]
    with pytest.raises(PostgresError, match="only ever grows"):
        await country.rows(change.format(table, column, column))


async def test_a_new_key_signs_beside_the_one_before_and_then_alone_with_the_next(
    country: Country,
) -> None:
    async def keys() -> list[str]:
        async with country.owner.transaction() as tx:
            return [key.to_text() for key in await checkpoints.verifiers(tx)]

    async def signers() -> int:
        note = parse_note(
            await country.value("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1")
        )
        return len(note.signatures)

    await seal(country)
    (first,) = await keys()
    assert await signers() == 1
    for number in (2, 3):
        async with country.owner.transaction() as tx:
            await checkpoints.add_key(tx)
        await write(country, 1)
        with structlog.testing.capture_logs() as logged:
            await seal(country)
        assert logged == []
        assert (len(await keys()), await signers()) == (2, 2)
        assert (first in await keys()) == (number == 2)


@pytest.mark.parametrize(
    "at, midnight",
    [
        (datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2026, 1, 5, 23, tzinfo=UTC)),
        (datetime(2026, 7, 5, 21, 59, tzinfo=UTC), datetime(2026, 7, 5, 22, tzinfo=UTC)),
        (datetime(2026, 7, 5, 22, tzinfo=UTC), datetime(2026, 7, 6, 22, tzinfo=UTC)),
        (datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_a_day_ends_at_the_countrys_midnight(at: datetime, midnight: datetime) -> None:
    assert checkpoints.midnight_after(at) == midnight
