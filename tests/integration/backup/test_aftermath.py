"""After a restore nothing of the past is taken for new, and the ledger never signs a fork."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from app.allocation.ledger.notes import parse_checkpoint, parse_note
from app.backup import aftermath
from app.backup.aftermath import Aftermath
from app.backup.archive import open_archive
from app.database import outbox
from app.database.transaction import RELAY, WORKER
from app.events.bus import Reset, Start
from app.events.stream import Event, Item
from app.ledger import checkpoints, ledger
from app.ledger.checkpoints import LedgerBroken
from app.ledger.signed_file import SignedTreeFile
from app.seal import Keyring
from tests.conftest import Server, at
from tests.country import Country, open_country
from tests.integration.backup.test_backup import back_up, empty, restore
from tests.integration.ledger.test_checkpoints import write

pytestmark = pytest.mark.fresh

OURS = UUID(int=7)


async def tell(country: Country, *subjects: str) -> int:
    """Write events, number them, and return the newest position."""
    async with country.owner.transaction(actor=WORKER) as tx:
        for subject in subjects:
            await outbox.add(tx, kind="hold", subject=subject, audience=None)
    async with country.owner.transaction(actor=RELAY) as tx:
        await outbox.number(tx)
        return await outbox.newest(tx)


async def first(country: Country, *, after: int) -> Item:
    """Return what a client hears first that comes back with a position."""
    async with aclosing(country.parts.bus.subscribe(OURS, after=after)) as items:
        return await anext(items)


@asynccontextmanager
async def restored(country: Country, server: Server, file: Path) -> AsyncGenerator[Country]:
    """Put a backup back, and open the installation on it."""
    async with empty(server) as url:
        await restore(open_archive(file), url)
        name = url.removeprefix(server.owner_url.partition("/plek?")[0] + "/").partition("?")[0]
        async with open_country(
            owner_url=url,
            app_url=at(server.app_url, name),
            redis_url=server.redis_url,
            key=country.key,
        ) as opened:
            yield opened


async def test_a_position_from_before_a_restore_is_reset_and_skips_nothing(
    server: Server, country: Country, tmp_path: Path
) -> None:
    file = tmp_path / "plek.backup"
    kept = await tell(country, "a", "b")
    await back_up(country, file)
    late = await tell(country, "c", "d")
    assert await first(country, after=late) == Start(late)

    newest = 0
    for _ in range(2):
        async with restored(country, server, file) as again:
            before = newest
            assert await again.value("SELECT count(*) FROM outbox WHERE position IS NOT NULL") == 0
            newest = await tell(again, "e", "f", "g")
            for position in (1, kept, late, before):
                assert isinstance(await first(again, after=position), Reset)
            async with aclosing(again.parts.bus.subscribe(OURS, after=newest - 1)) as items:
                assert await anext(items) == Start(newest - 1)
                assert await anext(items) == Event(newest, "hold", "g")
            assert before < newest < 2**53


async def write_other(country: Country) -> None:
    """Write a leaf that the published ledger does not have."""
    async with country.owner.transaction() as tx:
        await ledger.append_clear(tx, leaf_type="cap", content={"region": "GM0193", "nights": 5})


async def sign(country: Country, file: SignedTreeFile | None) -> str:
    """Sign as the worker does; return the newest note."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await checkpoints.sign_tree(tx, signed=file)
        newest = await checkpoints.newest(tx)
        assert newest is not None
        return newest.note


async def settled(country: Country, known: aftermath.Known, *, sure: bool = False) -> Aftermath:
    return await aftermath.settle_ledger(
        country.owner, known, keyring=Keyring.parse(country.key), nothing_since=sure
    )


async def test_a_ledger_that_lost_signed_leaves_signs_no_fork_and_goes_on_under_another_name(
    server: Server, country: Country, tmp_path: Path
) -> None:
    file, signed = tmp_path / "plek.backup", SignedTreeFile.of(tmp_path)
    await write(country, 2)
    await sign(country, signed)
    await back_up(country, file)
    known = await aftermath.known_tree(country.owner, signed, one_host=False)
    async with restored(country, server, file) as same:
        assert (await settled(same, known)).origin is None
        await write(same, 1)
        await sign(same, None)

    await write(country, 2)
    published = await sign(country, signed)
    known = await aftermath.known_tree(country.owner, signed, one_host=False)
    async with restored(country, server, file) as older:
        await write_other(older)
        with pytest.raises(LedgerBroken, match="older state"):
            await sign(older, signed)
        await write_other(older)
        with pytest.raises(LedgerBroken, match="older state"):
            await sign(older, signed)

        done = await settled(older, known)

        assert done.origin is not None
        assert done.origin.startswith("plek.example/nl/")
        assert done.lost == known.tree
        note = parse_checkpoint(parse_note(await sign(older, signed)))
        ours = parse_checkpoint(parse_note(published))
        assert note.size == ours.size
        assert note.root != ours.root
        assert note.origin == done.origin != ours.origin
        async with older.owner.transaction() as tx:
            named = [key.to_text() for key in await checkpoints.verifiers(tx)]
        assert named == list(done.keys)
        assert await sign(older, signed)


async def test_what_nobody_knows_to_be_whole_counts_as_lost_unless_the_operator_says_so(
    server: Server, country: Country, tmp_path: Path
) -> None:
    file, nowhere = tmp_path / "plek.backup", SignedTreeFile.of(tmp_path / "new")
    await sign(country, None)
    await back_up(country, file)
    async with empty(server) as url:
        await restore(open_archive(file), url)
    async with restored(country, server, file) as elsewhere:
        known = aftermath.Known(nowhere.read() and None, complete=False)
        assert (await settled(elsewhere, known, sure=True)).origin is None
        done = await settled(elsewhere, known)
    assert done.origin is not None
    assert "nobody here knows" in " ".join(done.sentences())
