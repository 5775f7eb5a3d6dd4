"""Days of a household in any order of acts: no night twice, a leaf at each end.

Households come, move on inside a provider and to others, leave, and are corrected by each who may,
with days that hypothesis chooses; the service takes or refuses them.
"""

import asyncio
import datetime as dt
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.ledger import ledger
from app.reference import load
from tests.casework import fresh
from tests.conftest import Server, country_on
from tests.country import FAR, THERE, Country, place_body, referral_body
from tests.ledger_stays import local_today
from tests.swaps import Scene, scene

T = TypeVar("T")

LEFT = {"destination": "new_home"}
MOVING = {"urgency": "urgent", "reason": "follow_on"}
SHELTERS = {"wilg": FAR, "es": THERE}
PLACES = 6
BY_LONG_AGO = "UPDATE placements SET created_at = created_at - interval '400 days' WHERE id = :id"
TWICE = """
SELECT count(*) FROM placements AS a JOIN placements AS b ON b.stay_id = a.stay_id AND b.id > a.id
WHERE a.arrived_at IS NOT NULL AND b.arrived_at IS NOT NULL
  AND tstzrange(a.arrived_at, a.departed_at) && tstzrange(b.arrived_at, b.departed_at)
"""
TIMES = """
SELECT coalesce(p.began_id, p.id) AS began, min(p.arrived_at) AS came,
       CASE WHEN bool_and(p.status = 'ended') THEN max(p.departed_at) END AS gone,
       (array_agg(p.ready_to_leave_since ORDER BY p.created_at DESC))[1] AS ready
FROM placements AS p WHERE p.status IN ('arrived', 'ended') AND p.cross_regional
GROUP BY 1 ORDER BY 2
"""
LEAVES = """
SELECT placement_id AS began, type FROM leaves
WHERE type IN ('arrival', 'departure') AND placement_id = :began ORDER BY index
"""
days_ago = st.integers(0, 300)
pick = st.integers(0, 99)


@dataclass
class Household:
    """A household: the placements that it had, each with whose place it was; the last is now."""

    at: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    lives: bool = True


