"""docs/allocation.md says what the code does.

Its rules, its factors, and its example to the last point.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path

from app.allocation.policy.policy import Policy, parse_policy
from app.allocation.ranking.points import FACTORS
from app.allocation.ranking.rank import rank
from app.allocation.ranking.rules import CODES
from app.allocation.shares.shares import NIGHT
from app.allocation.values import Child, Register
from tests.unit.allocation.cases import PLACE, QUIET, SAFE_NEED, family, zone

PAGE = Path(__file__).parents[4].joinpath("docs/allocation.md").read_text(encoding="utf-8")
POLICY = parse_policy(
    json.loads(files("app.reference").joinpath("nl/policy.json").read_text(encoding="utf-8"))
)


def test_the_page_has_every_rule_and_every_factor_in_order() -> None:
    of_a_ranking = PAGE.partition("## The policy")[0]

    assert tuple(re.findall(r"^- `(\w+)`(?::|$)", of_a_ranking, flags=re.MULTILINE)) == (
        *CODES,
        *FACTORS,
    )


def test_the_page_has_the_order_of_the_waiting_list() -> None:
    of_waiting = PAGE.partition("## Waiting")[2].partition("## Alternatives")[0]

    assert (
        tuple(re.findall(r"^- `(\w+)`(?::|$)", of_waiting, flags=re.MULTILINE))
        == POLICY.waiting_order
    )


def test_the_page_explains_every_value_of_the_policy() -> None:
    told = PAGE.partition("## The policy")[2].partition("## Replay")[0]
    numbers = {field.name for field in fields(Policy)} - {"version", "bands", "points"}

    assert {name for name in numbers if f"`{name}`" not in told} == set()


EXAMPLE = replace(
    SAFE_NEED,
    household=family(Child(4, "male")),
    danger_assessment="assessed",
    danger_zones=(zone("GM0518", radius_km=50),),
    near_municipality="GM0193",
)
GROUP_A = replace(
    PLACE, id="A", site_id="a", provider_id="a", municipality="a", region="a", bed_spaces=3
)
GROUP_B = replace(
    PLACE,
    id="B",
    site_id="b",
    provider_id="b",
    municipality="b",
    region="b",
    bed_spaces=2,
    kind="regular",
)
EXAMPLE_SITUATION = replace(
    QUIET,
    free={"A": 1, "B": 1},
    clearances={"GM0518": {"a": 90, "b": 65}},
    near_km={"a": 10, "b": 60},
    occupancy={"a": 920, "b": 740},
    deficits={"a": -18 * NIGHT, "b": 450 * NIGHT},
    confirmed_hours={"a": 2, "b": 30},
)


def test_the_example_comes_out_as_the_page_says() -> None:
    first, second = rank(EXAMPLE, Register((GROUP_A, GROUP_B)), EXAMPLE_SITUATION, POLICY).offers

    columns = zip(
        *re.findall(
            r"^\| (?:\w+: .*|\*\*score\*\*) \| \*{0,2}(\d+)\*{0,2} \| \*{0,2}(\d+)",
            PAGE,
            re.MULTILINE,
        ),
        strict=True,
    )
    assert [
        [str(line.points) for line in offer.points] + [str(offer.score)]
        for offer in (first, second)
    ] == [list(column) for column in columns]
    assert [(o.group.id, o.band, o.clearance_km, o.margin_km) for o in (first, second)] == [
        ("A", "ample", 90, 40),
        ("B", "sufficient", 65, 15),
    ]
