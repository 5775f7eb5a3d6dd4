"""Dangers that change while a household has a place: both providers hear of it, and of the danger only that it is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.errors import Conflict
from app.seal import Keyring
from app.services import holds as hold_acts
from app.services import lawful, referrals, swap_course
from app.services.caller import Caller
from app.services.referrals import Referral
from app.store import alarms, outbox
from app.store import referrals as referral_rows
from app.store.alarms import Life
from app.store.database import Transaction

SITE_UNSAFE = "site_unsafe"
"""Why a hold at a compromised site is declined."""

OVER = frozenset({"hold_expired", "hold_resolved"})
"""What a hold that has ended answers: it ran out, or its swap was ended with the site."""


async def know(tx: Transaction, referral: Referral, *, content: Mapping[str, Any]) -> Referral:
    """Change what is known of a locked referral, and look again whether the place that it has is safe."""
    changed = await referrals.change(tx, referral, content=content)
    for life in await alarms.of_referral(tx, referral.id):
        await _look_again(tx, life, changed)
    return changed


async def moved(tx: Transaction, site_id: UUID, *, keyring: Keyring) -> None:
    """Look again at everybody who has a place at an own site of which something changed that safety asks about."""
    for life in await alarms.at_site(tx, site_id):
        row = await referral_rows.read(tx, life.referral_id)
        if row is not None and row.key is not None:
            await _look_again(tx, life, referrals.opened(tx, row, keyring))


async def compromise(tx: Transaction, caller: Caller, site_id: UUID, *, keyring: Keyring) -> None:
    """Give back what is held at an own site that has been compromised, and call on those who have people there.

    A household that is there keeps its place until it has arrived at another.
    """
    await swap_course.lost(tx, site_id)
    for life in await alarms.at_site(tx, site_id):
        if life.kind == "hold":
            await _turn_away(tx, caller, life.id, keyring=keyring)
    await alarms.tell_site(tx, site_id)


async def cleared(tx: Transaction, site_id: UUID) -> None:
    """Tell those who have people at an own site that it is safe again."""
    await alarms.tell_site(tx, site_id)


async def _turn_away(tx: Transaction, caller: Caller, hold_id: UUID, *, keyring: Keyring) -> None:
    try:
        await hold_acts.decline(tx, caller, hold_id, reason=SITE_UNSAFE, keyring=keyring)
    except Conflict as conflict:
        if conflict.code not in OVER:  # it ended a moment ago: nobody is coming all the same
            raise


async def _look_again(tx: Transaction, life: Life, referral: Referral) -> None:
    """Compare a place with what is known now; where it became unsafe, or safe again, tell both providers."""
    unsafe = bool((await lawful.standing(tx, life.place_id, referral.content)).unsafe)
    if unsafe != life.unsafe:
        await alarms.mark(tx, life, unsafe=unsafe)
        await outbox.add(tx, kind="alarm", subject=str(life.id), audience=[life.provider_id, life.receiver_id])
