"""Files of a coordinator: checked first, taken in whole, and only of their own provider."""

import pytest

from app import worker
from app.database.transaction import WORKER
from tests.country import Country, approve
from tests.integration.registry.imports.import_files import PLACE, SITE, csv
from tests.swaps import NEAR
from tests.web.places.board_scene import BoardScene, small
from tests.web.visitor import PageVisitor, hidden, visitor

HERE = {**PLACE, "site": "Linde"}


async def at_linde(country: Country) -> PageVisitor:
    return await visitor(country, "coordinator", provider="linde")


async def take(
    somebody: PageVisitor, raw: bytes, *, kind: str = "places", expect: int = 200, **more: str
) -> str:
    answer = await somebody.post(
        "/places/import",
        {"kind": kind, **more},
        files={"file": ("own.csv", raw, "text/csv")},
        expect=expect,
    )
    return " ".join(answer.text.split())


async def labels(scene: BoardScene) -> list[str]:
    return sorted(place["label"] for place in (await scene.linde.get("/places"))["items"])


def checked_digest(page: str) -> str:
    """Return the digest that the button sends to take in the file that was checked."""
    return hidden(page, "take")


async def test_a_file_is_looked_at_first_and_then_taken_in_with_one_press(country: Country) -> None:
    scene = await small(country, places=1)
    somebody = await at_linde(country)
    raw = csv({**HERE, "label": "7A"}, {**HERE, "label": "7B", "status": "occupied"})

    looked = await take(somebody, raw)
    before = await labels(scene)
    done = await take(somebody, raw, take=checked_digest(looked))
    again = await take(somebody, raw)

    assert "It would bring 2 new, change 0, and leave 0 as they are." in looked
    assert before == ["1A"]
    assert "Taken in: 2 new" in done
    assert await labels(scene) == ["1A", "7A", "7B"]
    assert "It would bring 0 new, change 0, and leave 2 as they are." in again


async def test_looking_at_a_file_tells_nobody_anything(country: Country) -> None:
    await small(country, places=1)
    told = await country.value("SELECT count(*) FROM outbox")
    version = await country.value("SELECT value FROM heads WHERE name = 'register'")

    await take(await at_linde(country), csv({**HERE, "label": "7A"}))

    assert await country.value("SELECT count(*) FROM outbox") == told
    assert await country.value("SELECT value FROM heads WHERE name = 'register'") == version


async def test_another_file_than_the_one_that_was_looked_at_is_only_looked_at(
    country: Country,
) -> None:
    scene = await small(country, places=1)
    somebody = await at_linde(country)
    looked = await take(somebody, csv({**HERE, "label": "7A"}))

    other = await take(somebody, csv({**HERE, "label": "8A"}), take=checked_digest(looked))

    assert "It would bring 1 new" in other
    assert await labels(scene) == ["1A"]


async def test_all_faults_are_told_by_line_and_nothing_is_half_done(country: Country) -> None:
    scene = await small(country, places=1)
    raw = csv(
        {**HERE, "label": "7A"},
        {**HERE, "label": "7B", "kind": "castle"},
        {**HERE, "label": "7C", "site": "Nowhere"},
        {**HERE, "label": "7D", "bed_spaces": "many"},
        {**HERE, "label": "7E", "provider": "eik"},
        {**HERE, "label": ""},
    )

    page = await take(await at_linde(country), raw, expect=400)

    assert "5 things are wrong" in page
    for words in (
        "This must be one of: crisis, regular, emergency, move_on, alternative.",
        "You have no site of this name. Add it first.",
        "This must be a whole number from 1 to 50.",
        "This is not your own organisation.",
        "This must not be blank.",
    ):
        assert words in page, words
    assert "castle" not in page
    assert await labels(scene) == ["1A"]


async def test_nothing_of_another_provider_is_seen_or_touched_by_a_file(country: Country) -> None:
    await small(country, places=1)
    stranger = await visitor(country, "coordinator", provider="eik")

    page = await take(stranger, csv({**HERE, "label": "1A", "bed_spaces": 9}), expect=400)
    guess = await take(stranger, csv({**HERE, "label": "9Z", "site": "Nowhere"}), expect=400)

    assert "This is not your own organisation." in page
    assert page.replace("2", "") == guess.replace("2", "")
    assert await country.value("SELECT max(bed_spaces) FROM place_groups WHERE places > 0") == 4


async def test_a_place_that_somebody_was_promised_stays_as_it_is(country: Country) -> None:
    scene = await small(country, places=1)
    await scene.hold()

    page = await take(
        await at_linde(country), csv({**HERE, "label": "1A", "bed_spaces": 9}), expect=400
    )

    assert "Somebody was promised this place: it stays as it is." in page


async def test_sites_are_taken_in_without_showing_an_address(country: Country) -> None:
    scene = await small(country)
    somebody = await at_linde(country)
    raw = csv({**SITE, "site": "Es"}, {**SITE, "site": "Linde", "supervision": "none"})

    looked = await take(somebody, raw, kind="sites")
    done = await take(somebody, raw, kind="sites", take=checked_digest(looked))
    wrong = await take(
        somebody,
        csv({**SITE, "site": "Iep", "supervision": SITE["street"]}),
        kind="sites",
        expect=400,
    )

    assert "Taken in: 1 new, 1 changed" in done
    assert "Voorbeeldstraat" not in looked + done + wrong
    sites = {
        site["name"]: site["supervision"] for site in (await scene.linde.get("/sites"))["items"]
    }
    assert sites == {"Es": "24h", "Linde": "none"}


async def test_a_file_that_moves_a_site_asks_again_whether_those_who_are_there_are_safe(
    country: Country,
) -> None:
    scene = await small(country, places=1)
    placement = await scene.arrive()
    somebody = await at_linde(country)
    raw = csv({**SITE, "site": "Linde", "municipality": NEAR})

    looked = await take(somebody, raw, kind="sites")
    before = (await scene.haven.get(f"/placements/{placement['id']}"))["unsafeSince"]
    await take(somebody, raw, kind="sites", take=checked_digest(looked))
    assert (await scene.haven.get(f"/placements/{placement['id']}"))["unsafeSince"] is None
    await approve(country, scene.sites["Linde"])
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await worker.recheck_moved(tx)

    assert before is None
    assert (await scene.haven.get(f"/placements/{placement['id']}"))["unsafeSince"] is not None


@pytest.mark.parametrize("raw", [b"", b"\xff\xfea", b"provider;site\n", b'provider,site\n"a'])
async def test_what_is_no_such_file_is_told_plainly(country: Country, raw: bytes) -> None:
    await small(country, places=1)

    assert "wrong" in await take(await at_linde(country), raw, expect=400)
