"""Dangers that change while a household has a place: both providers hear of it, and of the danger only that it is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.database import outbox
from app.database.transaction import Transaction
from app.placing import place_check
from app.placing.store import promises
from app.placing.swaps import swap_course
from app.referrals import referrals
from app.referrals.referrals import UnsealedReferral

SITE_UNSAFE = "site_unsafe"
"""Why a hold at a compromised site is declined."""


async def know(
    tx: Transaction, referral: UnsealedReferral, *, content: Mapping[str, Any]
) -> UnsealedReferral:
    """Change what is known of a locked referral, and look again whether the place that it has is safe."""
    changed = await referrals.change(tx, referral, content=content)
    await look_again(tx, changed)
    return changed


async def look_again(tx: Transaction, referral: UnsealedReferral) -> None:
    """Compare the place that a household has with what is known now; where that makes a difference, tell both sides."""
    for life in await promises.list_of_referral(tx, referral.id):
        unsafe = bool((await place_check.check_place(tx, life.place_id, referral.content)).unsafe)
        if unsafe != life.unsafe:
            await promises.mark_safety(tx, life, unsafe=unsafe)
            await outbox.add(
                tx,
                kind="alarm",
                subject=str(life.id),
                audience=[life.provider_id, life.receiver_id],
            )


async def moved(
    tx: Transaction,
    site_id: UUID,
) -> None:
    """Look again at everybody who has a place at an own site of which something changed that safety asks about.

    Also at those who are shielded from the caller: nothing of them comes out, but that both
    providers hear of it.
    """
    for present in await promises.list_everybody_at(tx, site_id):
        content, _ = referrals.unseal_content(tx, present, key=present.key, sealed=present.sealed)
        if (
            present.hidden
        ):  # nobody looked at them: what comes of the comparison is told to those who may know
            tx.looks.referral_ids.discard(present.id)
        unsafe = bool((await place_check.check_place(tx, present.place_id, content)).unsafe)
        if unsafe != present.unsafe:
            await promises.mark_safety_at(tx, site_id, present, unsafe=unsafe)


async def compromise(tx: Transaction, site_id: UUID) -> None:
    """Give back what is held at an own site that has been compromised, and call on those who have people there.

    A household that is there keeps its place until it has arrived at another.
    """
    await swap_course.end_proposed_at(tx, site_id)
    await promises.turn_away(tx, site_id, because=SITE_UNSAFE)
    await promises.alarm_site(tx, site_id)


async def cleared(tx: Transaction, site_id: UUID) -> None:
    """Tell those who have people at an own site that it is safe again."""
    await promises.alarm_site(tx, site_id)
