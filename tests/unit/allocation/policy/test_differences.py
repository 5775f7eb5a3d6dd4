"""What changes between two policies is told value by value, and nothing else."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from app.allocation.policy.differences import ADDED, CHANGED, REMOVED, Difference, differences
from app.allocation.policy.policy import PolicyFaults
from tests.unit.allocation.cases import POLICY_DOCUMENT


def another(**changes: Any) -> dict[str, Any]:
    return deepcopy(POLICY_DOCUMENT) | changes


def test_every_changed_value_is_told_by_its_pointer() -> None:
    other = another(version="next", radii_km=[50, 75])
    other["points"]["fit"]["kinds"]["acute"]["crisis"] = 151

    assert differences(POLICY_DOCUMENT, other) == (
        Difference("/points/fit/kinds/acute/crisis", CHANGED, 150, 151),
        Difference("/radii_km", CHANGED, POLICY_DOCUMENT["radii_km"], [50, 75]),
        Difference("/version", CHANGED, "for-tests", "next"),
    )


def test_what_is_stated_only_now_or_no_longer_is_told_with_what_held_by_itself() -> None:
    stated = another(safety_plan_hours=24, swap_quiet_days=30)

    assert differences(POLICY_DOCUMENT, stated) == (
        Difference("/safety_plan_hours", ADDED, 24, 24),
        Difference("/swap_quiet_days", ADDED, 90, 30),
    )
    assert differences(stated, POLICY_DOCUMENT) == (
        Difference("/safety_plan_hours", REMOVED, 24, 24),
        Difference("/swap_quiet_days", REMOVED, 30, 90),
    )


def test_the_same_policy_however_written_has_no_differences() -> None:
    assert differences(POLICY_DOCUMENT, dict(reversed(POLICY_DOCUMENT.items()))) == ()


def test_what_is_no_policy_is_not_compared() -> None:
    with pytest.raises(PolicyFaults, match="/renewals must be from 0 to 20"):
        differences(POLICY_DOCUMENT, another(renewals=99))
    with pytest.raises(PolicyFaults, match="must be an object"):
        differences(None, POLICY_DOCUMENT)
