"""Of honest accounts in a country that is nearly full, the weekly review names hardly any.

The demo country is lived through with the real ranking while hardly a place is free. Those of its
households that were shown an offer are given to thirty accounts of 24 desks. What a simulation does
not say is drawn, and rather too often than too seldom: workers who rank again and try another town,
households that go nowhere after all, looks, raises, hand-overs, pages that are opened again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from statistics import mean
from typing import TYPE_CHECKING

from app.allocation.figures.review import AccountWeek, ReviewFinding, unlike_accounts
from app.allocation.policy.policy import ReviewLimits, parse_policy
from app.reference import load, policy_document
from app.simulation.assumptions import DAY
from app.simulation.choosers import ChosenOffer, choose_best
from app.simulation.diary import Diary
from app.simulation.ways import Scene, scene
from app.simulation.year import Way, Year

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.allocation.values import Ranking
    from app.simulation.arrivals import SimulatedArrival
    from app.simulation.world import World

ACCOUNTS, DESKS = 30, 24
WEEKS, WEEK_DAYS = 4, 7
DRAWS = 50
"""How often the same four weeks are given to accounts."""
STAYS = 0.52
"""Which part of those who have a place at the start keep it: so it stays about 95% full."""
GOES_NOWHERE = 0.25
"""The chance that a household which was shown an offer does not go after all. Assumed."""
COLLEAGUE = 0.5
"""The chance that a colleague works on a case as well, where there is one. Assumed."""
RANKS = (1, 2, 2, 3, 4, 8)
"""How often a worker asks for a case. Assumed."""
OTHER_TOWN = 0.3
"""The chance that the worker changes an anchor or a zone before asking again. Assumed."""


@dataclass(frozen=True)
class Case:
    """A household that was shown an offer: in which week, and whether it came to live there."""

    week: int
    placed: bool


class Shown:
    """A way to choose the best offer that keeps on which day each household was shown one."""

    def __init__(self) -> None:
        self.day = 0
        self.days: dict[int, int] = {}

    def choose(
        self, ranking: Ranking, arrival: SimulatedArrival, world: World
    ) -> ChosenOffer | None:
        """Choose the first offer."""
        if ranking.offers:
            self.days.setdefault(arrival.number, self.day)
        return choose_best(ranking, arrival, world)


def full_country(seed: int) -> Scene:
    """Return the demo country, in which about half of those who have a place keep it."""
    policy = parse_policy(policy_document())
    years = scene(load(), policy, seed=seed, days=WEEKS * WEEK_DAYS)
    luck = Random(seed)
    taken = [
        replace(one, until=10**9) if luck.random() < STAYS else one for one in years.world.taken
    ]
    return replace(years, world=replace(years.world, taken=tuple(taken)))


@cache
def lived_through(seed: int = 1) -> tuple[list[Case], float]:
    """Return the households that were shown an offer, and how full it was on average."""
    years, shown = full_country(seed), Shown()
    policy = parse_policy(policy_document())
    diary = Diary(answer_minutes=policy.answer_minutes)
    places = sum(group.places for group in years.world.register.groups)
    in_use: list[int] = []

    def pass_midnight() -> None:
        shown.day += 1
        before = shown.day * DAY
        others = sum(taken.until > before for taken in years.world.taken)
        stays = [stay for page in diary.pages.values() for stay in page.stays]
        in_use.append(others + sum(stay.left is None for stay in stays))

    way = Way("Plek", policy, shown.choose)
    Year(years.world, way, progress=pass_midnight, diary=diary).run(years.arrivals, days=years.days)
    cases = [
        Case(
            day // WEEK_DAYS,
            number in diary.pages
            and any(stay.came < (day + WEEK_DAYS) * DAY for stay in diary.pages[number].stays),
        )
        for number, day in shown.days.items()
    ]
    return cases, mean(in_use) / places


class HonestWeek:
    """A week of honest work, given to accounts."""

    def __init__(self, luck: Random) -> None:
        self._luck = luck
        self._desk_of = [number % DESKS for number in range(ACCOUNTS)]
        # A few desks are four times as busy as others.
        self._busy = [1 + 3 * luck.random() ** 2 for _ in range(ACCOUNTS)]
        self._counts: defaultdict[int, Counter[str]] = defaultdict(Counter)

    def work(self, case: Case) -> None:
        """Let an account look for a place for a household, and another receive it."""
        luck = self._luck
        sender, receiver = luck.choices(range(ACCOUNTS), weights=self._busy, k=2)
        goes = case.placed and luck.random() >= GOES_NOWHERE
        if luck.random() < 0.3 and not goes:
            self._counts[receiver]["danger_looks"] += 1
        if goes:
            return
        self._counts[receiver]["acceptances"] += case.placed
        self._counts[sender]["reveals"] += case.placed and luck.random() < 0.2
        alone = self._desk_of.count(self._desk_of[sender]) == 1
        if alone or luck.random() >= COLLEAGUE:
            ranks = luck.choice(RANKS)
            self._counts[sender]["rankings"] += ranks
            self._counts[sender]["moved_rankings"] += sum(
                luck.random() < OTHER_TOWN for _ in range(ranks)
            )

    def accounts(self) -> Iterator[AccountWeek]:
        """Yield what each account did, with what has nothing to do with single cases."""
        for number, desk in enumerate(self._desk_of):
            luck = self._luck
            self._counts[number] += Counter(
                streams=luck.randint(5, 40),
                budget_raises=luck.random() < 0.1,
                takeovers=luck.randint(0, 4),
                own_addresses=luck.randint(0, 3),
            )
            yield AccountWeek(str(number), str(desk), self._counts[number])


def reviewed_weeks() -> Iterator[tuple[ReviewFinding, ...]]:
    """Yield whom the review names in each week of each draw."""
    cases, _ = lived_through()
    for draw in range(DRAWS):
        luck = Random(draw)
        for number in range(WEEKS):
            week = HonestWeek(luck)
            for case in cases:
                if case.week == number:
                    week.work(case)
            yield unlike_accounts([*week.accounts()], ReviewLimits())


def test_of_thirty_honest_accounts_in_a_full_country_at_most_one_is_named() -> None:
    cases, full = lived_through()
    assert 0.94 < full < 0.97
    assert len(cases) > 50 * WEEKS

    named = [len(found) for found in reviewed_weeks()]

    assert max(named) <= 1
    assert sum(named) <= len(named) // 20


def test_who_attacks_beside_them_is_named_and_they_are_not() -> None:
    cases, _ = lived_through()
    attacks = {
        "watches": Counter(rankings=60),
        "finds towns": Counter(rankings=41, moved_rankings=41),
        "fishes": Counter(rankings=20, reveals=10),
        "lures": Counter(danger_looks=8, acceptances=8),
        "raises": Counter(budget_raises=8),
    }
    for draw in range(DRAWS):
        week = HonestWeek(Random(draw))
        for case in cases:
            if case.week == 0:
                week.work(case)
        others = [*week.accounts()]
        beside = [AccountWeek(name, name, counts) for name, counts in attacks.items()]
        found = [one.account_id for one in unlike_accounts([*beside, *others], ReviewLimits())]
        assert set(attacks) <= set(found)
        assert len(found) <= len(attacks) + 1
