"""What a controller works out from an export.

Own figures against those that were sealed.
"""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import replace
from typing import Any

from app.allocation.ledger.leaves import ParsedLeaf
from app.allocation.ledger.openings import READY_TO_LEAVE, Correction, OpeningContent
from app.allocation.shares.export_checks import Export
from app.allocation.shares.nights import StayBook
from app.allocation.shares.quarters import Quarter
from app.allocation.shares.shares import NIGHT
from app.allocation.shares.totals import Account, booked, content_of, earlier_figures
from app.allocation.shares.weights import WeightHistory, region_weights_of

REGIONS = ("A", "B", "C")
Q1 = Quarter(2026, 1)
OPEN_FROM = dt.date(2026, 7, 17)
WEIGHTS = {"valid_from": "2020-01-01", "source": "a law", "weights": {"A": 1, "B": 1, "C": 2}}
STAY = OpeningContent(
    "arrival", "A", "B", "crisis", dt.date(2026, 2, 3), "safety", "2", ("B", "C"), "h", None
)
OTHER = replace(STAY, origin="C", receiving="A", lawful_regions=("A", "B"), reason="capacity")
READY = replace(
    STAY,
    type="correction",
    arrival=1,
    ready_since=dt.date(2026, 3, 1),
    correction=Correction(1, "coordinator", "B", READY_TO_LEAVE),
)
LATER = {"by": {"role": "worker", "region": None}, "code": "later_facts"}
OPENINGS = {1: STAY, 2: OTHER, 4: READY}


def account(leaves: int) -> Account:
    book = StayBook()
    for index, opening in OPENINGS.items():
        if index < leaves:
            book.take(index, opening)
    return Account(list(book.stays()), WeightHistory([region_weights_of(WEIGHTS)]))


def earlier(*, quarter: Quarter = Q1, leaves: int) -> dict[str, Any]:
    """Return the content of a quarter's totals as the earlier edition sealed them."""
    return {
        "quarter": str(quarter),
        "leaves": leaves,
        "open_from": OPEN_FROM.isoformat(),
        "regions": {
            region: earlier_figures(account(leaves), quarter, region) for region in REGIONS
        },
        "pairs": {"A": {"B": 57}},
        "months": {},
    }


def content(quarter: Quarter, *, leaves: int, late_from: int) -> dict[str, Any]:
    regions = booked(
        quarter, account(leaves), account(late_from), since=dt.date.min, regions=REGIONS
    )
    return content_of(quarter, regions, leaves=leaves, late_from=late_from, open_from=OPEN_FROM)


FIRST = earlier(leaves=3)
ANEW = earlier(leaves=5) | LATER | {"corrects": 3}
NEXT = earlier(quarter=Q1.next, leaves=5)
ONCE = content(Q1, leaves=3, late_from=0)
LATE = content(Q1.next, leaves=5, late_from=3)


def export(*, region: str | None = None, **changed: Any) -> Export:
    """Return an export of the earlier edition, with openings of one region or all."""
    return read(
        ParsedLeaf(0, "weights", None, WEIGHTS),
        ParsedLeaf(1, "arrival", b"", None),
        ParsedLeaf(2, "arrival", b"", None),
        ParsedLeaf(3, "quarter_total", None, changed.get("first", FIRST)),
        ParsedLeaf(4, "correction", b"", None),
        ParsedLeaf(5, "correction", None, changed.get("anew", ANEW)),
        ParsedLeaf(6, "quarter_total", None, changed.get("next", NEXT)),
        ParsedLeaf(7, "policy", None, {"version": "nl-1"}),
        ParsedLeaf(8, "correction", None, {"corrects": 7, "code": "withdrawn"}),
        region=region,
    )


def sealed_once(*more: ParsedLeaf, region: str | None = None, **changed: Any) -> Export:
    """Return an export of quarters that are sealed once, and then some more leaves."""
    return read(
        ParsedLeaf(0, "weights", None, WEIGHTS),
        ParsedLeaf(1, "arrival", b"", None),
        ParsedLeaf(2, "arrival", b"", None),
        ParsedLeaf(3, "quarter_total", None, changed.get("first", ONCE)),
        ParsedLeaf(4, "correction", b"", None),
        ParsedLeaf(5, "quarter_total", None, changed.get("next", LATE)),
        *more,
        region=region,
    )


def read(*leaves: ParsedLeaf, region: str | None) -> Export:
    made = Export()
    for leaf in leaves:
        opening = OPENINGS.get(leaf.index)
        mine = opening is not None and (
            region is None or region in {opening.origin, opening.receiving}
        )
        made.take(leaf, opening if mine else None)
    return made


def faults(made: Export, region: str | None) -> dict[int, tuple[str, ...]]:
    found = {one.total.index: one.faults + one.apart for one in made.check_totals(region)}
    return {index: told for index, told in found.items() if told}


def changed(said: dict[str, Any], region: str, **figures: int) -> dict[str, Any]:
    other = copy.deepcopy(said)
    other["regions"][region] |= figures
    return other


def test_every_region_finds_its_own_figures_digit_for_digit() -> None:
    for region in REGIONS:
        assert faults(export(region=region), region) == {}
    assert faults(export(), None) == {}


def test_totals_are_those_of_each_quarter_the_corrected_one_the_newest() -> None:
    made = export()
    assert {name: total.index for name, total in made.newest().items()} == {
        "2026-Q1": 5,
        "2026-Q2": 6,
    }


