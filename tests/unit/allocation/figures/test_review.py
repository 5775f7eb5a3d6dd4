"""Whom the weekly review names: few, the most unlike, and nobody less for doing more."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.allocation.figures.review import (
    MOST,
    SIGNALS,
    AccountWeek,
    ReviewFact,
    ReviewFinding,
    unlike_accounts,
)
from app.allocation.policy.policy import ReviewLimits
from app.reference import load
from app.words.access_review import FACTS, fact_text

LIMITS = ReviewLimits()


def account(name: str, desk: str | None = "linde", /, **counts: int) -> AccountWeek:
    return AccountWeek(name, desk, counts)


def named(*week: AccountWeek, limits: ReviewLimits = LIMITS) -> list[str]:
    return [one.account_id for one in unlike_accounts(week, limits)]


def test_every_signal_has_words_in_every_language() -> None:
    assert set(FACTS) == set(SIGNALS)
    for signal in SIGNALS:
        for language in load().country.languages:
            for count in (1, 27):
                text = fact_text(signal, count=count, usual=14, language=language)
                assert (str(count) in text, "14" in text, text[-1]) == (True, True, ".")


@pytest.mark.parametrize("signal", SIGNALS)
def test_an_account_is_named_from_the_floor_on_and_not_below(signal: str) -> None:
    limits = ReviewLimits(floor=10 * SIGNALS[signal])
    others = [account(name) for name in "bcd"]

    assert named(account("a", **{signal: 9}), *others, limits=limits) == []
    assert unlike_accounts([account("a", **{signal: 10}), *others], limits) == (
        ReviewFinding("a", "linde", limits.floor, (ReviewFact(signal, 10, 0),)),
    )


def test_what_is_usual_at_a_busy_desk_names_nobody_there() -> None:
    busy = [account(name, rankings=40) for name in "abcd"]
    quiet = [account(name, str(number), rankings=1) for number, name in enumerate("e" * 20)]

    assert named(*busy, *quiet) == []
    assert named(*busy[:3], account("d", rankings=150), *quiet) == ["d"]
    assert unlike_accounts([*busy[:3], account("d", rankings=150), *quiet], LIMITS)[0].facts == (
        ReviewFact("rankings", 150, 40),
    )


def test_what_is_usual_in_the_country_names_nobody_in_it() -> None:
    country = [account(name, name, rankings=30) for name in "abcdef"]

    assert named(*country) == []


def test_a_desk_of_one_or_two_is_compared_with_the_country() -> None:
    country = [account(name, name, rankings=2) for name in "cdefgh"]
    one, two = account("a", rankings=46), account("b", rankings=47)

    assert named(one, *country) == ["a"]
    assert named(one, two, *country) == ["b", "a"]
    assert named(one) == ["a"]


def test_two_who_act_together_at_a_desk_of_three_do_not_hide_each_other() -> None:
    country = [account(name, name) for name in "defghijk"]

    assert named(account("a", rankings=90), account("b", rankings=90), account("c"), *country) == [
        "a",
        "b",
    ]


def test_an_administrator_is_compared_with_desks_and_is_nobodys_measure() -> None:
    chiefs = [account(name, None, budget_raises=9) for name in "ab"]

    assert named(*chiefs, account("c"), account("d")) == ["a", "b"]


def test_several_small_things_make_one_finding_and_what_is_usual_is_no_fact_of_it() -> None:
    others = [account(name, streams=20, takeovers=1) for name in "bcde"]
    found = unlike_accounts(
        [account("a", rankings=18, acceptances=4, streams=60, takeovers=3), *others], LIMITS
    )

    assert found == (
        ReviewFinding(
            "a", "linde", 300, (ReviewFact("rankings", 18, 0), ReviewFact("acceptances", 4, 0))
        ),
    )


def test_at_most_ten_are_named_the_most_unlike_first_then_by_account() -> None:
    week = [account(f"{number:02}", str(number), reveals=7 + number % 7) for number in range(40)]
    week += [account(f"quiet {number}") for number in range(200)]

    found = named(*week)

    assert len(found) == MOST
    assert (
        found
        == sorted(
            (one.account_id for one in week if one.account_id.isdecimal()),
            key=lambda name: (-(int(name) % 7), name),
        )[:MOST]
    )
    assert found == named(*week[::-1])


COUNTS = st.dictionaries(st.sampled_from(sorted(SIGNALS)), st.integers(0, 60))
WEEKS = st.lists(
    st.builds(
        AccountWeek,
        account_id=st.just(""),
        desk=st.sampled_from(["a", "b", "c", None]),
        counts=COUNTS,
    ),
    min_size=1,
    max_size=20,
).map(lambda week: [replace(one, account_id=f"{number:02}") for number, one in enumerate(week)])


@given(week=WEEKS, at=st.integers(0, 19), more=COUNTS)
def test_no_act_of_an_account_makes_it_less_named(
    week: list[AccountWeek], at: int, more: dict[str, int]
) -> None:
    """Whatever one does besides, its place among the named gets no lower, nor do its points."""
    one = week[at % len(week)]
    busier = replace(
        one,
        counts={name: one.counts.get(name, 0) + more.get(name, 0) for name in SIGNALS},
    )
    after = [busier if other is one else other for other in week]

    before_found, found = unlike_accounts(week, LIMITS), unlike_accounts(after, LIMITS)

    places = {finding.account_id: place for place, finding in enumerate(found)}
    for place, finding in enumerate(before_found):
        if finding.account_id == one.account_id:
            assert places[one.account_id] <= place
            assert found[places[one.account_id]].points >= finding.points


@given(week=WEEKS)
def test_few_are_named_each_with_facts_that_are_beyond_what_is_usual(
    week: list[AccountWeek],
) -> None:
    found = unlike_accounts(week, LIMITS)

    assert len(found) <= MOST
    for finding in found:
        assert finding.points >= LIMITS.floor
        assert finding.points == sum(
            SIGNALS[fact.signal] * (fact.count - LIMITS.factor * fact.usual)
            for fact in finding.facts
        )
        assert all(fact.count > LIMITS.factor * fact.usual for fact in finding.facts)
