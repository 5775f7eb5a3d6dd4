"""The waiting list: open referrals in the policy's order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.allocation.policy.policy import Policy
from app.allocation.ranking.waiting_list import ListPosition, Waiting, list_position
from app.database.transaction import Transaction
from app.referrals import alternatives, referrals
from app.referrals.referrals import UnsealedReferral
from app.referrals.store import referral_rows, waiting_rows
from app.referrals.store.referral_rows import ReferralRow
from app.referrals.store.waiting_rows import WaitingNews


@dataclass(frozen=True, slots=True)
class WaitingReferral:
    """A referral on the list; `position` is its place in the policy's order, from 1."""

    referral: UnsealedReferral
    position: int
    overdue: bool
    """Whether something is due for a household in an alternative: those are shown first."""
    place: ListPosition
    """The key that the list is shown in the order of."""
    since: WaitingNews

    @property
    def next_check_at(self) -> datetime | None:
        """When their next check is due, if they have an alternative."""
        in_use = self.referral.case.alternative
        return None if in_use is None else in_use.next_check_at

    @property
    def last_chance(self) -> WaitingNews | None:
        """The news of what came free for them last, if anything did."""
        news = self.since
        return None if None in (news.ranking_id, news.rank, news.came_free_at) else news


async def list_for(
    tx: Transaction, *, limit: int, after: ListPosition | None
) -> tuple[list[WaitingReferral], list[ReferralRow]]:
    """Return the open referrals of the caller's provider: overdue ones first, then by policy.

    Those that no key opens have no place in the order, and come apart.

    The order depends on sealed content, so every seal is opened; the access log names only the
    referrals that are shown.
    """
    policy = (await tx.snapshots.reference(tx)).policy
    opened, unreadable = referrals.unseal_readable(tx, await list_sealed(tx))
    news = await read_news(tx, [referral.id for referral in opened])
    ordered = in_order(opened, policy=policy)
    items = [
        _list_item(referral, position, since=news[referral.id], at=tx.at, policy=policy)
        for position, referral in enumerate(ordered, start=1)
    ]
    shown = sorted(
        (item for item in items if after is None or item.place > after), key=lambda item: item.place
    )
    shown = shown[:limit]
    tx.looks.referral_ids.intersection_update(item.referral.id for item in shown)
    return shown, unreadable


async def count_waiting(tx: Transaction) -> int:
    """Return how many of the provider's open referrals the caller may see; open no seal."""
    return len(await list_sealed(tx))


async def list_sealed(tx: Transaction) -> list[ReferralRow]:
    """Return the open referrals of the caller's provider, with their seals closed."""
    return await referral_rows.list_waiting(tx, tx.caller.provider)


async def read_news(tx: Transaction, referral_ids: Sequence[UUID]) -> Mapping[UUID, WaitingNews]:
    """Return when each referral's next contact is due, and what came free for it last."""
    return await waiting_rows.read_news(tx, referral_ids)


def in_order(waiting: Iterable[UnsealedReferral], *, policy: Policy) -> list[UnsealedReferral]:
    """Return referrals in the order of the waiting list."""
    return sorted(waiting, key=lambda referral: list_position(_waiting_of(referral), policy=policy))


def _list_item(
    referral: UnsealedReferral, position: int, *, since: WaitingNews, at: datetime, policy: Policy
) -> WaitingReferral:
    in_use = referral.case.alternative
    overdue = in_use is not None and alternatives.is_overdue(in_use, at=at)
    numbers, id_ = list_position(_waiting_of(referral), policy=policy)
    place = ((0 if overdue else 1, *numbers), id_)
    return WaitingReferral(referral, position, overdue, place, since)


def _waiting_of(referral: UnsealedReferral) -> Waiting:
    household = referral.content["household"]
    return Waiting(
        id=str(referral.id),
        urgency=referral.case.urgency,
        threat_level=referral.content["threat_level"],
        children=bool(household["children"]) or household["pregnant"],
        since=referral.case.created_at,
    )
