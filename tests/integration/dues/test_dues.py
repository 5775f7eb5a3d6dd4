"""Dues follow from rows: whatever changes a row opens and ends them, and the worker rings."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.database.transaction import WORKER
from app.dues import dues
from app.dues.store import due_rows
from app.placing import holds
from app.reference import load
from app.referrals import contacts
from app.referrals.contacts import ContactNote
from migrations.sql import HERE, statements
from tests.casework import Desk, desk, fresh, lapse, waiting
from tests.country import FAR, Country, approve, referral_body, site_body
from tests.dues import ADMINISTRATORS, Asked, come, live, pass_hours, ring, told
from tests.erasures import erase
from tests.swaps import chain

FILE = HERE / "dues.sql"
LATE = timedelta(minutes=120)
"""As the demo's policy has it."""
MOMENTS = """
SELECT d.kind, d.subject_id::text AS subject, p.slug AS whose, d.due_at
FROM dues AS d JOIN providers AS p ON p.id = d.provider_id WHERE d.ended_at IS NULL
"""
UNSEEN = """
SELECT d.kind FROM dues AS d WHERE d.due_at <= coalesce(d.ended_at, clock_timestamp())
  AND NOT EXISTS (SELECT FROM due_sights AS s WHERE s.due_id = d.id) ORDER BY 1
"""
WAITING = """
SELECT r.*, (SELECT c.due_at FROM contacts AS c WHERE c.referral_id = r.id
             ORDER BY c.at DESC, c.id DESC LIMIT 1) AS contact_at
FROM referrals AS r WHERE r.status IN ('open', 'held')
"""
Due = tuple[str, str, str, datetime]
"""A due: its kind, its subject, whose it is, and its moment."""
AskedFor = tuple[str, UUID, datetime | None, list[UUID]]
"""What a row asks for: kind, subject, moment, providers."""


async def asked_by_rows(country: Country) -> set[Due]:
    """Return the dues that the rows ask for, read without any trigger."""
    slugs = {id_: slug for slug, id_ in country.providers.items()}
    asked = [
        *[_of_hold(row) for row in await country.rows("SELECT * FROM holds")],
        *[one for row in await country.rows("SELECT * FROM placements") for one in _of_stay(row)],
        *[
            one
            for row in await country.rows("SELECT * FROM alternatives")
            for one in _meanwhile(row)
        ],
        *[one for row in await country.rows(WAITING) for one in _of_waiting(row)],
        *[_of_site(row) for row in await country.rows("SELECT * FROM sites")],
    ]
    return {
        (kind, str(subject), slugs[provider], moment)
        for kind, subject, moment, providers in asked
        if moment is not None
        for provider in providers
    }


def _of_hold(row: Any) -> AskedFor:
    moment = row.expires_at if row.status == "pending" else None
    return "hold_to_answer", row.id, moment, [row.receiver_id]


def _of_stay(row: Any) -> list[AskedFor]:
    late = (row.expected_at or row.created_at) + LATE if row.status == "underway" else None
    lost = row.status == "no_show" and row.safety_checked_at is None
    back = row.return_by if row.status == "arrived" else None
    sides = [row.provider_id, row.receiver_id]
    return [
        ("expected_arrival", row.id, late, sides),
        ("no_show_unchecked", row.id, row.no_show_at + LATE if lost else None, sides),
        ("planned_return", row.id, back and load().country.midnight(back), sides),
    ]


def _meanwhile(row: Any) -> list[AskedFor]:
    if row.ended_at is not None:
        return []
    sides = [row.provider_id, row.responsible_id]
    leave = row.until and load().country.midnight(row.until)
    return [
        ("alternative_check", row.id, row.next_check_at, sides),
        ("alternative_nights", row.id, leave, sides),
    ]


def _of_waiting(row: Any) -> list[AskedFor]:
    plan = None if row.has_safety_plan else row.created_at + timedelta(hours=24)
    return [
        ("safety_plan", row.id, plan, [row.provider_id]),
        ("contact", row.id, row.contact_at, [row.provider_id]),
    ]


