"""The policy's document.

What is in it, and that every fault in another one is named.
"""

from __future__ import annotations

import datetime as dt
import json
from copy import deepcopy
from importlib.resources import files
from typing import Any

import pytest

from app.allocation.policy.documents import document_of
from app.allocation.policy.policy import PolicyFaults, parse_policy, policy_hash
from tests.unit.allocation.cases import POLICY_DOCUMENT

EACH_ONCE = "must be of ['urgency', 'threat', 'children', 'time'], each at most once"
DAY_OR_MOMENT = "must be a day, as 2026-01-31, or a moment, as 2026-01-31T12:00:00+00:00"


def changed(pointer: str, value: object) -> dict[str, Any]:
    document = deepcopy(POLICY_DOCUMENT)
    *path, last = pointer.strip("/").split("/")
    part: Any = document
    for step in path:
        part = part[int(step) if isinstance(part, list) else step]
    part[int(last) if isinstance(part, list) else last] = value
    return document


def faults_of(document: object) -> dict[str, str]:
    with pytest.raises(PolicyFaults) as raised:
        parse_policy(document)
    return {fault.pointer: fault.message for fault in raised.value.faults}


def test_the_country_policy_says_what_the_design_asks_for() -> None:
    document = json.loads(
        files("app.reference").joinpath("nl/policy.json").read_text(encoding="utf-8")
    )

    policy = parse_policy(document)

    assert policy.valid_from == dt.date(2026, 1, 1)
    assert policy.radii_km == (5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80, 100, 120, 125, 150, 200)
    assert (
        policy.unassessed_radius_km,
        policy.emergency_nights,
        policy.occupancy_norm_permille,
    ) == (50, 3, 850)
    assert (
        policy.answer_minutes,
        policy.hold_minutes,
        policy.renewals,
        policy.ranking_minutes,
    ) == (15, 120, 2, 15)
    assert policy.points.fit.kinds["acute"]["crisis"] > policy.points.fit.kinds["acute"]["regular"]


def test_a_policy_begins_with_a_day_or_at_a_moment() -> None:
    moment = dt.datetime(2026, 3, 1, 18, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))

    assert parse_policy(changed("/valid_from", "2026-03-01")).valid_from == dt.date(2026, 3, 1)
    assert parse_policy(changed("/valid_from", "2026-03-01T18:30:00+01:00")).valid_from == moment
    assert (
        document_of(parse_policy(changed("/valid_from", moment.isoformat())))["valid_from"]
        == moment.isoformat()
    )


@pytest.mark.parametrize(
    "pointer, value, message",
    [
        ("/version", "", "must have the form [A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
        ("/version", "two words", "must have the form [A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
        ("/version", 1, "must be a text"),
        ("/valid_from", "soon", DAY_OR_MOMENT),
        ("/valid_from", 20260101, DAY_OR_MOMENT),
        ("/valid_from", "2026-01-31T12:00:00", DAY_OR_MOMENT),
        ("/valid_from", "1999-12-31", "must lie in the years 2000 to 2100"),
        ("/valid_from", "9999-12-31T23:59:59-12:00", "must lie in the years 2000 to 2100"),
        ("/bands", ["freshness", "safety"], "must be ['safety'] or ['safety', 'freshness']"),
        ("/bands", "safety", "must be an array"),
        ("/radii_km", [], "must ascend, and not be empty"),
        ("/radii_km", [50, 20], "must ascend, and not be empty"),
        ("/radii_km/0", "5", "must be a whole number"),
        ("/radii_km/0", -5, "must be from 0 to 500"),
        ("/hold_minutes", 0, "must be from 1 to 10080"),
        ("/hold_minutes", 2.5, "must be a whole number"),
        ("/hold_minutes", True, "must be a whole number"),
        ("/hold_minutes", None, "must be a whole number"),
        ("/unassessed_radius_km", 51, "must be one of radii_km"),
        ("/school_until_age", 3, "must not be below school_from_age"),
        ("/session_idle_minutes", 4, "must not be below blank_minutes"),
        ("/points", [], "must be an object"),
        ("/points/nearness/reach_km", 7, "must be from 5 to 1000 and a multiple of 5"),
        (
            "/points/fit/kinds/acute",
            {"crisis": 1},
            "must have points for ['crisis', 'emergency', 'regular']",
        ),
        ("/points/fit/kinds/someday", {"crisis": 1}, "must have points for []"),
        ("/points/fit/kinds/acute/crisis", 1001, "must be from 0 to 1000"),
        ("/points/fit/kinds", ["acute"], "must be an object"),
        ("/points/fit/scarce_features/0", "Not a code", "must have the form [a-z][a-z0-9_]{0,63}"),
        (
            "/points/solidarity/own_region",
            241,
            "must be at most 240, the most points of this factor",
        ),
        ("/points/solidarity/at_quota", 241, "must be at most 240, the most points of this factor"),
        (
            "/points/continuity/later_moves",
            {"crisis": 1},
            "must name ['crisis', 'emergency', 'move_on', 'regular']",
        ),
        ("/waiting_order", ["urgency", "luck"], EACH_ONCE),
        ("/waiting_order", ["time", "time"], EACH_ONCE),
        ("/waiting_order", [], EACH_ONCE),
        ("/unheard_of", 1, "is not a known field"),
    ],
)
def test_a_fault_is_named_where_it_is(pointer: str, value: object, message: str) -> None:
    assert faults_of(changed(pointer, value)) == {pointer: message}


def test_all_faults_are_named_at_once() -> None:
    document = changed("/points/solidarity/own_region", 999)
    del document["renewals"]
    document["points"]["fit"]["kinds"]["acute"]["crisis"] = "many"
    document["a/b~c"] = None

    assert faults_of(document) == {
        "/renewals": "is missing",
        "/points/fit/kinds/acute/crisis": "must be a whole number",
        "/points/solidarity/own_region": "must be at most 240, the most points of this factor",
        "/a~1b~0c": "is not a known field",
    }


@pytest.mark.parametrize("document", [None, [], "policy", 1])
def test_what_is_no_object_is_no_policy(document: object) -> None:
    assert faults_of(document) == {"": "must be an object"}


def test_the_faults_can_be_read_in_one_line() -> None:
    with pytest.raises(PolicyFaults, match="/renewals must be from 0 to 20"):
        parse_policy(changed("/renewals", 99))


def test_the_hash_is_of_what_the_document_says_not_of_how_it_is_written() -> None:
    document = POLICY_DOCUMENT
    backwards = dict(reversed(document.items()))

    assert policy_hash(backwards) == policy_hash(document)
    assert policy_hash(changed("/renewals", 3)) != policy_hash(document)
    assert (
        policy_hash({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )
