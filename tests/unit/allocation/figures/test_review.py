"""What in the access log should be asked about."""

import pytest

from app.allocation.figures.review import CODES, AccountActivity, findings, odd_hours, thresholds
from app.allocation.policy.policy import ReviewThresholds
from app.reference import load
from app.words.access_review import FINDINGS, finding_text

REVIEW = ReviewThresholds(
    rankings_without_hold=2, zone_changes=3, reveals=4, same_referral=5, odd_hour_looks=6,
    odd_from_hour=1, odd_until_hour=5, budget_raises=7,
)  # fmt: skip
THRESHOLDS = {
    "rankings_without_hold": 2, "zone_changes": 3, "reveals": 4, "same_referral": 5, "odd_hours": 6,
    "budget_raises": 7,
}  # fmt: skip


def tally(
    account: str = "a", *, roles: tuple[str, ...] = ("intake_worker",), **counts: int
) -> AccountActivity:
    return AccountActivity(account, "linde", roles, counts)


def test_every_code_has_a_threshold_and_words_in_every_language() -> None:
    assert thresholds(REVIEW) == THRESHOLDS
    assert set(thresholds(REVIEW)) == set(CODES) == set(FINDINGS)
    for code in CODES:
        for language in load().country.languages:
            text = finding_text(code, count=27, language=language)
            assert "27" in text
            assert text.endswith(".")


@pytest.mark.parametrize("code", CODES)
def test_a_count_is_found_from_its_threshold_on_and_not_below(code: str) -> None:
    below, reached, above = (
        AccountActivity("a", "linde", ("intake_worker",), {code: THRESHOLDS[code] + more})
        for more in (-1, 0, 1)
    )

    assert findings([below], REVIEW) == ()
    for one in (reached, above):
        found = findings([one], REVIEW)
        assert [(each.code, each.count, each.threshold) for each in found] == [
            (code, one.counts[code], THRESHOLDS[code])
        ]


def test_a_finding_says_who_it_was_and_for_whom_they_work() -> None:
    found = findings([tally("b", roles=("coordinator", "intake_worker"), reveals=4)], REVIEW)[0]

    assert (found.account_id, found.provider_id, found.roles) == (
        "b",
        "linde",
        ("coordinator", "intake_worker"),
    )


def test_what_an_account_did_not_do_is_not_found() -> None:
    assert findings([tally()], REVIEW) == ()
    assert findings([], REVIEW) == ()


def test_findings_come_by_code_the_most_first_then_by_account_whatever_the_order_given() -> None:
    tallies = [
        tally("c", reveals=9, zone_changes=3),
        tally("b", reveals=4),
        tally("a", reveals=4, odd_hours=6),
    ]
    expected = [
        ("zone_changes", "c", 3), ("reveals", "c", 9), ("reveals", "a", 4), ("reveals", "b", 4), ("odd_hours", "a", 6),
    ]  # fmt: skip

    for given in (tallies, tallies[::-1]):
        assert [
            (one.code, one.account_id, one.count) for one in findings(given, REVIEW)
        ] == expected


def test_no_hour_is_odd_for_a_machine_but_for_whoever_is_a_person_as_well() -> None:
    machine = tally(roles=("client_system",), odd_hours=99, reveals=99)
    both = tally(roles=("client_system", "coordinator"), odd_hours=99)

    assert [one.code for one in findings([machine], REVIEW)] == ["reveals"]
    assert [one.code for one in findings([both], REVIEW)] == ["odd_hours"]


@pytest.mark.parametrize(
    "begin, end, hours",
    [
        (1, 5, (1, 2, 3, 4)),
        (22, 3, (22, 23, 0, 1, 2)),
        (23, 0, (23,)),
        (0, 23, tuple(range(23))),
        (0, 0, ()),
        (13, 13, ()),
    ],
)
def test_odd_hours_may_pass_midnight_and_none_are_from_an_hour_to_itself(
    begin: int, end: int, hours: tuple[int, ...]
) -> None:
    assert odd_hours(ReviewThresholds(odd_from_hour=begin, odd_until_hour=end)) == hours
