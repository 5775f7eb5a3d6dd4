"""Who proposes and who approves a site at the same moment: they take turns."""

import asyncio

import pytest

from tests.casework import fresh
from tests.country import Country, place_body, site_body
from tests.rounds import rounds

pytestmark = pytest.mark.race

ROUNDS = rounds(4, soak=60)
YES, NO = {"approve": True}, {"approve": False}


async def test_of_many_who_approve_and_reject_at_once_exactly_one_decides(
    country: Country,
) -> None:
    proposer = await country.client("coordinator", provider="linde")
    others = [await country.client("coordinator", provider="linde") for _ in range(6)]
    for _ in range(ROUNDS):
        bare = (await proposer.post("/sites", site_body(name=fresh())))["id"]
        answers = await asyncio.gather(
            *(one.ask("POST", f"/sites/{bare}/approval", json=YES) for one in others)
        )
        assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
        site = (await proposer.post("/sites", site_body(name=fresh())))["id"]
        place = (await proposer.post("/places", place_body(site)))["id"]
        answers = await asyncio.gather(
            *(
                one.ask("POST", f"/sites/{site}/approval", json=YES if number % 2 else NO)
                for number, one in enumerate(others)
            ),
            # And its owner frees a place at that moment, which then is free, or proposed.
            proposer.ask("PATCH", f"/places/{place}", json={"status": "occupied"}),
            proposer.ask("PATCH", f"/places/{place}", json={"status": "free"}),
        )
        decided = [answer for answer in answers[:-2] if answer.status_code == 200]
        assert len(decided) == 1
        assert {answer.status_code for answer in answers[:-2]} == {200, 409}
        status = decided[0].json()["status"]
        await proposer.ask("PATCH", f"/places/{place}", json={"status": "free"}, expect=200)
        stands = await country.rows(
            "SELECT s.status, c.kind FROM sites AS s JOIN places AS p ON p.site_id = s.id"
            " JOIN claims AS c ON c.place_id = p.id WHERE s.id = :id",
            id=site,
        )
        assert [tuple(row) for row in stands] == [
            (status, None if status == "approved" else "proposed")
        ]


async def test_an_address_that_changes_while_it_is_approved_is_never_approved_unseen(
    country: Country,
) -> None:
    proposer = await country.client("coordinator", provider="linde")
    second = await country.client("coordinator", provider="linde")
    for number in range(ROUNDS):
        made = await proposer.post("/sites", site_body(name=fresh()))
        site, seen = f"/sites/{made['id']}", made["proposed"]["id"]
        lured = {"street": f"Valstrik {fresh()}", "postcode": "0000 XX", "city": "Elders"}
        turns = [
            second.ask("POST", f"{site}/approval", json=YES | {"proposalId": seen}),
            proposer.ask("PATCH", site, json={"address": lured}),
        ]
        answers = await asyncio.gather(*(turns if number % 2 else reversed(turns)))
        approved = answers[0 if number % 2 else 1]
        stands = await proposer.get(site)
        # Either the old one was approved, and the other waits; or nothing was.
        assert approved.status_code in {200, 409}
        assert stands["status"] == ("approved" if approved.status_code == 200 else "proposed")
        assert stands["proposed"]["address"] is True
        await second.post(f"{site}/approval", NO, expect=200)