def test_the_region_whose_export_it_is_is_in_every_opening() -> None:
    assert export(region="A").regions() == {"A"}
    assert export(region="B").regions() == {"A", "B"}
    assert export(region="X").regions() == frozenset()


def test_own_figures_cannot_be_told_while_own_openings_may_be_shut() -> None:
    first, anew, _ = export(region="B").check_totals("B")
    assert (first.shut, anew.shut) == (1, 1)
    assert first.is_early(OPEN_FROM - dt.timedelta(days=1))
    assert not first.is_early(OPEN_FROM)
    assert not any(one.shut or one.is_early(dt.date.min) for one in export().check_totals(None))


def test_what_is_wrong_in_itself_is_told_apart_from_what_own_openings_come_to() -> None:
    wrong = changed(FIRST, "B", given_safety=58)
    first = next(export(region="B", first=wrong).check_totals("B"))
    assert first.faults == faults(export(first=wrong), None)[3]
    assert first.apart == ("B given_safety: 58 was sealed, its openings come to 57",)


def test_a_figure_that_is_not_what_the_openings_come_to_is_named() -> None:
    quota = FIRST["regions"]["B"]["quota"] + NIGHT
    both = changed(changed(FIRST, "B", given_safety=58, quota=quota), "A", received_safety=58)
    assert faults(export(region="B", first=both), "B") == {
        3: ("B given_safety: 58 was sealed, its openings come to 57",)
    }
    assert faults(export(region="C", first=both), "C") == {}


def test_sums_that_do_not_agree_are_found_by_everybody() -> None:
    wrong = changed(FIRST, "B", given_safety=58)
    assert faults(export(region="C", first=wrong), "C") == {
        3: (
            "given_safety and received_safety do not agree in sum",
            "given_safety and quota do not agree in sum",
        )
    }


def test_a_quota_below_what_the_own_openings_divide_is_found() -> None:
    quota = FIRST["regions"]["C"]["quota"]
    moved = changed(changed(FIRST, "C", quota=quota - 1), "A", quota=1)
    assert faults(export(region="B", first=moved), "B") == {
        3: (f"C quota: {quota - 1} was sealed, the openings of B alone come to {quota}",)
    }


def test_a_region_that_is_missing_from_the_totals_is_found() -> None:
    gone = copy.deepcopy(NEXT)
    del gone["regions"]["C"]
    assert any("C " in fault for fault in faults(export(region="C", next=gone), "C")[6])


def test_totals_that_come_twice_or_correct_another_leaf_are_found() -> None:
    assert faults(export(anew=ANEW | {"corrects": 2}), None) == {
        5: ("it corrects leaf 2, and should correct leaf 3",)
    }
    twice = earlier(leaves=5)
    assert faults(export(next=twice), None) == {
        6: ("it corrects no leaf, and should correct leaf 5",)
    }


# --- quarters that are sealed once ---


def test_what_is_booked_late_comes_to_the_last_digit_from_own_openings_in_every_region() -> None:
    for region in (*REGIONS, None):
        assert faults(sealed_once(region=region), region) == {}
    late = LATE["regions"]["B"]
    assert late["given_safety"] == 0 - (dt.date(2026, 4, 1) - dt.date(2026, 3, 1)).days
    assert late["given_after_ready"] == 31 + 91
    assert late["quota"] < 0


def test_a_quarter_is_not_sealed_anew_nor_left_out_and_books_each_late_fact_once() -> None:
    anew = ParsedLeaf(6, "quarter_total", None, content(Q1.next, leaves=6, late_from=5))
    assert faults(sealed_once(anew), None) == {
        6: ("its quarter is sealed anew, and was sealed by leaf 5",)
    }
    corrected = ParsedLeaf(6, "correction", None, earlier(leaves=5) | LATER | {"corrects": 3})
    assert faults(sealed_once(corrected), None) == {
        6: ("it is sealed by the rules of before, after one that books what became known late",)
    }
    later = content(Q1.next.next, leaves=5, late_from=3)
    assert faults(sealed_once(next=later), None) == {
        5: ("it follows 2026-Q1, and is not the quarter after it",)
    }
    not_late = content(Q1.next, leaves=5, late_from=5)
    assert faults(sealed_once(next=not_late), None) == {
        5: ("it books late facts from leaf 5 on, and should from leaf 3 on",)
    }
    too_early = content(Q1.next, leaves=5, late_from=2)
    assert faults(sealed_once(next=too_early), "B") == {
        5: ("it books late facts from leaf 2 on, and should from leaf 3 on",)
    }
    wrong = changed(LATE, "B", given_after_ready=5)
    assert any(
        "B given_after_ready: 5 was" in one for one in faults(sealed_once(next=wrong), "B")[5]
    )


def test_quarters_that_are_sealed_once_follow_those_of_the_earlier_edition() -> None:
    after = content(Q1.next.next, leaves=7, late_from=5)
    made = export()
    made.take(ParsedLeaf(9, "quarter_total", None, after), None)
    assert faults(made, "B") == {}


def test_all_quotas_together_are_no_less_than_what_own_openings_divide() -> None:
    quota = ONCE["regions"]["C"]["quota"]
    moved = changed(changed(ONCE, "C", quota=quota - 1), "A", quota=1)
    both = quota + LATE["regions"]["C"]["quota"]
    assert faults(sealed_once(region="B", first=moved), "B") == {
        3: (f"C quota: {quota - 1} was sealed, the openings of B alone come to {quota}",),
        5: (f"C quota: {both - 1} was sealed, the openings of B alone come to {both}",),
    }
