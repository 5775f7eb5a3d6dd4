"""Given equals received in sum, always, and what quarters book comes to what is true.

Households come and go in any order, what was said of them is corrected, before and after quarters
are sealed, and nothing sealed ever changes.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.allocation.ledger.leaves import ParsedLeaf
from app.allocation.ledger.openings import NOT_ARRIVED, READY_TO_LEAVE, Correction, OpeningContent
from app.allocation.policy.documents import canonical_json
from app.allocation.shares.changed_nights import first_changed_day
from app.allocation.shares.export_checks import Export
from app.allocation.shares.fairness import contradictions, fair_shares
from app.allocation.shares.nights import LedgerStay, StayBook
from app.allocation.shares.quarters import (
    Quarter,
    last_closed_quarter,
    quarter_named,
    quarter_of,
    quarters_between,
)
from app.allocation.shares.settlement import (
    Amount,
    DatedOpening,
    Flow,
    QuarterSeal,
    SettledLine,
    settled_lines,
)
from app.allocation.shares.totals import OWN, Account, booked, content_of, nights_by_region
from app.allocation.shares.weights import RegionWeights, WeightHistory
from tests.rounds import rounds

if TYPE_CHECKING:
    from collections.abc import Iterable

REGIONS = ("A", "B", "C", "D")
DAY = dt.timedelta(days=1)
EVEN = WeightHistory([RegionWeights(dt.date(2020, 1, 1), dict.fromkeys(REGIONS, 1))])


def content(*stays: LedgerStay, quarter: Quarter, weights: WeightHistory = EVEN) -> dict[str, Any]:
    account = Account(stays, weights)
    regions = booked(quarter, account, account, since=quarter.first, regions=REGIONS)
    return content_of(quarter, regions, leaves=9, late_from=9, open_from=dt.date(2026, 7, 3))


GRACE_DAYS, DELAY = 14, dt.timedelta(days=92)
NOTHING_SEALED = QuarterSeal(Quarter(2025, 1), 0, dt.datetime.min.replace(tzinfo=dt.UTC))
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
        self.weights_from = [-1]
        """The leaf before which each of these became known."""
        self.written_on: list[dt.date] = []
        self.totals: list[tuple[int, dict[str, Any]]] = []
        """What was sealed, each with how many leaves about stays came before it."""
        self.seals = [NOTHING_SEALED]
        self.settled: list[SettledLine] = []

    def write(self, opening: OpeningContent) -> int:
        self.leaves.append(opening)
        self.written_on.append(self.today)
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
        self.weights_from.append(len(self.leaves))

    @rule(days=st.integers(0, 120))
    def quarters_are_sealed(self, days: int) -> None:
        self.today += days * DAY
        sealed = self.seals[-1].leaves if self.totals else 0
        now, before = self.account(len(self.leaves)), self.account(sealed)
        first = min([Quarter(2025, 4), *(quarter_of(stay.arrived_on) for stay in now.stays)])
        if self.totals:
            first = self.seals[-1].quarter.next
        for quarter in quarters_between(first, last_closed_quarter(self.today, days=GRACE_DAYS)):
            since = min(quarter.first, self.first_changed_day(sealed) or quarter.first)
            since = quarter_of(since).first if sealed else dt.date.min
            regions = booked(quarter, now, before, since=since, regions=REGIONS)
            assert regions == booked(quarter, now, before, since=dt.date.min, regions=REGIONS)
            said = content_of(
                quarter,
                regions,
                leaves=len(self.leaves),
                late_from=sealed,
                open_from=self.today + DELAY,
            )
            self.totals.append((len(self.leaves), said))
            at = dt.datetime.combine(self.today, dt.time(12), tzinfo=dt.UTC)
            self.seals.append(QuarterSeal(quarter, len(self.leaves), at))
            self.settled += settled_lines(self.dated(), self.seals[-2:])
            sealed, before = len(self.leaves), now

    def first_changed_day(self, sealed: int) -> dt.date | None:
        arrivals = [
            index if one.arrival is None else one.arrival for index, one in enumerate(self.leaves)
        ]
        changed = set(arrivals[sealed:])
        told = [
            (index, arrival, self.leaves[index])
            for index, arrival in enumerate(arrivals)
            if arrival in changed
        ]
        weights = zip(self.weights_from, self.weights, strict=True)
        return first_changed_day(told, weights, since=sealed)

    def account(self, leaves: int) -> Account:
        book = StayBook()
        for index, opening in enumerate(self.leaves[:leaves]):
            book.take(index, opening)
        known = zip(self.weights_from, self.weights, strict=True)
        return Account(
            list(book.stays()), WeightHistory(one for index, one in known if index < leaves)
        )

    def dated(self) -> list[DatedOpening]:
        ends = {
            one.arrival: index for index, one in enumerate(self.leaves) if one.type == "departure"
        }
        return [
            DatedOpening(
                index,
                dt.datetime.combine(written, dt.time(9), tzinfo=dt.UTC)
                + (dt.timedelta() if one.type == "departure" else DELAY),
                ends.get(index if one.arrival is None else one.arrival),
                one,
            )
            for index, (one, written) in enumerate(zip(self.leaves, self.written_on, strict=True))
        ]

    def export(self, region: str) -> Export:
        """Return what a region's auditors have once all openings are due."""
        made = Export()
        for index, one in zip(self.weights_from, self.weights, strict=True):
            said = {"valid_from": one.valid_from.isoformat(), "weights": dict(one.weights)}
            made.take(ParsedLeaf(index, "weights", None, said), None)
        for index, opening in enumerate(self.leaves):
            if region in {opening.origin, opening.receiving}:
                made.take(ParsedLeaf(index, opening.type, b"", None), opening)
        for leaves, said in self.totals:
            made.take(ParsedLeaf(leaves, "quarter_total", None, said), None)
        return made

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
        assert total == nights_of(stays, end)

    @invariant()
    def what_quarters_booked_is_what_was_true_when_the_last_was_sealed(self) -> None:
        sums = {region: Counter[str]() for region in REGIONS}
        for leaves, said in self.totals:
            assert contradictions(said) == ()
            for region, figures in said["regions"].items():
                sums[region].update(figures)
            after = quarter_named(said["quarter"]).after
            true = nights_by_region(self.account(leaves), dt.date.min, after, regions=REGIONS)
            assert {region: +one for region, one in sums.items()} == {
                region: +one for region, one in true.items()
            }

    @invariant()
    def what_was_settled_never_changes_and_comes_to_what_is_due(self) -> None:
        openings = self.dated()
        assert list(settled_lines(openings, self.seals)) == self.settled
        sums = defaultdict[Flow, Amount](Amount)
        for line in self.settled:
            sums[line.flow].add(line.amount)
        due = [one for one in openings if one.is_due(self.seals[-1])]
        book = StayBook()
        for one in due:
            book.take(one.leaf, one.content)
        nights = sum(amount.nights + amount.after_ready for amount in sums.values())
        assert nights == nights_of(book.stays(), self.seals[-1].quarter.after)

    def teardown(self) -> None:
        """Have each region check everything that was sealed against what it may read."""
        for region in REGIONS:
            checks = self.export(region).check_totals(region)
            assert [one for one in checks if one.faults or one.apart] == []


def nights_of(stays: Iterable[LedgerStay], before: dt.date) -> int:
    """Return how many nights some stays have before a day."""
    return sum(
        max(0, (min(before, stay.departed_on or before) - stay.arrived_on).days) for stay in stays
    )


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=rounds(25, soak=200), stateful_step_count=25, deadline=None
)
