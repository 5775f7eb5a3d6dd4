"""Rotation of keys on a real database, after which the newest key opens everything."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from app.database.sealing import rotation, sealed_rows
from app.database.sealing.rotation import Rotated, Tally
from app.database.sealing.sealed_rows import SITES, Resealed
from app.errors import OperatorError
from app.seal import KEY_FILE, Keyring, new_key
from tests.casework import Desk, desk
from tests.conftest import Server
from tests.country import FIRST_LEAF, THERE, Country, referral_body, shelter, site_body
from tests.integration.database.rotation_scene import Scene

pytestmark = pytest.mark.race


@pytest.fixture
async def scene(country: Country, server: Server) -> Scene:
    """An installation in which everything that can be sealed has been."""
    where = await desk(country)
    placement = await where.arrived()
    await where.receiver.post(
        f"/placements/{placement['id']}/departure", {"destination": "new_home"}, expect=200
    )
    await where.intake.post("/referrals", referral_body(), key="once")
    return Scene(country, server, where, await country.client("auditor", region=THERE), new_key())


async def test_the_newest_key_alone_opens_everything_afterwards(scene: Scene) -> None:
    before = await scene.everything()
    assert before["ledger"]["items"][FIRST_LEAF]["opening"]
    assert (await scene.survey(scene.new)).closed == (await scene.survey()).older == 6

    done = await rotation.rotate(scene.begin, keyring=scene.both)

    assert done.keys == 6
    assert done.answers == await scene.country.value("SELECT count(*) FROM answers") > 1
    async with scene.process(scene.new) as later:
        assert await later.everything() == before
    assert await rotation.rotate(scene.begin, keyring=scene.both) == Rotated()


async def test_only_wrapped_keys_change_and_nothing_that_they_seal(scene: Scene) -> None:
    sealed = "SELECT sealed FROM {} ORDER BY sealed"
    tables = ("site_secrets", "place_secrets", "referral_secrets", "rankings", "openings")
    before = [await scene.country.rows(sealed.format(table)) for table in tables]

    await rotation.rotate(scene.begin, keyring=scene.both)

    assert [await scene.country.rows(sealed.format(table)) for table in tables] == before


async def test_what_an_older_key_wrapped_behind_its_back_is_found_by_a_later_pass(
    scene: Scene,
) -> None:
    async def add(number: int) -> None:
        if (
            number == 6
        ):  # one to count, and two for each table: the sites and the referrals have been
            await behind.where.intake.post("/referrals", referral_body())
            await behind.where.receiver.post("/sites", site_body(name="Eik"))

    async with scene.process(f"{scene.country.key},{scene.new}") as behind:
        await rotation.rotate(scene.begin_and(add), keyring=scene.both)

    assert await scene.survey() == Tally(seen=8)


async def test_who_goes_on_wrapping_with_an_older_key_is_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def add(_number: int) -> None:
        await scene.where.intake.post("/referrals", referral_body())

    monkeypatch.setattr(rotation, "MOST_PASSES", 3)
    with pytest.raises(OperatorError, match="Give every process the newest key first"):
        await rotation.rotate(scene.begin_and(add), keyring=scene.both)


async def changes(scene: Scene) -> list[Resealed]:
    """Read the sites' keys, and wrap them anew."""
    async with scene.begin() as tx:
        batch = await sealed_rows.batch(tx, SITES, after=None)
    again = [scene.both.wrapping.reseal(sealed.content, row=sealed.row) for sealed in batch]
    return [
        Resealed(sealed, content) for sealed, content in zip(batch, again, strict=True) if content
    ]


async def test_a_key_that_another_process_has_changed_meanwhile_is_left_as_it_is(
    scene: Scene,
) -> None:
    await scene.where.receiver.post("/sites", site_body(name="Eik"))
    wanted = await changes(scene)
    theirs = scene.both.wrapping.seal(bytes(32), row=wanted[0].was.row)
    await scene.country.rows(
        "UPDATE site_secrets SET key = :key WHERE site_id = :id", key=theirs, id=wanted[0].was.id[0]
    )

    async with scene.begin() as tx:
        assert await sealed_rows.replace(tx, SITES, wanted) == 1

    kept = {
        row.site_id: row.key
        for row in await scene.country.rows("SELECT site_id, key FROM site_secrets")
    }
    assert kept == {wanted[0].was.id[0]: theirs, wanted[1].was.id[0]: wanted[1].content}


async def test_nobody_who_is_busy_with_a_row_is_waited_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.where.receiver.post("/sites", site_body(name="Eik"))
    wanted = await changes(scene)
    monkeypatch.setattr(rotation, "PAUSE_S", 0)
    theirs = text("UPDATE site_secrets SET sealed = sealed WHERE site_id = :id")
    async with scene.begin() as busy:
        await busy.run(theirs, {"id": wanted[0].was.id[0]})
        async with scene.begin() as tx:
            assert await sealed_rows.replace(tx, SITES, wanted) == 1
        with pytest.raises(OperatorError, match="in use all the time"):
            await rotation.rotate(scene.begin, keyring=scene.both)
        assert await scene.survey() == Tally(seen=7, older=1)

    assert (await rotation.rotate(scene.begin, keyring=scene.both)).keys == 1