class Days(RuleBasedStateMachine):
    """What happens to the days of households."""

    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.country: Country = self.run(self.stack.enter_async_context(country_on(self.server)))
        self.all: list[Household] = []

    def run(self, act: Coroutine[Any, Any, T]) -> T:
        """Perform an act of the service."""
        return self.runner.run(act)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    @initialize()
    def shelters_open(self) -> None:
        self.run(self.open())

    async def open(self) -> None:
        self.at: Scene = await scene(self.country)
        for slug, region in SHELTERS.items():
            first = await self.at.open(slug, region)
            host = self.at.hosts[slug]
            site = (await host.get(f"/places/{first}"))["siteId"]
            for _ in range(PLACES - 1):
                await host.post("/places", place_body(site))

    @precondition(lambda self: len(self.all) < PLACES // 2)
    @rule(slug=st.sampled_from(sorted(SHELTERS)))
    def somebody_arrives(self, slug: str) -> None:
        self.run(self.arrive(slug))

    async def arrive(self, slug: str) -> None:
        referral = await self.at.desk.post("/referrals", referral_body())
        placement = await self.at.placed(referral["id"], slug)
        await self.country.rows(BY_LONG_AGO + " RETURNING id", id=placement)
        self.all.append(Household([(placement, slug)]))

    @precondition(lambda self: any(one.lives for one in self.all))
    @rule(which=pick, slug=st.sampled_from(sorted(SHELTERS)))
    def somebody_moves_on(self, which: int, slug: str) -> None:
        living = [one for one in self.all if one.lives]
        self.run(self.move(living[which % len(living)], slug))

    async def move(self, one: Household, slug: str) -> None:
        desk, host = self.at.desk, self.at.hosts[slug]
        made = await desk.post("/referrals", referral_body(**MOVING))
        ranking = await desk.post(f"/referrals/{made['id']}/rankings")
        provider = str(self.country.providers[slug])
        offer = next(o for o in ranking["offers"] if o["provider"]["id"] == provider)
        body = {"referralId": made["id"], "rankingId": ranking["id"], "offerId": offer["offerId"]}
        hold = await desk.post("/holds", body | {"overrideReason": "other"}, key=fresh())
        await host.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
        # Where they are may be a place that haven hears nothing of.
        previous, at = one.at[-1]
        moving = {"holdId": hold["id"], "previousPlacementId": previous}
        placement = (await desk.post("/placements", moving, key=fresh()))["id"]
        await host.post(f"/placements/{placement}/arrival", expect=200)
        await self.country.rows(BY_LONG_AGO + " RETURNING id", id=placement)
        assert at in SHELTERS
        one.at.append((placement, slug))

    @precondition(lambda self: any(one.lives for one in self.all))
    @rule(which=pick, days=days_ago)
    def somebody_leaves(self, which: int, days: int) -> None:
        living = [one for one in self.all if one.lives]
        one = living[which % len(living)]
        one.lives = not self.run(
            self.tried("POST", one.at[-1], "/departure", LEFT | {"departedAt": ago(days)})
        )

    @precondition(lambda self: self.all)
    @rule(
        which=pick,
        place=pick,
        code=st.sampled_from(("arrived_other_day", "departed_other_day")),
        days=days_ago,
    )
    def something_is_corrected(self, which: int, place: int, code: str, days: int) -> None:
        one = self.all[which % len(self.all)]
        wrong = {"code": code, "at": ago(days)}
        self.run(self.tried("POST", one.at[place % len(one.at)], "/corrections", wrong))

    @precondition(lambda self: self.all)
    @rule(which=pick, days=st.none() | st.integers(-2, 300))
    def somebody_is_ready_or_not(self, which: int, days: int | None) -> None:
        one = self.all[which % len(self.all)]
        day = None if days is None else (local_today() - dt.timedelta(days=days)).isoformat()
        self.run(self.tried("PATCH", one.at[-1], "", {"readyToLeaveSince": day}))

    async def tried(self, method: str, at: tuple[str, str], act: str, body: dict[str, Any]) -> bool:
        """Try an act as the receiver; return whether it was taken, and not refused with reason."""
        placement, slug = at
        answer = await self.at.hosts[slug].ask(method, f"/placements/{placement}{act}", json=body)
        assert answer.status_code in {200, 201, 400, 409}, answer.text
        return answer.status_code < 300

    @invariant()
    def no_night_counts_twice(self) -> None:
        assert self.run(self.country.value(TWICE)) == 0

    @invariant()
    def each_time_has_a_leaf_for_its_beginning_and_one_for_its_end_and_they_say_its_days(
        self,
    ) -> None:
        self.run(self.compare())

    async def compare(self) -> None:
        day_of = load().country.day_of
        for time in await self.country.rows(TIMES):
            leaves = [row.type for row in await self.country.rows(LEAVES, began=time.began)]
            assert leaves == ["arrival", *(["departure"] if time.gone else [])]
            async with self.country.owner.transaction() as tx:
                stay = await ledger.stay_of(tx, time.began)
            assert stay is not None
            arrival = stay.states[stay.arrival]
            assert arrival.date == day_of(time.came)
            if stay.departure is None:
                assert arrival.ready_since == time.ready
            else:
                assert stay.states[stay.departure].date == day_of(time.gone)


def ago(days: int) -> str:
    """Return a moment some days ago."""
    return (dt.datetime.now(dt.UTC) - dt.timedelta(days=days)).isoformat()


def test_days_lie_in_order_and_in_the_ledger_whatever_happens_in_whatever_order(
    embedded: Server,
) -> None:
    machine = type("Here", (Days,), {"server": embedded})
    few = settings(
        max_examples=3,
        stateful_step_count=14,
        deadline=None,
        database=None,
        phases=[Phase.generate],
    )
    run_state_machine_as_test(machine, settings=few)
