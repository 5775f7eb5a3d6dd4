"""The numbers that the database takes where a policy does not state them."""

import re
from pathlib import Path

import pytest

from app.allocation.policy.policy import Budgets, Policy

SQL = Path("migrations/sql/budgets.sql").read_text(encoding="utf-8")
STATED = {name: int(number) for name, number in re.findall(r"WHEN '([a-z_.]+)' THEN (\d+)", SQL)}


@pytest.mark.parametrize("name", sorted(STATED))
def test_code_and_database_have_the_same_default(name: str) -> None:
    field = name.removeprefix("budgets.")
    default = (
        getattr(Budgets(), field) if field != name else Policy.__dataclass_fields__[name].default
    )

    assert STATED[name] == default


def test_every_budget_has_one_in_the_database() -> None:
    assert {name.removeprefix("budgets.") for name in STATED} >= set(Budgets.__slots__)