def _of_site(row: Any) -> AskedFor:
    stale = row.confirmed_at and row.confirmed_at + timedelta(hours=24)
    moment = stale or row.approved_at or row.created_at
    return (
        "site_to_confirm",
        row.id,
        moment if row.status == "approved" else None,
        [row.provider_id],
    )


async def standing(country: Country) -> set[Due]:
    """Return the live dues with their moments."""
    return {(row.kind, row.subject, row.whose, row.due_at) for row in await country.rows(MOMENTS)}


class Course:
    """Acts of two desks, in any order; that some are refused does not matter."""

    def __init__(self, country: Country, where: Desk, luck: random.Random) -> None:
        self.country, self.where, self.luck = country, where, luck
        self.referrals: list[str] = []
        self.holds: list[str] = []
        self.placements: list[str] = []
        self.alternatives: list[str] = []

    def acts(self) -> list[Callable[[], Awaitable[None]]]:
        """Return all of them."""
        return [
            self.register,
            *[self.hold, self.answer, self.confirm, self.go_on] * 2,
            self.speak,
            self.arrange,
            self.look_after,
            self.change,
            self.run_out,
        ]

    def _one(self, ids: list[str]) -> str:
        # Mostly the newest, with which there is most to do.
        return self.luck.choice([*ids, *ids[-1:] * 2 * len(ids)]) if ids else "none"

    def _ahead(self) -> str:
        return (datetime.now(UTC) + timedelta(hours=self.luck.randint(1, 99))).isoformat()

    async def register(self) -> None:
        """Register a household."""
        body = referral_body(
            safetyPlan=self.luck.random() < 0.5,
            reason=self.luck.choice(("safety", "capacity")),
        )
        self.referrals.append((await self.where.intake.post("/referrals", body))["id"])

    async def hold(self) -> None:
        """Hold a place for one."""
        id_ = self._one(self.referrals)
        ranked = (await self.where.intake.ask("POST", f"/referrals/{id_}/rankings")).json()
        if not ranked.get("offers"):
            return
        wanted = {
            "referralId": id_,
            "rankingId": ranked["id"],
            "offerId": ranked["offers"][0]["offerId"],
        }
        held = await self.where.intake.ask("POST", "/holds", json=wanted, key=fresh())
        if held.status_code == 201:
            self.holds.append(held.json()["id"])

    async def answer(self) -> None:
        """Accept, decline, release or renew a hold."""
        path, luck = f"/holds/{self._one(self.holds)}", self.luck.random()
        if luck < 0.6:
            await self.where.receiver.ask("POST", f"{path}/acceptance", json={"by": "person"})
        elif luck < 0.7:
            await self.where.receiver.ask("POST", f"{path}/decline", json={"reason": "staffing"})
        elif luck < 0.8:
            await self.where.intake.ask("POST", f"{path}/release", json={"reason": "mistake"})
        else:
            await self.where.intake.ask("POST", f"{path}/renewals")

    async def confirm(self) -> None:
        """Confirm a hold."""
        body = {"holdId": self._one(self.holds)}
        if self.luck.random() < 0.5:
            body["expectedAt"] = self._ahead()
        made = await self.where.intake.ask("POST", "/placements", json=body, key=fresh())
        if made.status_code == 201:
            self.placements.append(made.json()["id"])

    async def go_on(self) -> None:
        """Do something with a placement."""
        path = f"/placements/{self._one(self.placements)}"
        day = (date.today() + timedelta(days=self.luck.randint(1, 90))).isoformat()  # noqa: DTZ011 - any day ahead
        client, method, rest, body = self.luck.choice(
            [
                (self.where.intake, "PATCH", "", {"expectedAt": self._ahead()}),
                (self.where.receiver, "PATCH", "", {"returnBy": day}),
                (self.where.receiver, "PATCH", "", {"returnBy": None}),
                (self.where.receiver, "POST", "/arrival", None),
                (self.where.receiver, "POST", "/no-show", {"safetyChecked": False}),
                (self.where.intake, "POST", "/no-show", {"safetyChecked": True}),
                (self.where.receiver, "POST", "/corrections", {"code": "not_arrived"}),
                (self.where.receiver, "POST", "/departure", {"destination": "own_home"}),
            ]
        )
        sent: dict[str, Any] = {} if body is None else {"json": body}
        await client.ask(method, path + rest, **sent)

    async def speak(self) -> None:
        """Note a contact."""
        body: dict[str, Any] = {"note": "x"}
        if self.luck.random() < 0.6:
            body["dueAt"] = self._ahead()
        path = f"/referrals/{self._one(self.referrals)}/contacts"
        await self.where.intake.ask("POST", path, json=body)

    async def arrange(self) -> None:
        """Begin an alternative."""
        body = {
            "kind": self.luck.choice(("hotel", "emergency_bed")),
            "responsibleProviderId": str(self.country.providers["linde"]),
        }
        path = f"/referrals/{self._one(self.referrals)}/alternatives"
        made = await self.where.intake.ask("POST", path, json=body)
        if made.status_code == 201:
            self.alternatives.append(made.json()["id"])

    async def look_after(self) -> None:
        """Check an alternative, or end it."""
        path = f"/alternatives/{self._one(self.alternatives)}"
        if self.luck.random() < 0.7:
            outcome = {"outcome": self.luck.choice(("well", "not_well"))}
            await self.where.receiver.ask("POST", f"{path}/checks", json=outcome)
        else:
            await self.where.receiver.ask("POST", f"{path}/ending", json={"reason": "left"})

    async def change(self) -> None:
        """Change what is known of a household, close it, or confirm the counts."""
        path, luck = f"/referrals/{self._one(self.referrals)}", self.luck.random()
        if luck < 0.5:
            plan = {"safetyPlan": self.luck.random() < 0.5}
            await self.where.intake.ask("PATCH", path, json=plan, headers={"If-Match": "*"})
        elif luck < 0.7:
            await self.where.intake.ask("POST", f"{path}/withdrawal", json={"reason": "mistake"})
        else:
            site = self.where.there.site_id
            await self.where.receiver.ask("POST", f"/sites/{site}/confirmations")

    async def run_out(self) -> None:
        """Let a hold run out, noted by the worker."""
        await lapse(self.country, self._one(self.holds) if self.holds else str(fresh_id()))
        async with self.country.parts.database.transaction(actor=WORKER) as tx:
            await holds.sweep_holds(tx)


