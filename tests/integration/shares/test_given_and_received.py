"""Given equals received in sum, whatever happens to households and their records.

Households come, move on, leave and are erased, and what was recorded is corrected. Everything goes
through the real service on a real database; hypothesis chooses what happens next.
"""

import asyncio
import datetime as dt
import tempfile
from collections import Counter, defaultdict
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
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

from app.allocation.shares.fairness import contradictions
from app.allocation.shares.nights import StayBook
from app.allocation.shares.quarters import quarter_named
from app.allocation.shares.totals import Account, nights_by_region
from app.allocation.shares.weights import WeightHistory, region_weights_of
from app.database.sealing import keys
from app.database.transaction import WORKER
from app.ledger import checkpoints
from app.shares import fair_shares
from app.shares.stay_book import unseal_opening
from app.shares.store import stay_rows
from tests import rfc9162
from tests.conftest import Server, country_on
from tests.country import FAR, THERE, Country, place_body, referral_body
from tests.erasures import erase
from tests.ledger_stays import local_today, sealed_as_of, totals
from tests.swaps import Scene, chain, scene

T = TypeVar("T")

LEFT = {"destination": "new_home"}
CAPACITY: dict[str, Any] = {
    "reason": "capacity",
    "dangerAssessment": "none_known",
    "dangerZones": [],
}
PLACES = 3
"""The number of places of each shelter."""
SHELTERS = {"wilg": FAR, "es": THERE}
LEDGER_BEGAN = (
    "ALTER TABLE leaves DISABLE TRIGGER only_grows",
    "UPDATE leaves SET written_at = written_at - interval '400 days'",
    "ALTER TABLE leaves ENABLE TRIGGER only_grows",
)
SINCE_LONG_AGO = (
    "UPDATE placements SET created_at = created_at - interval '400 days' WHERE id = :id"
)
ABOUT_STAYS = "SELECT type, placement_id::text FROM leaves WHERE type IN ('arrival', 'departure')"
SUMS = "SELECT sum(given), sum(quota), sum(deficit) FROM shares"
days_ago = st.integers(0, 380)


@dataclass
class Household:
    """A household that came: its papers, and how many days ago it came and left."""

    referral_id: str
    placement_id: str
    provider: str
    came: int = 0
    left: int | None = None

    @property
    def path(self) -> str:
        """The path of its placement on the wire."""
        return f"/placements/{self.placement_id}"


