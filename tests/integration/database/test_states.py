"""Conditions on the state of a row: the rules for rows and the stores agree."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.models import states
from migrations import sql
from tests.country import Country

ON_BOTH = True

HOLDS = """unnest(ARRAY[NULL, now()]) AS resolved_at,
  unnest(ARRAY['-infinity', 'infinity']::timestamptz[]) AS expires_at"""
PLACEMENTS = """unnest(ARRAY[NULL, now()]) AS safety_checked_at,
  unnest(ARRAY['underway', 'arrived', 'no_show', 'ended', 'cancelled']) AS status"""
SWAPS = """unnest(ARRAY['-infinity', 'infinity']::timestamptz[]) AS expires_at,
  unnest(ARRAY['proposed', 'reserved', 'completed', 'broken', 'refused', 'expired']) AS status"""


@pytest.mark.parametrize(
    "rows, in_rules, in_stores, so",
    [
        (HOLDS, "hold_live(resolved_at, expires_at, clock_timestamp())", states.hold_live, 1),
        (PLACEMENTS, "placement_live(status)", states.placement_live, 4),
        (
            PLACEMENTS,
            "placement_coming(status, safety_checked_at)",
            states.placement_coming,
            5,
        ),
        (SWAPS, "swap_lapsed(status, expires_at, clock_timestamp())", states.swap_lapsed, 1),
    ],
)
async def test_rules_and_stores_say_the_same_of_every_state(
    country: Country, rows: str, in_rules: str, in_stores: Callable[[str], str], so: int
) -> None:
    found = await country.rows(
        f"SELECT {in_rules} AS rules, {in_stores('x')} AS stores FROM (SELECT * FROM {rows}) AS x"  # noqa: S608
    )
    assert [row.rules for row in found] == [row.stores for row in found]
    assert sum(row.rules for row in found) == so


STAND_ONCE = (
    "safety_checked_at IS NULL",
    "IN ('underway', 'arrived')",
    "IN ('ended', 'withdrawn')",
    "resolved_at IS NULL AND expires_at >",
    "withdrawn_at IS NULL AND begins_at",
    "revoked_at IS NULL",
    "i_am('intake_worker')",
    "i_am('client_system')",
    "i_am('auditor') OR",
    "my_provider() AND unshielded(",
    "<> my_provider()",
    "s.account_id IN",
)
"""What says such a condition in words of its own."""


@pytest.mark.parametrize("words", STAND_ONCE)
def test_a_condition_of_the_rules_is_written_out_once(words: str) -> None:
    scripts = [file.read_text() for file in Path(sql.__file__).parent.glob("*.sql")]
    assert sum(script.count(words) for script in scripts) == 1
