"""Restored backups: the list of erasures is applied to them again."""

import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from app.commands.installation import Installation
from app.config import Settings
from app.errors import OperatorError
from app.placing import erasure
from app.placing.erasure_list import ErasureList, ErasureRecord
from tests.casework import Desk, desk, lapse, wish_for
from tests.conftest import Server, at, clone
from tests.country import Country, open_country, referral_body
from tests.erasures import erase
from tests.integration.database.rotation_scene import through

pytestmark = pytest.mark.fresh

FIRST = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
AGAIN = "Erased {} again that a restored backup had brought back.\n"


class Backup:
    """What a database held at some moment, put back as another one of the same installation."""

    def __init__(self, country: Country, where: Desk, owner_url: str) -> None:
        self.country = country
        self.where = where
        self.owner_url = owner_url

    async def started(self, folder: Path, *, by: str = "serve") -> None:
        """Make the database ready, as a command does before anything else."""
        settings = Settings(data_dir=folder, database_url=self.owner_url)
        installation = Installation(settings, self.owner_url, self.owner_url, "")
        if by in {"serve", "migrate"}:
            await installation.prepare()
        else:
            async with installation.transaction():
                pass


@asynccontextmanager
async def backup(server: Server, country: Country, where: Desk) -> AsyncGenerator[Backup]:
    """Copy the database as it is now."""
    await country.owner.close()  # a database with anybody in it cannot be copied
    await country.parts.database.close()
    now = replace(server, template=urlsplit(country.owner_url).path.removeprefix("/"))
    async with clone(now) as name:
        owner_url = at(server.owner_url, name)
        opening = open_country(
            owner_url=owner_url,
            app_url=at(server.app_url, name),
            redis_url=server.redis_url,
            key=country.key,
            assume_role=country.parts.settings.assume_role,
        )
        async with opening as opened:
            copy = replace(opened, providers=country.providers)
            there = replace(where.there, coordinator=await through(copy, where.receiver))
            yield Backup(copy, Desk(await through(copy, where.intake), there), owner_url)