class Installation(RuleBasedStateMachine):
    """What happens in a country; as quarters go by, the worker seals them."""

    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.country: Country = self.run(self.stack.enter_async_context(country_on(self.server)))
        self.on = local_today()
        self.here: list[Household] = []
        self.gone: list[Household] = []
        self.due: set[tuple[str, str]] = set()
        """The leaves that there have to be, by stay."""

    def run(self, act: Coroutine[Any, Any, T]) -> T:
        """Perform an act of the service."""
        return self.runner.run(act)

    def teardown(self) -> None:
        """Check what is too costly to check after each step, and clean up."""
        try:
            self.run(self.every_total_is_what_all_openings_come_to())
            self.run(self.every_leaf_is_proven())
        finally:
            self.run(self.stack.aclose())
            self.runner.close()

    @initialize(swap=st.booleans())
    def the_ledger_is_a_year_old(self, *, swap: bool) -> None:
        self.run(self.begin(swap=swap))

    async def begin(self, *, swap: bool) -> None:
        for statement in LEDGER_BEGAN:
            await self.country.rows(statement)
        self.at: Scene = await self.swapped() if swap else await scene(self.country)
        for slug, region in SHELTERS.items():
            first = await self.at.open(slug, region)
            host = self.at.hosts[slug]
            site = (await host.get(f"/places/{first}"))["siteId"]
            for _ in range(PLACES - 1):
                await host.post("/places", place_body(site))

    async def swapped(self) -> Scene:
        """Let one household make room for another: both legs write ordinary leaves."""
        it = await chain(self.country)
        proposed = await it.at.propose(it.waiting)
        await it.at.consent(proposed["id"])
        to_linde, to_eik = await it.at.going(proposed["id"])
        for provider, placement in (("eik", to_eik), ("linde", to_linde)):
            await it.at.hosts[provider].post(f"/placements/{placement}/arrival", expect=200)
        self.due |= {("arrival", one) for one in (it.resident.placement_id, to_eik, to_linde)}
        self.due.add(("departure", it.resident.placement_id))
        return it.at

    @precondition(lambda self: any(self.free(slug) for slug in SHELTERS))
    @rule(slug=st.sampled_from(sorted(SHELTERS)), came=days_ago, flees=st.booleans())
    def somebody_arrives(self, slug: str, came: int, *, flees: bool) -> None:
        if not self.free(slug):
            slug = next(other for other in SHELTERS if self.free(other))
        self.run(self.arrive(slug, came, {} if flees else CAPACITY))

    def free(self, slug: str) -> bool:
        return sum(one.provider == slug for one in self.here) < PLACES

    async def arrive(self, slug: str, came: int, wishes: dict[str, Any]) -> None:
        referral = await self.at.desk.post("/referrals", referral_body(**wishes))
        one = Household(referral["id"], await self.at.placed(referral["id"], slug), slug)
        await self.country.rows(SINCE_LONG_AGO, id=one.placement_id)
        self.here.append(one)
        self.due.add(("arrival", one.placement_id))
        await self.correct_arrival(one, came)

    @precondition(lambda self: self.here)
    @rule(which=st.integers(0, 99), left=days_ago)
    def somebody_leaves(self, which: int, left: int) -> None:
        one = self.here.pop(which % len(self.here))
        self.gone.append(one)
        one.left = min(left, one.came)
        self.run(self.post(one, "departure", LEFT | {"departedAt": ago(one.left)}))
        self.due.add(("departure", one.placement_id))

    @precondition(lambda self: self.here)
    @rule(which=st.integers(0, 99), since=st.none() | days_ago)
    def somebody_is_ready_or_not_any_more(self, which: int, since: int | None) -> None:
        one = self.here[which % len(self.here)]
        day = (
            None
            if since is None
            else (local_today() - dt.timedelta(days=min(since, one.came))).isoformat()
        )
        self.run(self.at.hosts[one.provider].patch(one.path, {"readyToLeaveSince": day}))

    @precondition(lambda self: self.here)
    @rule(which=st.integers(0, 99))
    def somebody_was_never_there(self, which: int) -> None:
        one = self.here.pop(which % len(self.here))
        self.run(self.never_arrived(one))

    async def never_arrived(self, one: Household) -> None:
        await self.post(one, "corrections", {"code": "not_arrived"}, expect=201)
        await self.at.desk.post(f"{one.path}/no-show", {"safetyChecked": True}, expect=200)

    @precondition(lambda self: self.here)
    @rule(which=st.integers(0, 99), came=days_ago)
    def somebody_came_after_all(self, which: int, came: int) -> None:
        self.run(self.came_after_all(self.here[which % len(self.here)], came))

    async def came_after_all(self, one: Household, came: int) -> None:
        await self.post(one, "corrections", {"code": "not_arrived"}, expect=201)
        await self.post(one, "arrival", {})
        one.came = 0
        await self.correct_arrival(one, came)

    @precondition(lambda self: self.here or self.gone)
    @rule(which=st.integers(0, 99), came=days_ago, left=days_ago)
    def somebody_came_and_left_on_other_days(self, which: int, came: int, left: int) -> None:
        everybody = self.here + self.gone
        self.run(self.correct(everybody[which % len(everybody)], came, left))

    async def correct(self, one: Household, came: int, left: int) -> None:
        await self.correct_arrival(one, max(came, one.left or 0))
        if one.left not in (None, min(left, one.came)):
            one.left = min(left, one.came)
            await self.post(
                one, "corrections", {"code": "departed_other_day", "at": ago(one.left)}, expect=201
            )

    async def correct_arrival(self, one: Household, came: int) -> None:
        if came != one.came:
            one.came = came
            await self.post(
                one,
                "corrections",
                {"code": "arrived_other_day", "at": ago(came, hours=1)},
                expect=201,
            )

    async def post(
        self, one: Household, act: str, body: dict[str, Any], *, expect: int = 200
    ) -> None:
        await self.at.hosts[one.provider].post(f"{one.path}/{act}", body, expect=expect)

    @precondition(lambda self: self.gone)
    @rule(which=st.integers(0, 99))
    def somebody_is_erased(self, which: int) -> None:
        one = self.gone.pop(which % len(self.gone))
        self.run(erase(self.country, one.referral_id, folder=self.folder))

    @rule(quarters=st.integers(1, 3))
    def quarters_go_by(self, quarters: int) -> None:
        self.run(self.seal_quarters(quarters))

    async def seal_quarters(self, count: int) -> None:
        for _ in range(count):
            await sealed_as_of(self.country, self.on)
            self.on += dt.timedelta(days=92)

    @invariant()
    def each_arrival_and_departure_has_exactly_one_leaf(self) -> None:
        leaves = [tuple(row) for row in self.run(self.country.rows(ABOUT_STAYS))]
        assert sorted(leaves) == sorted(self.due)

    @invariant()
    def what_all_gave_is_what_was_the_part_of_all(self) -> None:
        given, quota, deficit = self.run(self.shown())
        assert given == quota
        assert deficit == 0

    async def shown(self) -> tuple[int, int, int]:
        await self.country.rows("UPDATE shares SET shown_on = NULL")
        async with self.country.parts.database.transaction(actor=WORKER) as tx:
            then = replace(tx, at=dt.datetime.combine(self.on, dt.time(12), tzinfo=dt.UTC))
            assert await fair_shares.show_balances(then)
        (row,) = await self.country.rows(SUMS)
        return tuple(row)

    async def every_total_is_what_all_openings_come_to(self) -> None:
        # So that a household that is there now runs on past what is read again.
        await self.seal_quarters(3)
        booked = [said for _, _, said in await totals(self.country)]
        assert len({said["quarter"] for said in booked}) == len(booked) > 0
        async with self.country.owner.transaction() as tx:
            key = await keys.read(tx, keys.LEDGER)
            rows = await stay_rows.openings(tx, after=-1, below=10**9, since=0, most=10_000)
            weights = [
                region_weights_of(said)
                for _, said in await stay_rows.weights_leaves(tx, below=10**9)
            ]
        book = StayBook()
        for index, row in rows:
            book.take(index, unseal_opening(key, index, row))
        sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for said in booked:
            assert contradictions(said) == ()
            for code, figures in said["regions"].items():
                sums[code].update(figures)
        account = Account(list(book.stays()), WeightHistory(weights))
        true = nights_by_region(account, dt.date.min, quarter_named(booked[-1]["quarter"]).after)
        assert {code: +one for code, one in sums.items() if +one} == {
            code: +one for code, one in true.items() if +one
        }

    async def every_leaf_is_proven(self) -> None:
        leaves = [
            bytes(row.content)
            for row in await self.country.rows("SELECT content FROM leaves ORDER BY index")
        ]
        size, auditor = len(leaves), await self.country.hashed("auditor", region=THERE)
        async with self.country.parts.database.transaction(actor=WORKER) as tx:
            assert await checkpoints.sign_tree(tx) == 0
        root = bytes(
            await self.country.value("SELECT root FROM checkpoints WHERE size = :size", size=size)
        )
        async with self.country.parts.database.transaction(auditor) as tx:
            for index, leaf in enumerate(leaves):
                proof = await checkpoints.prove_inclusion(tx, leaf=index, size=size)
                assert rfc9162.is_included(leaf, index, size, proof.hashes, root)


def ago(days: int, *, hours: int = 0) -> str:
    """Return a moment some days or hours ago, so that arrivals come first on a day."""
    return (dt.datetime.now(dt.UTC) - dt.timedelta(days=days, hours=hours)).isoformat()


def test_given_equals_received_whatever_happens_in_whatever_order(embedded: Server) -> None:
    machine = type("Here", (Installation,), {"server": embedded})
    few = settings(
        max_examples=4,
        stateful_step_count=12,
        deadline=None,
        database=None,
        phases=[Phase.generate],
    )
    run_state_machine_as_test(machine, settings=few)
