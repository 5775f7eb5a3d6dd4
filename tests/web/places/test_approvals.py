"""The page of what waits for approval, and the look before an acceptance."""

from tests.country import FAR, Country, site_body
from tests.web.places.board_scene import small
from tests.web.visitor import visitor

ELSEWHERE = {"municipality": FAR, "street": "Andere straat 2", "postcode": "0000", "city": "Ver"}


async def test_a_colleague_sees_what_is_proposed_and_approves_what_was_looked_at(
    country: Country,
) -> None:
    scene = await small(country)
    proposer = await visitor(country, "coordinator", provider="linde")
    colleague = await visitor(country, "coordinator", provider="linde")
    administrator = await visitor(country, "administrator")
    site = scene.sites["Linde"]

    sheet = await proposer.get(f"/places/site/{site}")
    await proposer.press(sheet, "/move", dict(ELSEWHERE))
    own, seen = await proposer.get("/approvals"), await colleague.get("/approvals")
    board = await colleague.read("/places")

    assert "You cannot approve this yourself" in own.text
    assert "Change of a site: Linde" in seen.text
    for fact in (
        "Groningen, now Zwolle",
        "not a region of this provider",
        "another address",
        "another coordinator, an administrator",
    ):
        assert fact in seen.text, fact
    assert ELSEWHERE["street"] not in own.text + seen.text
    assert "A change of this site waits for approval." in board
    form = seen.form("/address")
    shown = await colleague.send(form.action, [*form.fields, ("purpose", "approval")])
    assert ELSEWHERE["street"] in shown.text

    # What was slipped in after they looked is not what they approve.
    decision = seen.form("/approvals")
    again = await proposer.get(f"/places/site/{site}")
    await proposer.press(again, "/move", ELSEWHERE | {"street": "Valstrik 1"})
    late = await colleague.send(decision.action, [*decision.fields, ("approve", "yes")])
    assert "What is proposed has changed since you looked at it" in late.text
    decision = (await colleague.get("/approvals")).form("/approvals")
    await colleague.send(decision.action, [*decision.fields, ("approve", "yes")])
    theirs = await administrator.get("/approvals")
    assert "Stichting Linde" in theirs.text
    assert "Show the address" not in theirs.text
    decision = theirs.form("/approvals")
    done = await administrator.send(decision.action, [*decision.fields, ("approve", "yes")])
    assert "Nothing waits for approval." in done.text
    assert (await scene.linde.get(f"/sites/{site}"))["municipality"] == FAR
    notices = await colleague.read("/places/others", part=True)
    assert "approved Linde, or a change of it" in " ".join(notices.split())


async def test_new_sites_are_approved_all_at_once_and_rejected_one_by_one(
    country: Country,
) -> None:
    scene = await small(country)
    colleague = await visitor(country, "coordinator", provider="linde")
    for name in ("Es", "Iep", "Els"):
        await scene.linde.post("/sites", site_body(name=name))

    page = await colleague.get("/approvals")
    assert "All 3 new sites at once" in page.text
    assert "Proposed: nothing here is offered before it is approved." in await colleague.read(
        "/places"
    )
    decision = page.form("/approvals")
    assert len([name for name, _ in decision.fields if name == "proposal"]) == 3
    done = await colleague.send(decision.action, [*decision.fields, ("approve", "yes")])

    assert "Nothing waits for approval." in done.text
    assert {site["status"] for site in (await scene.linde.get("/sites"))["items"]} == {"approved"}


async def test_the_towns_are_shown_for_a_reason_and_the_rest_once_they_were_accepted(
    country: Country,
) -> None:
    scene = await small(country)
    hold = await scene.hold()
    at_linde = await visitor(country, "coordinator", provider="linde")

    board = await at_linde.get("/places")
    assert "s-Gravenhage" in board.text
    assert "km around" not in board.text
    form = board.form("/danger-look")
    looked = await at_linde.send(form.action, [*form.fields, ("reason", "network")])
    assert "s-Gravenhage" in looked.text
    await at_linde.post(f"/places/holds/{hold['id']}/danger-look", {}, expect=400)
    await at_linde.post(f"/places/holds/{hold['id']}/acceptance")
    assert "km around" in (await at_linde.get("/places")).text


async def test_an_administrator_says_where_a_provider_works(country: Country) -> None:
    await country.provider("linde")
    administrator = await visitor(country, "administrator")
    path = f"/provider-list/{country.providers['linde']}"

    page = await administrator.get(path)
    done = await administrator.press(page, path, regions=[FAR])

    assert "Groningen" in done.text
    held = await country.rows("SELECT region FROM provider_regions")
    assert [row.region for row in held] == [FAR]
    await administrator.post(path, {}, expect=400)
