"""The weekly review of what accounts did, and the answers of those who ask about it.

A week goes from Monday to Monday by the country's clocks, and is reviewed once, when everything in
it has had seven days to come to something. Each act lies in one week, so that an answered finding
never comes again for the same facts.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from app.accounts.store import review_rows
from app.accounts.store.review_rows import NEWEST, FindingPlace, FindingRow, WeekRow
from app.allocation.figures.review import unlike_accounts
from app.database import access_log
from app.database.transaction import Transaction
from app.errors import Conflict, Missing
from app.reference import load

WEEK = timedelta(days=7)
FOLLOWS = timedelta(days=7)
"""How long it is waited for what comes of a week's acts; `reviews.sql` counts as many days."""


@dataclass(frozen=True, slots=True)
class ReviewStand:
    """Since when accounts are reviewed, if they are, and the newest week that was."""

    consented_on: date | None
    newest: WeekRow | None


async def review_next_week(tx: Transaction) -> bool:
    """Review the oldest week that is due, as the worker; whether there was one.

    None is due before the works councils have agreed.
    """
    consented_on = (await tx.snapshots.reference(tx)).policy.review.consented_on
    if consented_on is None:
        return False
    newest_due = monday_of(load().country.day_of(tx.at) - WEEK - FOLLOWS)
    last = await review_rows.newest_week(tx)
    week = newest_due if last is None else last.first_day + WEEK
    week = max(week, monday_of(consented_on + WEEK - timedelta(days=1)))
    return week <= newest_due and await review_week(tx, week)


async def review_week(tx: Transaction, first_day: date) -> bool:
    """Review the week from a Monday on; whether it was not yet."""
    midnight = load().country.midnight
    limits = (await tx.snapshots.reference(tx)).policy.review
    counts = await review_rows.count_acts(
        tx, since=midnight(first_day), until=midnight(first_day + WEEK)
    )
    if not await review_rows.add_week(tx, WeekRow(first_day, len(counts))):
        return False
    await review_rows.add_findings(tx, first_day, unlike_accounts(counts, limits))
    await access_log.add(tx, access_log.of_actor(tx.actor, "search", "access_log", None))
    return True


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


async def read_stand(tx: Transaction) -> ReviewStand:
    """Return since when accounts are reviewed, and how far that has come."""
    policy = (await tx.snapshots.reference(tx)).policy
    return ReviewStand(policy.review.consented_on, await review_rows.newest_week(tx))


async def list_findings(
    tx: Transaction, *, limit: int, after: FindingPlace | None = None
) -> list[FindingRow]:
    """Return the findings that the caller may see: newest week first, then the most unlike.

    Administrators see all, coordinators those of their desk; nobody their own, or those of an
    account that made, invited or reset theirs.
    """
    return await review_rows.list_findings(tx, limit=limit, after=after or NEWEST)


async def answer_finding(tx: Transaction, finding_id: UUID, *, answer: str) -> FindingRow:
    """Say what came of asking, once; it is kept with who said so and when."""
    outcome = await review_rows.answer_finding(tx, finding_id, answer=answer)
    if outcome == "missing":
        raise Missing
    if outcome == "answered":
        raise Conflict("finding_answered", "Somebody has answered this already.")
    row = await review_rows.read_finding(tx, finding_id)
    assert row is not None  # noqa: S101 - answered a moment ago, so the caller may see it
    return row
