"""A site that one person makes up, moves or opens: nothing stands by one alone."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from app import worker
from app.accounts import account_changes, staff
from app.accounts.staff import AccountWanted
from app.database.transaction import WORKER
from tests.casework import Desk, desk, wish
from tests.country import (
    FAR,
    HERE,
    THERE,
    Client,
    Country,
    approve,
    place_body,
    referral_body,
    shelter,
    site_body,
)

YES, NO = {"approve": True}, {"approve": False}
LURED = {"street": "Valstrik 1", "postcode": "0000 XX", "city": "Elders"}

INVITED = """
INSERT INTO account_acts (account_id, act, by_account, by_coordinator_of, at)
SELECT account.id, :act, by.id, CASE WHEN 'coordinator' = ANY (by.roles) THEN by.provider_id END,
       clock_timestamp() - make_interval(days => :days)
FROM accounts AS account, accounts AS by WHERE account.id = :account AND by.id = :by
"""


@dataclass
class Person:
    """A client, and the account that it acts as."""

    client: Client
    account: UUID


async def person(country: Country, *roles: str, provider: str | None = None) -> Person:
    """Return a new account, which the operator made: nobody invited it."""
    client = await country.client(*(roles or ("coordinator",)), provider=provider)
    newest = "SELECT id FROM accounts ORDER BY created_at DESC LIMIT 1"
    return Person(client, await country.value(newest))


async def invited(
    country: Country, one: Person, *, by: Person, act: str = "invited", days: int = 0
) -> None:
    """Note that an account invited or reset another, or gave it its role, some days ago."""
    await country.rows(INVITED, account=one.account, by=by.account, act=act, days=days)


async def ranked(country: Country, *, near: str | None = None) -> Any:
    """Return the ranking for a fleeing woman."""
    intake = await country.client("intake_worker", provider="haven")
    referral = await intake.post("/referrals", referral_body(nearMunicipality=near))
    return await intake.post(f"/referrals/{referral['id']}/rankings")


async def offers(country: Country) -> list[Any]:
    """Return what a fleeing woman is offered."""
    return (await ranked(country))["offers"]


async def lure(by: Client, **site: Any) -> str:
    """Register a site with a place that suits her."""
    made = await by.post("/sites", site_body(name=f"Lokhuis {secrets.token_hex(3)}", **site))
    await by.post(f"/sites/{made['id']}/confirmations")
    await by.post("/places", place_body(made["id"]))
    return made["id"]


async def test_a_site_that_one_account_makes_up_is_offered_counted_and_held_by_nobody(
    country: Country,
) -> None:
    attacker = await person(country, "coordinator", "intake_worker", provider="linde")
    await person(country, provider="linde")
    site = await lure(attacker.client, municipality=FAR)
    await country.step()

    ranking = await ranked(country, near=FAR)
    assert (ranking["offers"], ranking["excluded"], ranking["considered"]) == ([], [], 0)
    everybody = await country.client("intake_worker", provider="haven")
    assert (await everybody.get("/availability"))["items"] == []
    assert (await attacker.client.get("/availability"))["items"] == []
    cards = (await everybody.get("/providers"))["items"]
    assert {card["slug"]: card["regions"] for card in cards}["linde"] == [THERE]
    seen = await attacker.client.get(f"/sites/{site}")
    assert (seen["status"], seen["proposed"]["awaits"]) == (
        "proposed",
        ["coordinator", "administrator"],
    )
    # And nothing makes its places free: not their owner, and not the statement that takes them.
    (place,) = (await attacker.client.get("/places"))["items"]
    for status in ("occupied", "free"):
        await attacker.client.patch(f"/places/{place['id']}", {"status": status})
    assert (await attacker.client.get(f"/places/{place['id']}"))["status"] == "free"
    free = "SELECT count(*) FROM claims WHERE claimed_until <= clock_timestamp() OR kind IS NULL"
    assert await country.value(free) == 0
    assert await country.value("SELECT count(*) FROM vacancies") == 0


async def test_with_two_others_it_stands_is_offered_as_new_and_all_coordinators_are_told(
    country: Country,
) -> None:
    proposer = await person(country, provider="linde")
    second = await person(country, provider="linde")
    administrator = await person(country, "administrator")
    site = await lure(proposer.client, municipality=FAR)
    path = f"/sites/{site}/approval"

    half = await second.client.post(path, YES, expect=200)
    assert half == {"id": site, "status": "proposed", "awaits": ["administrator"]}
    assert await offers(country) == []
    (awaited,) = (await administrator.client.get("/site-approvals"))["items"]
    assert (awaited["region"], awaited["outside"], awaited["awaitsMe"]) == (FAR, True, True)
    assert "Valstrik" not in str(awaited)
    assert "Lokhuis" not in str(awaited)
    whole = await administrator.client.post(path, YES, expect=200)
    assert whole == {"id": site, "status": "approved", "awaits": []}

    (offer,) = await offers(country)
    assert (offer["newSite"], offer["region"]["code"]) == (True, FAR)
    assert (await proposer.client.get(f"/sites/{site}"))["new"] is True
    assert await country.value("SELECT count(*) FROM vacancies") == 1
    told = (await proposer.client.get("/access-notices"))["items"]
    assert [(one["action"], one["siteId"]) for one in told] == [
        ("approve", site),
        ("approve", site),
        ("propose", site),
    ]
    await country.rows("UPDATE sites SET approved_at = approved_at - interval '31 days'")
    await country.rows("UPDATE heads SET value = value + 1 WHERE name = 'register'")
    assert [offer["newSite"] for offer in await offers(country)] == [False]


@pytest.mark.parametrize(
    "act, days, of_the_two",
    [
        ("invited", 90, "proposer"),
        ("reset", 90, "proposer"),
        ("role", 90, "proposer"),
        ("invited", 90, "approver"),
        ("invited", 6, "colleague"),
        ("role", 6, "colleague"),
        ("made", 90, "administrator"),
        ("reset", 6, "administrator"),
    ],
)
async def test_an_account_that_is_no_second_person_approves_nothing(
    country: Country, act: str, days: int, of_the_two: str
) -> None:
    proposer = await person(country, provider="linde")
    puppet = await person(country, provider="linde")
    colleague = await person(country, provider="linde")
    account, by = (proposer, puppet) if of_the_two == "approver" else (puppet, proposer)
    by = colleague if of_the_two == "colleague" else by
    if of_the_two == "administrator":
        by = await person(country, "administrator")
        await invited(country, proposer, by=by, act=act, days=90)
    await invited(country, account, by=by, act=act, days=days)
    site = await lure(proposer.client)
    path = f"/sites/{site}/approval"

    for one in (proposer, puppet):
        refused = await one.client.post(path, YES, expect=409)
        assert refused["code"] == "same_person"
    question = {"purpose": "approval"}
    reveals = f"/sites/{site}/address-reveals"
    assert (await puppet.client.post(reveals, question, expect=409))["code"] == "same_person"
    assert await offers(country) == []
    assert (await colleague.client.post(path, YES, expect=200))["status"] == "approved"
    assert len(await offers(country)) == 1


async def test_invitations_resets_and_roles_are_on_record_and_the_operators_count_for_nobody(
    country: Country,
) -> None:
    administrator = await person(country, "administrator")
    colleague = await person(country, "intake_worker", provider="linde")
    noted = (
        "SELECT act, by_account FROM account_acts WHERE account_id = :id AND act <> 'entered'"
        " ORDER BY id"
    )
    assert [tuple(row) for row in await country.rows(noted, id=colleague.account)] == [
        ("made", None)
    ]
    token = administrator.client.http.headers["Authorization"].partition(" ")[2]

    hashed = hashlib.sha256(token.encode()).digest()

    async with country.parts.database.transaction(hashed) as tx:
        roles = frozenset({"coordinator"})
        provider = country.providers["linde"]
        await staff.change(tx, colleague.account, AccountWanted(roles, provider, None, "Collega"))
        new = await staff.invite(
            tx, AccountWanted(roles, provider, None, None), sign_in_name="nieuw", embedded=True
        )
        await staff.reset(tx, new.account_id)
    await country.rows("UPDATE account_changes SET effective_at = asked_at RETURNING 1")
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await account_changes.let_due_take_effect(tx)
    by = administrator.account
    assert [tuple(row) for row in await country.rows(noted, id=colleague.account)] == [
        ("made", None),
        ("role", by),
    ]
    acts = [row.act for row in await country.rows(noted, id=new.account_id)]
    assert acts == ["made", "invited", "invited"]
    # Nor does the giver of a role approve as an administrator what its holder proposes.
    mine = await lure(await country.client("coordinator", provider="linde"))
    assert (await administrator.client.post(f"/sites/{mine}/approval", YES, expect=404))["code"]


async def test_where_there_is_no_second_coordinator_an_administrator_alone_approves(
    country: Country,
) -> None:
    alone = await person(country, provider="linde")
    puppet = await person(country, provider="linde")
    patron = await person(country, "administrator")
    other = await person(country, "administrator")
    await invited(country, puppet, by=alone)
    await invited(country, alone, by=patron, days=90)
    site = await lure(alone.client)
    path = f"/sites/{site}/approval"

    assert (await alone.client.get(f"/sites/{site}"))["proposed"]["awaits"] == ["administrator"]
    assert (await puppet.client.post(path, YES, expect=409))["code"] == "same_person"
    assert (await patron.client.post(path, YES, expect=409))["code"] == "same_person"
    await other.client.post(f"/sites/{site}/address-reveals", {"purpose": "approval"}, expect=403)
    assert (await other.client.post(path, YES, expect=200))["status"] == "approved"


async def arrived_there(country: Country) -> tuple[Desk, dict[str, Any], Person]:
    """Bring a household on its way to a site; return its placement, and a second coordinator."""
    where = await desk(country)
    placement = await where.underway()
    return where, placement, await person(country, provider="linde")


async def test_an_address_that_one_changes_reaches_nobody_before_another_has_seen_it(
    country: Country,
) -> None:
    where, placement, second = await arrived_there(country)
    site, reveals = f"/sites/{where.there.site_id}", f"/sites/{where.there.site_id}/address-reveals"
    theirs = f"/placements/{placement['id']}/address-reveals"
    before = (await where.intake.post(theirs, {"purpose": "transport"}, expect=200))["address"]
    newest = await country.value("SELECT max(id) FROM outbox")

    changed = await where.receiver.patch(site, {"address": LURED})

    assert (changed["status"], changed["proposed"]["address"]) == ("approved", True)
    assert LURED["street"] not in str(changed)
    refused = await where.intake.post(theirs, {"purpose": "transport"}, expect=409)
    assert refused["code"] == "address_changing"
    assert "000-555 01 01" in refused["detail"]
    assert (await where.receiver.post(reveals, {"purpose": "other"}, expect=200))[
        "address"
    ] == before
    approval = await second.client.post(reveals, {"purpose": "approval"}, expect=200)
    assert approval["address"] == LURED
    told = "SELECT kind FROM outbox WHERE id > :id AND subject = :subject AND audience = :who"
    haven = [country.providers["haven"]]
    values = {"id": newest, "subject": placement["id"], "who": haven}
    assert [row.kind for row in await country.rows(told, **values)] == ["placement"]

    await second.client.post(f"{site}/approval", NO, expect=200)
    assert (await where.intake.post(theirs, {"purpose": "transport"}, expect=200))[
        "address"
    ] == before
    await where.receiver.patch(site, {"address": LURED})
    await second.client.post(f"{site}/approval", YES, expect=200)
    assert (await where.intake.post(theirs, {"purpose": "transport"}, expect=200))[
        "address"
    ] == LURED
    assert len(await country.rows(told, **values)) == 4


async def test_what_only_makes_safer_one_does_at_once_and_what_opens_waits(
    country: Country,
) -> None:
    known = {"addressSecrecy": "known", "automaticAcceptance": True}
    there = await shelter(country, site=known)
    second = await person(country, provider="linde")
    site = f"/sites/{there.site_id}"

    paused = await there.coordinator.patch(site, {"admission": "paused"})
    assert (paused["admission"], paused["proposed"]) == ("paused", None)
    shut = {"addressSecrecy": "confidential", "automaticAcceptance": False}
    assert (await there.coordinator.patch(site, shut))["addressSecrecy"] == "confidential"
    opened = await there.coordinator.patch(site, {"addressSecrecy": "known"})
    assert (opened["addressSecrecy"], opened["proposed"]["addressSecrecy"]) == (
        "confidential",
        "known",
    )
    # Another colleague does not build on it, and to shut it again is one press.
    other = {"municipality": HERE}
    assert (await second.client.patch(site, other, expect=409))["code"] == "pending"
    shut_again = await second.client.patch(site, {"addressSecrecy": "confidential"})
    assert (shut_again["addressSecrecy"], shut_again["proposed"]) == ("confidential", None)
    nothing = await second.client.post(f"{site}/approval", YES, expect=409)
    assert nothing["code"] == "nothing_proposed"


async def test_an_approval_is_of_what_was_looked_at_and_of_nothing_slipped_in_since(
    country: Country,
) -> None:
    there = await shelter(country)
    second = await person(country, provider="linde")
    site = f"/sites/{there.site_id}"
    looked_at = (await there.coordinator.patch(site, {"municipality": HERE}))["proposed"]["id"]
    await there.coordinator.patch(site, {"address": LURED})

    wanted = YES | {"proposalId": looked_at}
    assert (await second.client.post(f"{site}/approval", wanted, expect=409))[
        "code"
    ] == "proposal_changed"
    now = (await there.coordinator.get(site))["proposed"]
    assert (now["municipality"], now["address"]) == (HERE, True)
    rejected = await second.client.post(
        f"{site}/approval", NO | {"proposalId": now["id"]}, expect=200
    )
    assert rejected["status"] == "rejected"
    stands = await there.coordinator.get(site)
    assert (stands["status"], stands["municipality"], stands["proposed"]) == (
        "approved",
        THERE,
        None,
    )


async def test_a_site_that_is_rejected_is_over_and_others_see_nothing_of_either(
    country: Country,
) -> None:
    proposer = await person(country, provider="linde")
    second = await person(country, provider="linde")
    foreign = await person(country, provider="haven")
    site = await lure(proposer.client)
    path = f"/sites/{site}/approval"

    for one in (foreign.client, await country.client("administrator")):
        await one.post(path, YES, expect=404)
        await one.post("/site-approvals", YES | {"ids": [site]}, expect=404)
        assert (await one.get("/site-approvals"))["items"] == []
    machine = await country.client("client_system", provider="linde")
    await machine.post("/sites", site_body(), expect=403)
    await machine.post(path, YES, expect=403)

    assert (await second.client.post(path, NO, expect=200))["status"] == "rejected"
    assert (await proposer.client.get(f"/sites/{site}"))["status"] == "rejected"
    again = await proposer.client.patch(f"/sites/{site}", {"address": LURED}, expect=409)
    assert again["code"] == "rejected"
    assert await offers(country) == []


async def test_a_files_sites_are_approved_in_one_act_all_of_them_or_none(
    country: Country,
) -> None:
    proposer = await person(country, provider="linde")
    second = await person(country, provider="linde")
    sites = [await lure(proposer.client) for _ in range(3)]
    other = await lure(second.client)

    mixed = {"ids": [*sites, other], **YES}
    assert (await second.client.post("/site-approvals", mixed, expect=409))["code"] == "same_person"
    assert await offers(country) == []
    all_ = await second.client.post("/site-approvals", {"ids": sites, **YES}, expect=200)
    assert [(one["id"], one["status"]) for one in all_["items"]] == [
        (site, "approved") for site in sites
    ]
    assert len(await offers(country)) == 1, "one offer stands for all that are alike"
    proposed = "SELECT count(*) FROM claims WHERE kind = 'proposed'"
    assert await country.value(proposed) == 1, "the other site alone is free for nobody"


async def test_a_household_whose_site_moves_into_danger_is_marked_whoever_approved_last(
    country: Country,
) -> None:
    where, placement, second = await arrived_there(country)
    site = where.there.site_id
    await where.receiver.patch(f"/sites/{site}", {"municipality": HERE})
    await approve(country, site)
    del second

    seen = f"/placements/{placement['id']}"
    assert (await where.intake.get(seen))["unsafeSince"] is None  # an administrator sees no one
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await worker.recheck_moved(tx)
    assert (await where.intake.get(seen))["unsafeSince"] is not None
    assert await country.value("SELECT count(*) FROM sites WHERE recheck") == 0


async def test_where_a_provider_works_only_an_administrator_says(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    path = f"/providers/{country.providers['linde']}/regions"
    await coordinator.ask("PUT", path, json={"regions": [THERE, FAR]}, expect=403)
    administrator = await country.client("administrator")
    card = (await administrator.ask("PUT", path, json={"regions": [FAR, THERE]}, expect=200)).json()
    assert card["regions"] == sorted([THERE, FAR])
    await administrator.ask("PUT", path, json={"regions": []}, expect=400)
    await administrator.ask(
        "PUT", f"/providers/{secrets.token_hex(4)}/regions", json={"regions": [FAR]}, expect=404
    )


async def test_a_held_place_needs_no_more_than_before(country: Country) -> None:
    await shelter(country)
    intake = await country.client("intake_worker", provider="haven")
    body = await wish(intake)
    assert (await intake.post("/holds", body, key="once"))["status"] == "pending"