async def test_two_rotations_at_once_do_it_once(scene: Scene) -> None:
    for name in "abcdef":
        await scene.where.receiver.post("/sites", site_body(name=name))

    done = await asyncio.gather(
        *(rotation.rotate(scene.begin, keyring=scene.both, rows=2) for _ in range(2))
    )

    assert sum(one.keys for one in done) == 12
    assert (await scene.survey(scene.new)) == Tally(seen=12)


class Killed(BaseException):
    """What the machine does."""


async def test_what_was_cut_off_between_two_batches_is_ended_by_the_next(scene: Scene) -> None:
    async def die(number: int) -> None:
        if number == 3:
            raise Killed

    with pytest.raises(Killed):
        await rotation.rotate(scene.begin_and(die), keyring=scene.both, rows=1)
    cut = await scene.survey()
    assert 0 < cut.older < cut.seen
    async with scene.process(f"{scene.new},{scene.country.key}") as meanwhile:
        before = await meanwhile.everything()

    assert (await rotation.rotate(scene.begin, keyring=scene.both, rows=1)).keys == cut.older

    async with scene.process(scene.new) as later:
        assert await later.everything() == before


async def test_a_key_that_is_needed_and_missing_is_told_and_the_others_are_wrapped(
    scene: Scene,
) -> None:
    await scene.country.rows(
        "UPDATE installation_keys SET wrapped = :key",
        key=Keyring.parse(new_key()).new_data_key(row="ledger")[1],
    )

    with pytest.raises(OperatorError, match="3 of 6 wrapped keys open with none"):
        await rotation.rotate(scene.begin, keyring=scene.both)

    assert await scene.survey() == Tally(seen=6, closed=3)


async def test_a_process_with_the_keys_from_the_file_answers_before_during_and_after(
    scene: Scene, tmp_path: Path
) -> None:
    file = tmp_path / KEY_FILE
    file.write_text(f"{scene.country.key}\n")
    async with scene.process(scene.country.key, data_dir=tmp_path) as serving:
        before = await serving.without_address()
        file.write_text(f"{scene.new},{scene.country.key}\n")

        async def ask(_number: int) -> None:
            assert await serving.without_address() == before

        await rotation.rotate(scene.begin_and(ask), keyring=scene.both, rows=1)

        assert await serving.everything() | before == await serving.everything()
        await serving.where.intake.post("/referrals", referral_body())
    assert await scene.survey() == Tally(seen=7)


async def test_with_only_the_keys_it_began_with_that_process_would_not(scene: Scene) -> None:
    await rotation.rotate(scene.begin, keyring=scene.both)
    site = f"/sites/{scene.where.there.site_id}"
    assert (await scene.where.receiver.ask("GET", site)).status_code == 500


async def test_what_processes_give_out_is_good_for_each_other_in_every_step_of_a_deployment(
    scene: Scene,
) -> None:
    old, new = scene.country.key, scene.new
    await shelter(scene.country, "eik", places=3)
    async with scene.process(f"{old},{new}") as first, scene.process(f"{new},{old}") as second:
        for one, other in ((scene, first), (first, second), (second, first)):
            referral = await one.where.intake.post("/referrals", referral_body())
            ranking = await one.where.intake.post(f"/referrals/{referral['id']}/rankings")
            body = {
                "referralId": referral["id"],
                "rankingId": ranking["id"],
                "offerId": ranking["offers"][0]["offerId"],
            }
            key = referral["id"]
            held = await other.where.intake.post("/holds", body, key=key)
            assert await one.where.intake.post("/holds", body, key=key) == held
            cursor = (await one.where.intake.get("/referrals?limit=1"))["nextCursor"]
            await other.where.intake.get(f"/referrals?limit=1&cursor={cursor}")


async def work(where: Desk, *, name: str) -> None:
    """Make and change sites and referrals, five of each."""
    for turn in range(5):
        site = await where.receiver.post("/sites", site_body(name=f"{name} {turn}"))
        referral = await where.intake.post("/referrals", referral_body())
        path = f"/referrals/{referral['id']}"
        await where.intake.patch(path, {"urgency": "urgent"}, headers={"If-Match": "*"})
        await where.receiver.patch(f"/sites/{site['id']}", {"name": f"{name} {turn} anew"})


async def test_what_is_made_and_changed_all_the_while_is_wrapped_anew_as_well(scene: Scene) -> None:
    async def rotate() -> None:
        while True:
            with suppress(
                OperatorError
            ):  # as they go on wrapping with the older key, it may give up
                await rotation.rotate(scene.begin, keyring=scene.both, rows=2)

    async with scene.process(f"{scene.country.key},{scene.new}") as behind:
        rotating = asyncio.create_task(rotate())
        await asyncio.gather(*(work(behind.where, name=name) for name in ("Eik", "Es", "Olm")))
        rotating.cancel()
        await asyncio.gather(rotating, return_exceptions=True)

    await rotation.rotate(scene.begin, keyring=scene.both)

    assert await scene.survey(scene.new) == Tally(seen=6 + 2 * 15)
    async with scene.process(scene.new) as later:
        names = [site["name"] for site in (await later.where.receiver.get("/sites"))["items"]]
        assert sum(name.endswith("anew") for name in names) == 15
        assert len((await later.where.intake.get("/referrals"))["items"]) == 2 + 15
