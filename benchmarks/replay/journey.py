"""What intake workers and coordinators do for the arrivals.

Several at once, each over a connection of its own.
"""

import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.replay.http import Connection, Reply
from benchmarks.replay.plans import Plan, referral_body
from benchmarks.replay.tally import Tally

TRIES = 4
"""How often a worker ranks again before the household has to wait."""
OFFERS_TRIED = 3
RETRIED = 2
"""How many who wait are tried again when a place has come free."""


@dataclass(frozen=True, slots=True)
class Office:
    """A provider: its regions, and the tokens of its intake desk and of its coordinator."""

    id: str
    slug: str
    regions: frozenset[str]
    intake: str
    coordinator: str


@dataclass(slots=True)
class Case:
    """An arrival under way: its referral, and how many providers have answered."""

    plan: Plan
    office: Office
    referral_id: str
    answered: int = 0
    waited: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Departure:
    """A stay, and with which arrival it ends."""

    due: int
    placement_id: str
    office: Office = field(compare=False)
    plan: Plan = field(compare=False)


@dataclass(slots=True)
class Scene:
    """What the workers share."""

    plans: Iterator[Plan]
    offices: Mapping[str, Office]
    """By id."""
    region_of: Mapping[str, str]
    """By municipality."""
    lapse: Callable[[str], Awaitable[None]]
    """Lets the time of a hold run out, as nobody can wait for it here."""
    tally: Tally
    advance: Callable[[], None]
    waiting: deque[Case] = field(default_factory=deque[Case])
    departures: list[Departure] = field(default_factory=list[Departure])
    now: int = 0
    """The number of the newest arrival: what stays are counted in."""

    def office_for(self, plan: Plan) -> Office:
        """Return the intake desk to which a household turns.

        One that serves its region, in turn.
        """
        region = self.region_of[plan.case.origin]
        near = [office for office in self.offices.values() if region in office.regions] or [
            *self.offices.values()
        ]
        return near[plan.number % len(near)]