def fresh_id() -> str:
    """Return the id of nothing."""
    return "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("seed", range(3))
async def test_after_every_act_the_dues_are_those_that_the_rows_ask_for(
    country: Country, seed: int
) -> None:
    luck = random.Random(seed)
    course = Course(country, await desk(country, places=6), luck)
    reached: set[str] = set()
    for _ in range(4):
        await course.register()
    for step in range(70):
        act = luck.choice(course.acts())
        await act()
        stands = await standing(country)
        assert stands == await asked_by_rows(country), (step, act)
        reached |= {kind for kind, *_ in stands}
    assert len(reached) >= 7, reached


async def test_nobody_is_due_twice_whatever_the_rows_say(country: Country) -> None:
    where = await desk(country)
    hold = await where.hold()
    again = "INSERT INTO dues (kind, subject_id, referral_id, provider_id, due_at) "
    again += "SELECT kind, subject_id, referral_id, provider_id, due_at + interval '1 hour' "
    again += "FROM dues WHERE subject_id = :id"
    with pytest.raises(Exception, match="dues_live_key"):
        await country.rows(again, id=hold["id"])


async def test_a_hold_rings_at_once_and_ends_with_its_answer_or_unseen(country: Country) -> None:
    where = await desk(country, places=2)
    answered, silent = await where.hold(), await where.hold()
    dues_ = [("hold_to_answer", hold["id"], "linde") for hold in (answered, silent)]
    assert await live(country, "hold_to_answer") == set(dues_)
    assert sorted(await ring(country)) == sorted(dues_)
    assert await ring(country) == []

    path = f"/holds/{answered['id']}/acceptance"
    await where.receiver.post(path, {"by": "person"}, expect=200)
    assert await told(country) == [dues_[0]]
    await come(country, "hold_to_answer", minutes=0)
    await lapse(country, silent["id"])
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await holds.sweep_holds(tx)
    assert await live(country, "hold_to_answer") == set()
    assert "hold_to_answer" in [row.kind for row in await country.rows(UNSEEN)]
    sights = await country.rows(
        "SELECT d.subject_id::text AS hold FROM due_sights JOIN dues AS d ON d.id = due_id "
        "WHERE d.kind = 'hold_to_answer'"
    )
    assert [row.hold for row in sights] == [answered["id"]]


