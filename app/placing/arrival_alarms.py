"""Alarms for households that do not arrive: both sides hear of it, again and again, until one of them acts."""

from app import metrics
from app.database.transaction import Transaction
from app.placing.store import arrival_alarms
from app.placing.store.arrival_alarms import AT_ONCE


async def raise_due(tx: Transaction) -> bool:
    """Raise the alarms that are due, so many at once; return whether there may be more."""
    policy = (await tx.snapshots.reference(tx)).policy
    raised = await arrival_alarms.raise_due(
        tx, minutes=policy.arrival_alarm_minutes, hours=policy.arrival_alarm_again_hours
    )
    if raised:
        tx.after_commit.append(lambda: metrics.arrival_alarms(raised))
    return raised == AT_ONCE
