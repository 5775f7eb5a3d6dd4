"""Own region first, at the moment of holding: who does not flee leaves only while nothing lawful is free at home."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Uuid, bindparam, text

from app.database.transaction import Transaction
from app.placing.store import hold_rows

if TYPE_CHECKING:
    from app.database.answers import Answer
    from app.placing.store.hold_rows import Asker, NewHold, TakeResult

# Of the groups that go first no place may be free at this very moment, and no group may have joined
# them since they were looked up. Guarded in the statement that takes the place elsewhere.
OWN_REGION_FIRST = """OR (
      (SELECT value FROM heads WHERE name = 'register') = :register_version
      AND NOT EXISTS (SELECT FROM claims AS c JOIN place_groups AS o ON o.id = c.group_id
                      WHERE c.group_id = ANY(:go_first) AND c.claimed_until <= (SELECT clock_timestamp())
                        AND NOT EXISTS (SELECT FROM holds AS h WHERE h.referral_id = :referral_id
                                        AND h.site_id = o.site_id AND h.status = 'declined')))"""

TYPES = (
    *hold_rows.TYPES,
    bindparam("go_first", type_=ARRAY(Uuid())),
    bindparam("register_version", type_=BigInteger()),
)

LEAVE_UNLOCKED, LEAVE_WAITING = (
    text(take.text.replace("/* own region first */", OWN_REGION_FIRST)).bindparams(*TYPES)
    for take in (hold_rows.TAKE_UNLOCKED, hold_rows.TAKE_WAITING)
)
"""As those of holds.py, for a household that leaves its region for another reason than its safety."""


@dataclass(frozen=True, slots=True)
class OwnRegionGroups:
    """The groups in the household's own region of which no place may be free, as one version of the register has it."""

    group_ids: tuple[UUID, ...]
    register_version: int


async def take(
    tx: Transaction, wanted: "NewHold", answer: "Answer", asker: "Asker", go_first: OwnRegionGroups
) -> "TakeResult":
    """Claim a free place of an offer in another region, unless one that goes first is free."""
    values = hold_rows.values_of(wanted, answer, asker)
    values |= {"go_first": list(go_first.group_ids), "register_version": go_first.register_version}
    return await hold_rows.run_take(tx, (LEAVE_UNLOCKED, LEAVE_WAITING), values)