async def test_an_own_place_and_a_released_hold_ask_nothing_of_anybody(country: Country) -> None:
    where = await desk(country, places=2)
    own = await where.receiver.post("/referrals", referral_body())
    ranking = await where.receiver.post(f"/referrals/{own['id']}/rankings")
    body = {
        "referralId": own["id"],
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    held = await where.receiver.post("/holds", body, key=fresh())
    assert held["status"] == "accepted"
    assert await live(country, "hold_to_answer") == set()
    released = await where.hold()
    await where.intake.post(f"/holds/{released['id']}/release", {"reason": "mistake"}, expect=200)
    assert await live(country, "hold_to_answer") == set()
    assert await ring(country) == []


async def test_consent_is_due_of_each_provider_in_a_swap_until_it_is_given_or_refused(
    country: Country,
) -> None:
    it = await chain(country)
    swap = (await it.at.propose(it.waiting))["id"]
    assert await live(country, "swap_consent") == {
        ("swap_consent", swap, whose) for whose in ("eik", "linde", "haven")
    }
    for client, body in await it.at.asked(swap):
        await client.post(f"/swaps/{swap}/consents", body, expect=200)
    assert await live(country, "swap_consent") == set()


async def test_a_refused_swap_is_due_of_nobody(country: Country) -> None:
    it = await chain(country)
    swap = (await it.at.propose(it.waiting))["id"]
    assert await ring(country)
    await it.at.hosts["eik"].post(f"/swaps/{swap}/refusal", {"reason": "staffing"}, expect=200)
    assert await live(country, "swap_consent") == set()


async def test_a_proposed_site_is_due_of_those_whose_approval_it_needs_and_not_of_its_proposer(
    country: Country,
) -> None:
    proposer = await country.client("coordinator", provider="linde")
    site = (await proposer.post("/sites", site_body(municipality=FAR)))["id"]
    alone: set[Asked] = {("site_to_approve", site, ADMINISTRATORS)}
    assert await live(country) == alone

    # A second coordinator comes: its provider's work as well, as soon as it rings.
    second = await country.client("coordinator", provider="linde")
    assert await ring(country) == []
    assert await live(country) == alone | {("site_to_approve", site, "linde")}
    assert await ring(country) == [("site_to_approve", site, "linde")]
    assert [due["kind"] for due in (await second.get("/dues"))["items"]] == ["site_to_approve"]
    assert (await proposer.get("/dues"))["items"] == []
    chief = await country.client("administrator")
    (mine,) = (await chief.get("/dues"))["items"]
    assert (mine["kind"], mine["subject"]) == ("site_to_approve", site)
    await approve(country, site)
    assert await live(country) == {("site_to_confirm", site, "linde")}


async def test_what_is_erased_or_over_for_long_is_due_of_nobody_and_forgotten(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    await where.intake.post(
        f"/referrals/{referral['id']}/contacts",
        {"note": "x", "dueAt": (datetime.now(UTC) + timedelta(days=2)).isoformat()},
    )
    assert len(await live(country, "contact", "safety_plan")) == 2
    await erase(country, referral["id"], folder=tmp_path)
    assert await live(country, "contact", "safety_plan") == set()

    await country.rows("UPDATE dues SET ended_at = ended_at - interval '30 days'")
    count = "SELECT count(*) FROM dues WHERE ended_at IS NOT NULL"
    for days, left in ((0, 2), (2, 0)):
        await country.rows(
            "UPDATE dues SET ended_at = ended_at - make_interval(days => :days)", days=days
        )
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await dues.prune_dues(tx)
        assert await country.value(count) >= left
    assert await country.value(count) == 0


async def test_eight_workers_at_once_ring_once_for_each(country: Country) -> None:
    where = await desk(country, places=4)
    late = [await where.underway() for _ in range(4)]
    await ring(country)
    await come(country, "expected_arrival")

    async def work() -> None:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await dues.ring_dues(tx)

    await country.rows("DELETE FROM outbox")
    await asyncio.gather(*(work() for _ in range(8)))
    rung = sorted(await told(country))
    assert rung == sorted(
        ("expected_arrival", one["id"], whose) for one in late for whose in ("haven", "linde")
    )


@pytest.mark.parametrize("guarded", [False, True])
async def test_a_second_worker_leaves_alone_what_the_first_has_in_hand(
    country: Country, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    guard = " FOR UPDATE SKIP LOCKED"
    assert guard in due_rows._RING.text
    if not guarded:
        bare = text(due_rows._RING.text.replace(guard, ""))
        monkeypatch.setattr(
            due_rows, "_RING", bare.bindparams(*due_rows._RING._bindparams.values())
        )
    where = await desk(country)
    await where.hold()

    async def work() -> None:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await dues.ring_dues(tx)

    await country.rows("DELETE FROM outbox")
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await dues.ring_dues(tx)
        second = asyncio.create_task(work())
        await (second if guarded else waiting(country, statement="rung_at"))
    await second
    assert len(await told(country)) == (1 if guarded else 2)


async def test_what_is_done_while_it_is_about_to_ring_ends_and_rings_no_more(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.hold()
    path = f"/holds/{hold['id']}/acceptance"
    await country.rows("DELETE FROM outbox")
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await dues.ring_dues(tx)
        acceptance = asyncio.create_task(where.receiver.post(path, {"by": "person"}, expect=200))
        await waiting(country)
    await acceptance
    # It rang, so that it is over is told as well.
    assert await told(country) == [("hold_to_answer", hold["id"], "linde")] * 2
    await pass_hours(country, 99)
    assert await ring(country) == []


async def test_a_worker_that_dies_halfway_has_rung_for_nobody_and_the_next_one_does(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.hold()
    await country.rows("DELETE FROM outbox")

    async def dies() -> None:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await dues.ring_dues(tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await dies()
    assert await told(country) == []
    assert await ring(country) == [("hold_to_answer", hold["id"], "linde")]


@pytest.mark.fresh
async def test_those_that_ring_and_those_of_a_desk_are_found_by_an_index(country: Country) -> None:
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await tx.connection.execute("SET LOCAL enable_seqscan = off")
        values = {"kinds": ["contact"], "hours": [None], "batch": dues.AT_ONCE}
        plan = await tx.rows(
            text(f"EXPLAIN (COSTS OFF) {due_rows._RING.text}").bindparams(
                *due_rows._RING._bindparams.values()
            ),
            values,
        )
    assert any("dues_ringing_idx" in row[0] for row in plan)


@pytest.mark.parametrize("guarded", [False, True])
async def test_of_two_contacts_at_once_the_newest_says_when_the_next_is_due(
    country: Country, *, guarded: bool
) -> None:
    guard = " FOR NO KEY UPDATE"
    written = next(
        one for one in statements(FILE.read_text()) if "FUNCTION keep_referral_dues(" in one
    )
    assert guard in written
    if not guarded:
        await country.rows(written.replace(guard, ""))
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    worker = await country.hashed("intake_worker", provider="haven")
    first, second = [datetime.now(UTC) + timedelta(days=day) for day in (1, 2)]

    async def note(due_at: datetime, *, held: bool = False) -> None:
        async with country.parts.database.transaction(worker) as tx:
            await contacts.note_contact(
                tx, UUID(referral["id"]), said=ContactNote(None, "x"), due_at=due_at
            )
            if held:
                await waiting(country)

    earlier = asyncio.create_task(note(first, held=True))
    while not await country.value(
        "SELECT count(*) FROM pg_locks WHERE relation = 'dues'::regclass"
    ):
        await asyncio.sleep(0)
    await note(second)
    await earlier
    stands = {moment for kind, *_, moment in await standing(country) if kind == "contact"}
    assert stands == {second if guarded else first}
