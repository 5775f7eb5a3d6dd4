"""A referral that no key opens: shown as that, left out, told; everything else goes on."""

from app import worker
from app.seal import Keyring, new_key
from tests.casework import desk
from tests.country import FAR, THERE, Country, let_work, move_site, referral_body
from tests.integration.database.test_timers import due_now
from tests.web.visitor import visitor


async def lose_key(country: Country, referral_id: str) -> None:
    """Wrap a referral's data key by a key that this installation does not have."""
    _, wrapped = Keyring.parse(new_key()).new_data_key(row=referral_id)
    await country.rows(
        "UPDATE referral_secrets SET key = :key WHERE referral_id = :id",
        key=wrapped,
        id=referral_id,
    )


async def test_one_referral_that_no_key_opens_takes_nothing_else_down(country: Country) -> None:
    where = await desk(country, places=4)
    intake = where.intake
    known, lost = [await intake.post("/referrals", referral_body()) for _ in range(2)]
    await lose_key(country, lost["id"])

    for path in ("/referrals", "/waiting-list"):
        listed = await intake.get(path)
        assert [item["reference"] for item in listed["items"]] == [known["reference"]], path
        assert [item["reference"] for item in listed["unreadable"]] == [lost["reference"]]
    refused = await intake.get(f"/referrals/{lost['id']}", expect=409)
    assert refused["code"] == "unreadable"
    await intake.post(f"/referrals/{lost['id']}/rankings", expect=409)
    colleague = await visitor(country, "intake_worker", provider="haven")
    assert lost["reference"] in await colleague.read("/find")
    await colleague.read(f"/find/{lost['id']}", expect=409)
    plan = await intake.post("/peak-plans", {"referralIds": [known["id"], lost["id"]]})
    refusals = {part["referralId"]: part["refusal"] for part in plan["referrals"]}
    assert refusals[known["id"]] is None
    assert refusals[lost["id"]]["code"] == "unreadable"


async def test_the_countrys_plan_and_the_daily_check_go_on_and_administrators_hear(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    lost = await where.intake.post("/referrals", referral_body())
    await where.intake.post("/referrals", referral_body())
    await lose_key(country, lost["id"])
    chief = await country.client("administrator")
    asked = await chief.post("/peak-plans")
    await due_now(country)
    recurring = worker.recurring_work(country.parts.settings.data_dir)

    for _ in recurring:
        await worker.recur(country.parts.database, recurring)

    assert await country.value("SELECT count(*) FROM peak_plans WHERE made_at IS NULL") == 0
    assert (await chief.get(f"/peak-plans/{asked['id']}"))["madeAt"]
    found = await country.rows("SELECT code, subject::text FROM discrepancies")
    assert [tuple(row) for row in found] == [("referral_unreadable", lost["id"])]


async def test_whom_nobody_can_compare_with_the_danger_counts_as_unsafe(country: Country) -> None:
    where = await desk(country, places=2)
    coming = await where.underway()
    await lose_key(country, coming["referralId"])
    assert (await where.receiver.get("/placements"))["items"][0]["coming"] is None

    other = await where.underway()

    await let_work(country, THERE, FAR)
    await move_site(country, where.receiver, where.there.site_id, municipality=FAR)

    unsafe = {
        id_: (await where.receiver.get(f"/placements/{id_}"))["unsafeSince"] is not None
        for id_ in (coming["id"], other["id"])
    }
    assert unsafe == {coming["id"]: True, other["id"]: False}