@pytest.mark.parametrize("by", ["serve", "worker"])
async def test_what_was_erased_since_a_backup_is_erased_again_before_anybody_is_served(
    server: Server, country: Country, tmp_path: Path, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    where = await desk(country)
    gone, other = [
        await where.intake.post("/referrals", referral_body(), key=key) for key in ("gone", "other")
    ]
    async with backup(server, country, where) as old:
        await erase(country, gone["id"], folder=tmp_path)
        path = f"/referrals/{gone['id']}"
        await old.where.intake.get(path)

        await old.started(tmp_path, by=by)

        assert capsys.readouterr().err == AGAIN.format("1 referral")
        assert (await old.where.intake.get(path, expect=410))["code"] == "erased"
        await old.where.intake.post("/referrals", referral_body(), key="gone", expect=410)
        assert await old.where.intake.get(f"/referrals/{other['id']}") == other
        (noted,) = await old.country.rows("SELECT referral_id::text, cause FROM erasures")
        assert tuple(noted) == (gone["id"], "restore")
        statement = "SELECT object_id::text, purpose FROM access_log WHERE action = 'erase'"
        assert [tuple(row) for row in await old.country.rows(statement)] == [
            (gone["id"], "restore")
        ]

        await old.started(tmp_path, by=by)
        assert capsys.readouterr().err == ""


async def test_a_list_names_many_and_who_is_not_here_does_not_matter(
    server: Server, country: Country, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = await desk(country)
    gone = [(await where.intake.post("/referrals", referral_body()))["id"] for _ in range(3)]
    listed = ErasureList.of(tmp_path)
    async with backup(server, country, where) as old:
        for referral_id in gone:
            await erase(country, referral_id, folder=tmp_path)
        listed.path.write_text(
            f"{uuid4()} request 2026-01-01T00:00:00Z\n{listed.path.read_text()}\nnonsense"
        )

        await old.started(tmp_path)

    said = capsys.readouterr().err
    assert f"{listed.path} has lines that name nothing erased; passed over: 6.\n" in said
    assert AGAIN.format("3 referrals") in said


async def left(where: Desk, placement: dict[str, Any]) -> dict[str, Any]:
    """Record a departure."""
    path = f"/placements/{placement['id']}/departure"
    return await where.receiver.post(path, {"destination": "own_home"}, expect=200)


async def safe_elsewhere(where: Desk, placement: dict[str, Any]) -> None:
    """Record a no-show whose safety was checked."""
    path = f"/placements/{placement['id']}/no-show"
    await where.intake.post(path, {"safetyChecked": True}, expect=200)


async def test_somebody_who_is_back_in_a_place_by_a_restore_is_erased_all_the_same_and_can_leave_it(
    server: Server, country: Country, tmp_path: Path
) -> None:
    where = await desk(country, places=4)
    arrived, underway, absent = [
        await where.arrived(),
        await where.underway(),
        await where.underway(),
    ]
    held = await where.accepted()
    async with backup(server, country, where) as old:
        await left(where, arrived)
        await where.receiver.post(f"/placements/{underway['id']}/arrival", expect=200)
        await left(where, underway)
        await safe_elsewhere(where, absent)
        await lapse(country, held["id"])
        for thing in (arrived, underway, absent, held):
            await erase(country, thing["referralId"], folder=tmp_path)

        await old.started(tmp_path)

        assert await old.country.value("SELECT count(*) FROM referral_secrets") == 0
        assert (await left(old.where, arrived))["ledgerLeaf"] is not None
        await old.where.receiver.post(f"/placements/{underway['id']}/arrival", expect=410)
        for placement in (underway, absent):
            await safe_elsewhere(old.where, placement)
        assert (await old.where.intake.get(f"/holds/{held['id']}"))["status"] == "released"
        assert (await old.where.receiver.get("/holds", params={"status": "released"}))["items"][0][
            "coming"
        ] is None
        rows = await old.country.rows("SELECT id::text, status FROM referrals")
        assert {row.id: row.status for row in rows} == {
            arrived["referralId"]: "ended",
            underway["referralId"]: "withdrawn",
            absent["referralId"]: "withdrawn",
            held["referralId"]: "withdrawn",
        }
        assert await old.country.value("SELECT count(*) FROM claims WHERE kind IS NOT NULL") == 0


async def test_an_erasure_that_was_taken_back_is_not_carried_out_on_who_was_placed_since(
    country: Country, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = await desk(country, places=3)
    lives, held, waits = [
        (await where.intake.post("/referrals", referral_body()))["id"] for _ in range(3)
    ]
    listed = ErasureList.of(tmp_path)
    for id_ in (lives, held, waits):
        with pytest.raises(ZeroDivisionError):
            await erase_in_vain(country, id_, listed=listed)
    long_ago = datetime.now(UTC) - timedelta(seconds=2)
    lines = listed.path.read_text().splitlines()
    listed.path.write_text(
        "".join(f"{line.rsplit(' ', 1)[0]} {long_ago:%Y-%m-%dT%H:%M:%SZ}\n" for line in lines)
    )
    placement = await placed(where, lives)
    hold = await where.intake.post("/holds", await wish_for(where.intake, held), key="held")
    now = Backup(country, where, country.owner_url)

    await now.started(tmp_path)

    said = capsys.readouterr().err
    assert AGAIN.format("1 referral") in said
    for id_ in (lives, held):
        known = await where.intake.get(f"/referrals/{id_}")
        assert known["household"]["adults"]
        assert known["reference"] in said
    assert (await where.receiver.get(f"/placements/{placement['id']}"))["status"] == "arrived"
    assert (await where.intake.get(f"/holds/{hold['id']}"))["status"] == "pending"
    await where.intake.get(f"/referrals/{waits}", expect=410)

    await left(where, placement)
    await erase(country, lives, folder=tmp_path)
    await now.started(tmp_path)
    assert known["reference"] in capsys.readouterr().err


async def erase_in_vain(country: Country, referral_id: str, *, listed: ErasureList) -> None:
    """Erase a referral in a transaction that is taken back."""
    async with country.owner.transaction() as tx:
        await erasure.erase_referral(tx, referral_id, listed=listed)
        raise ZeroDivisionError


async def placed(where: Desk, referral_id: str) -> dict[str, Any]:
    """Bring a household to a place."""
    wanted = await wish_for(where.intake, referral_id)
    held = await where.intake.post("/holds", wanted, key="placed")
    await where.receiver.post(f"/holds/{held['id']}/acceptance", {"by": "person"}, expect=200)
    coming = await where.intake.post("/placements", {"holdId": held["id"]}, key="placed")
    return await where.receiver.post(f"/placements/{coming['id']}/arrival", expect=200)


async def test_a_list_is_completed_by_what_other_hosts_have_erased(
    server: Server, country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    gone = [(await where.intake.post("/referrals", referral_body()))["id"] for _ in range(2)]
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    await erase(country, gone[0], folder=here)
    await erase(country, gone[1], folder=elsewhere)
    async with backup(server, country, where) as now:
        await now.started(here)
        await now.started(here)

    lines = ErasureList.of(here).path.read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [[gone[0], "request"], [gone[1], "request"]]


async def test_where_no_list_can_be_kept_the_start_says_so_and_goes_on(
    server: Server, country: Country, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = await desk(country)
    await erase(
        country, (await where.intake.post("/referrals", referral_body()))["id"], folder=tmp_path
    )
    ErasureList.of(tmp_path).path.rename(tmp_path / "elsewhere")
    ErasureList.of(tmp_path).path.symlink_to(tmp_path / "nowhere")
    async with backup(server, country, where) as now:
        await now.started(tmp_path)

    assert "cannot be written" in capsys.readouterr().err


async def test_a_list_that_is_there_and_cannot_be_read_stops_the_start(
    server: Server, country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    ErasureList.of(tmp_path).path.mkdir()
    async with backup(server, country, where) as old:
        with pytest.raises(OperatorError, match="cannot be read"):
            await old.started(tmp_path)


def test_the_list_is_its_owners_alone_and_outlives_a_line_that_was_cut_off(tmp_path: Path) -> None:
    listed = ErasureList.of(tmp_path / "deep" / "down")
    first, second = uuid4(), uuid4()
    at_once = ErasureRecord(first, "request", FIRST)

    listed.add([at_once])
    with listed.path.open("a") as torn:
        torn.write(f"{uuid4()}"[:20])
    listed.add([replace(at_once, referral_id=second), at_once])

    assert listed.read().ids == (first, second)
    assert listed.read().faults == (2,)
    assert stat.S_IMODE(listed.path.stat().st_mode) == 0o600
    assert listed.path.read_text().startswith(f"{first} request 2026-02-03T04:05:06Z\n")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    ErasureList.of(tmp_path).path.symlink_to(tmp_path / "another")
    with pytest.raises(OperatorError, match="cannot be written"):
        ErasureList.of(tmp_path).add([ErasureRecord(UUID(int=0), "request", FIRST)])
    assert not (tmp_path / "another").exists()
