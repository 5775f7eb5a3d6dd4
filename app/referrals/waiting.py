"""The waiting list: the caller's provider's open referrals in the policy's order, with what is due for each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.allocation.policy.policy import Policy
from app.allocation.ranking.waiting import (
    Due,
    ListPosition,
    Waiting,
    WaitingSchedule,
    dues_at,
    is_overdue,
    list_position,
)
from app.database.transaction import Transaction
from app.reference import load
from app.referrals import referrals
from app.referrals.referrals import UnsealedReferral
from app.referrals.store import referral_rows, waiting_rows
from app.referrals.store.waiting_rows import WaitingNews


@dataclass(frozen=True, slots=True)
class WaitingReferral:
    """A referral on the list; `position` is its place in the policy's order, from 1."""

    referral: UnsealedReferral
    position: int
    overdue: bool
    """Whether something is due for a household in an alternative: it is shown before all others."""
    place: ListPosition
    """What the list as it is shown is ordered by."""
    due: tuple[Due, ...]
    since: WaitingNews


async def list_for(
    tx: Transaction, *, limit: int, after: ListPosition | None
) -> list[WaitingReferral]:
    """Return the caller's provider's open referrals: overdue ones first, then in the policy's order.

    The order comes from what is sealed, so all of them are opened; who looked at whom is told of
    those shown.
    """
    policy = (await tx.snapshots.reference(tx)).policy
    opened = [
        referrals.unseal(tx, row)
        for row in await referral_rows.list_waiting(tx, tx.caller.provider)
    ]
    since = await waiting_rows.read_news(tx, [referral.id for referral in opened])
    ordered = in_order(opened, policy=policy)
    items = [
        _listed(referral, position, since=since[referral.id], at=tx.at, policy=policy)
        for position, referral in enumerate(ordered, start=1)
    ]
    shown = sorted(
        (item for item in items if after is None or item.place > after), key=lambda item: item.place
    )
    shown = shown[:limit]
    tx.looks.referral_ids.intersection_update(item.referral.id for item in shown)
    return shown


async def count_waiting(
    tx: Transaction,
) -> int:
    """Return how many of the caller's provider's referrals wait, as far as the caller may see them; opens none."""
    return len(await referral_rows.list_waiting(tx, tx.caller.provider))


def in_order(waiting: Iterable[UnsealedReferral], *, policy: Policy) -> list[UnsealedReferral]:
    """Return referrals in the order of the waiting list."""
    return sorted(waiting, key=lambda referral: list_position(_waiting(referral), policy=policy))


def _listed(
    referral: UnsealedReferral, position: int, *, since: WaitingNews, at: datetime, policy: Policy
) -> WaitingReferral:
    dues = dues_at(_watched(referral, since), at=at, policy=policy)
    overdue = is_overdue(dues)
    numbers, id_ = list_position(_waiting(referral), policy=policy)
    return WaitingReferral(
        referral, position, overdue, ((0 if overdue else 1, *numbers), id_), dues, since
    )


def _waiting(referral: UnsealedReferral) -> Waiting:
    household = referral.content["household"]
    return Waiting(
        id=str(referral.id),
        urgency=referral.case.urgency,
        threat_level=referral.content["threat_level"],
        children=bool(household["children"]) or household["pregnant"],
        since=referral.case.created_at,
    )


def _watched(referral: UnsealedReferral, since: WaitingNews) -> WaitingSchedule:
    used = referral.case.alternative
    return WaitingSchedule(
        since=referral.case.created_at,
        safety_plan=referral.content["safety_plan"],
        contact_at=since.contact_at,
        check_at=None if used is None else used.next_check_at,
        nights_over_at=None
        if used is None or used.until is None
        else load().country.midnight(used.until),
    )
