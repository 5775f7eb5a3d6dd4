"""Agreements to return: for a household that left its region for want of room there, and not for safety."""

from datetime import date

from app.database.transaction import Transaction
from app.errors import Fault, Invalid
from app.placing.store import placement_rows
from app.reference import load


def check(return_by: date | None, *, reason: str, cross_regional: bool) -> None:
    """Refuse an agreement where there is nothing to agree on."""
    if (
        return_by is not None
        and agreement(None, reason=reason, cross_regional=cross_regional) != "missing"
    ):
        raise Invalid(
            Fault("/returnBy", "is only for those who left their region for want of capacity")
        )


def agreement(return_by: date | None, *, reason: str, cross_regional: bool) -> str:
    """Say how an agreement stands: agreed, missing, or not_needed."""
    if reason != "capacity" or not cross_regional:
        return "not_needed"
    return "missing" if return_by is None else "agreed"


async def remind(tx: Transaction) -> int:
    """Remind both providers of each agreement whose day has come, once; return how many there were."""
    today = load().country.day_of(tx.at)
    reminded = await placement_rows.remind_of_returns(tx, today=today)
    if reminded:
        tx.wrote_outbox()
    return reminded