class Worker:
    """One of those at work.

    Takes the next arrival, and first whatever is due before it.
    """

    def __init__(self, scene: Scene, connection: Connection) -> None:
        self._scene = scene
        self._tally = scene.tally
        self._ask = connection.ask

    async def work(self) -> None:
        """Work until there are no more arrivals."""
        for plan in self._scene.plans:
            self._scene.now = plan.number
            while self._scene.departures and self._scene.departures[0].due <= plan.number:
                await self._depart(heapq.heappop(self._scene.departures))
            await self._arrive(plan)
            self._scene.advance()

    async def _arrive(self, plan: Plan) -> None:
        office = self._scene.office_for(plan)
        self._tally.counts["arrivals"] += 1
        self._tally.came_from[self._scene.region_of[plan.case.origin]] += 1
        reply = await self._ask(
            "POST", "/referrals", token=office.intake, body=referral_body(plan.case), once=True
        )
        await self._seek(Case(plan, office, reply.expect(201).body["id"]))

    async def _seek(self, case: Case) -> None:
        """Rank, hold and place; or wait, where nothing fits or nobody said yes."""
        for _ in range(TRIES):
            hold = await self._hold(case)
            if hold is None:
                continue
            if not hold:
                break
            if await self._accepted(case, hold):
                await self._place(case, hold)
                return
        case.waited = True
        self._scene.waiting.append(case)

    async def _hold(self, case: Case) -> dict[str, Any] | None:
        """Return the hold that was taken; an empty one if nothing fits.

        None if it is worth ranking again.
        """
        ranking = await self._ask(
            "POST", f"/referrals/{case.referral_id}/rankings", token=case.office.intake
        )
        self._tally.ranking_ms.append(ranking.expect(201).took_ms)
        self._tally.rankings.append((ranking.body["id"], case.office.intake))
        offers: list[dict[str, Any]] = ranking.body["offers"]
        if not offers:
            return {}
        begin = 1 if case.plan.second_choice and len(offers) > 1 else 0
        for offer in offers[begin : begin + OFFERS_TRIED]:
            reply = await self._take(case, ranking.body["id"], offer)
            if reply.status == 201:
                return reply.body
            if reply.code == "ranking_outdated":
                self._tally.counts["rankings outdated"] += 1
                return None
            self._tally.counts["offers gone"] += 1
        return None

    async def _take(self, case: Case, ranking_id: str, offer: Mapping[str, Any]) -> Reply:
        body = {
            "referralId": case.referral_id,
            "rankingId": ranking_id,
            "offerId": offer["offerId"],
        }
        if offer["rank"] > 1:
            body["overrideReason"] = case.plan.override_reason
        if offer["needsAnswer"]:
            body["answers"] = {"threatLevel": 1}
        reply = await self._ask("POST", "/holds", token=case.office.intake, body=body, once=True)
        self._tally.hold_ms.append(reply.expect(201, 409).took_ms)
        if reply.status == 409 and reply.code not in {"offer_gone", "ranking_outdated"}:
            reply.expect(201)
        return reply

    async def _accepted(self, case: Case, hold: Mapping[str, Any]) -> bool:
        """Let the receiving coordinator answer as planned, unless the place accepts by itself."""
        if hold["status"] == "accepted":
            return True
        wish = case.plan.answers[case.answered % len(case.plan.answers)]
        case.answered += 1
        receiver = self._scene.offices[hold["providerId"]].coordinator
        path = f"/holds/{hold['id']}"
        if wish == "silent":
            self._tally.counts["not answered"] += 1
            await self._scene.lapse(hold["id"])
            return False
        seen = (await self._ask("GET", path, token=receiver)).expect(200)
        assert seen.body["coming"] is not None  # noqa: S101 - the receiver must see who comes
        if wish == "decline":
            self._tally.counts["declined"] += 1
            reason = {"reason": case.plan.decline_reason}
            (await self._ask("POST", f"{path}/decline", token=receiver, body=reason)).expect(200)
            return False
        (
            await self._ask("POST", f"{path}/acceptance", token=receiver, body={"by": "person"})
        ).expect(200)
        return True

    async def _place(self, case: Case, hold: Mapping[str, Any]) -> None:
        body = {"holdId": hold["id"]}
        reply = await self._ask(
            "POST", "/placements", token=case.office.intake, body=body, once=True
        )
        placement = reply.expect(201).body
        self._know(placement)
        receiver = self._scene.offices[placement["providerId"]]
        path = f"/placements/{placement['id']}"
        if not case.plan.comes:
            await self._stay_away(case, path, receiver)
            return
        arrived = (
            (await self._ask("POST", f"{path}/arrival", token=receiver.coordinator))
            .expect(200)
            .body
        )
        self._know(arrived)
        assert (arrived["ledgerLeaf"] is not None) == arrived["crossRegional"]  # noqa: S101 - what the ledger is for
        self._tally.counts["placed after waiting" if case.waited else "placed"] += 1
        self._tally.flow[self._scene.region_of[case.plan.case.origin], placement["receiving"]] += 1
        due = self._scene.now + case.plan.stay
        heapq.heappush(self._scene.departures, Departure(due, placement["id"], receiver, case.plan))

    async def _stay_away(self, case: Case, path: str, receiver: Office) -> None:
        """Let a household not come.

        Its place is kept until the sender knows that it is safe.

        It needs no other place.
        """
        self._tally.counts["no-shows"] += 1
        self._know(
            (await self._ask("POST", f"{path}/no-show", token=receiver.coordinator))
            .expect(200)
            .body
        )
        safe = {"safetyChecked": True}
        checked = await self._ask("POST", f"{path}/no-show", token=case.office.intake, body=safe)
        self._know(checked.expect(200).body)
        withdrawn = await self._ask(
            "POST",
            f"/referrals/{case.referral_id}/withdrawal",
            token=case.office.intake,
            body={"reason": "no_place"},
        )
        withdrawn.expect(200)

    async def _depart(self, departure: Departure) -> None:
        """End a stay, and try again for those who have waited longest."""
        body = {
            "destination": departure.plan.destination,
            "blockers": list(departure.plan.blockers),
        }
        path = f"/placements/{departure.placement_id}/departure"
        reply = await self._ask(
            "POST", path, token=departure.office.coordinator, body=body, once=True
        )
        self._know(reply.expect(200).body)
        self._tally.counts["departed"] += 1
        for _ in range(min(RETRIED, len(self._scene.waiting))):
            if self._scene.waiting:
                await self._seek(self._scene.waiting.popleft())

    def _know(self, placement: Mapping[str, Any]) -> None:
        self._tally.acknowledged[placement["id"]] = placement["status"]
