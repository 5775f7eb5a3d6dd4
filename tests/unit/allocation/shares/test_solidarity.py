"""Given equals received in sum, always.

Households come and go in any order, and what was said of them is corrected.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.allocation.ledger.openings import NOT_ARRIVED, READY_TO_LEAVE, Correction, OpeningContent
from app.allocation.policy.documents import canonical_json
from app.allocation.shares.fairness import contradictions, fair_shares
from app.allocation.shares.nights import LedgerStay, StayBook
from app.allocation.shares.quarters import Quarter, quarter_of, quarters_between
from app.allocation.shares.totals import OWN, content_of, totals_of
from app.allocation.shares.weights import RegionWeights, WeightHistory
from tests.rounds import rounds

REGIONS = ("A", "B", "C", "D")
DAY = dt.timedelta(days=1)
EVEN = WeightHistory([RegionWeights(dt.date(2020, 1, 1), dict.fromkeys(REGIONS, 1))])


def content(*stays: LedgerStay, quarter: Quarter, weights: WeightHistory = EVEN) -> dict[str, Any]:
    totals = totals_of(quarter, stays, weights=weights, regions=REGIONS)
    return content_of(quarter, totals, leaves=9, open_from=dt.date(2026, 7, 3))


PEOPLE = ("1", "2", "3-4", "5+")


class Ledger(RuleBasedStateMachine):
    """Households come, are ready, move on and leave in any order; days pass.

    What was said is corrected.
    """

    def __init__(self) -> None:
        super().__init__()
        self.today = dt.date(2026, 1, 20)
        self.leaves: list[OpeningContent] = []
        self.here: dict[int, OpeningContent] = {}
        """Who is there, by the arrival's leaf, as it should be said now."""
        self.weights = [RegionWeights(dt.date(2020, 1, 1), {"A": 3, "B": 2, "C": 7})]

    def write(self, opening: OpeningContent) -> int:
        self.leaves.append(opening)
        return len(self.leaves) - 1

    @rule(days=st.integers(1, 50))
    def time_passes(self, days: int) -> None:
        self.today += days * DAY

    @rule(
        regions=st.permutations(REGIONS),
        reason=st.sampled_from(("safety", "safety", "capacity", "follow_on", "return")),
        persons=st.sampled_from(PEOPLE),
        more=st.sets(st.sampled_from(REGIONS)),
        listed=st.booleans(),
    )
    def somebody_arrives(
        self, regions: list[str], reason: str, persons: str, more: set[str], *, listed: bool
    ) -> None:
        lawful = tuple(sorted(more | {regions[1]})) if listed else ()
        opening = OpeningContent(
            "arrival",
            regions[0],
            regions[1],
            "crisis",
            self.today,
            reason,
            persons,
            lawful,
            "h",
            None,
        )
        self.here[self.write(opening)] = opening

    @precondition(lambda self: self.here)
    @rule(which=st.integers(0, 99), days=st.integers(0, 9), moves=st.booleans())
    def somebody_leaves(self, which: int, days: int, *, moves: bool) -> None:
        arrival = sorted(self.here)[which % len(self.here)]
        said = self.here.pop(arrival)
        left = max(said.date, self.today - days * DAY)
        self.write(replace(said, type="departure", arrival=arrival, date=left))
        if moves:  # to another provider, in the same stay: leaves of its own
            onward = replace(
                said,
                receiving=next(one for one in REGIONS if one not in (said.origin, said.receiving)),
            )
            self.here[self.write(replace(onward, date=left))] = replace(onward, date=left)

    @precondition(lambda self: self.here)
    @rule(which=st.integers(0, 99), days=st.none() | st.integers(0, 30))
    def somebody_is_ready_or_not_any_more(self, which: int, days: int | None) -> None:
        arrival = sorted(self.here)[which % len(self.here)]
        since = None if days is None else self.today - days * DAY
        self.here[arrival] = self.correct(
            replace(self.here[arrival], ready_since=since), arrival, READY_TO_LEAVE
        )

    @precondition(lambda self: self.leaves)
    @rule(which=st.integers(0, 999), days=st.integers(-40, 5), never=st.booleans())
    def what_was_said_is_corrected(self, which: int, days: int, *, never: bool) -> None:
        leaf = which % len(self.leaves)
        said = self.leaves[leaf]
        if said.type != "correction":
            arrival = leaf if said.arrival is None else said.arrival
            code = NOT_ARRIVED if never else "another_day"
            self.correct(replace(said, date=said.date + days * DAY), leaf, code, arrival=arrival)

    def correct(
        self, said: OpeningContent, leaf: int, code: str, *, arrival: int | None = None
    ) -> OpeningContent:
        by = Correction(leaf, "coordinator", said.receiving, code)
        self.write(
            replace(
                said, type="correction", arrival=leaf if arrival is None else arrival, correction=by
            )
        )
        return said

    @rule(days=st.integers(-60, 60), region=st.sampled_from(REGIONS), weight=st.integers(0, 9))
    def weights_change(self, days: int, region: str, weight: int) -> None:
        self.weights.append(RegionWeights(self.today + days * DAY, {region: weight}))

    def stays(self, region: str | None = None) -> list[LedgerStay]:
        book = StayBook()
        for index, opening in enumerate(self.leaves):
            if region is None or region in {opening.origin, opening.receiving}:
                book.take(index, opening)
        return list(book.stays())

    @invariant()
    def given_equals_received_in_sum_and_is_divided_to_the_last_millionth(self) -> None:
        stays, weights = self.stays(), WeightHistory(self.weights)
        for quarter in quarters_between(Quarter(2025, 4), quarter_of(self.today)):
            said = content(*stays, weights=weights, quarter=quarter)
            assert contradictions(said) == ()
            canonical_json(said)

    @invariant()
    def credits_and_capacity_debts_come_to_nothing_together(self) -> None:
        weights = WeightHistory(self.weights)
        quarters = quarters_between(Quarter(2025, 4), quarter_of(self.today))
        shares = fair_shares(
            content(*self.stays(), weights=weights, quarter=quarter) for quarter in quarters
        )
        assert sum(share.credit for share in shares.regions) == 0
        owed = sum(
            share.figures["received_capacity"] - share.figures["given_capacity"]
            for share in shares.regions
        )
        assert owed == 0

    @invariant()
    def a_region_works_out_its_own_figures_from_the_openings_that_it_may_read(self) -> None:
        quarter = quarter_of(self.today)
        national = content(*self.stays(), quarter=quarter)["regions"]
        for region in REGIONS:
            own = content(*self.stays(region), quarter=quarter)["regions"][region]
            assert [own[name] for name in OWN] == [national[region][name] for name in OWN]

    @invariant()
    def nights_of_all_quarters_are_the_nights_of_all_stays(self) -> None:
        quarters = quarters_between(Quarter(2025, 3), quarter_of(self.today))
        stays = self.stays()
        total = 0
        for quarter in quarters:
            figures = content(*stays, quarter=quarter)["regions"].values()
            total += sum(
                one[f"given_{what}"]
                for one in figures
                for what in ("safety", "capacity", "after_ready")
            )
        end = quarters[-1].after
        assert total == sum(
            max(0, ((stay.departed_on or end) - stay.arrived_on).days) for stay in stays
        )


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=rounds(6, soak=100), stateful_step_count=25, deadline=None
)
