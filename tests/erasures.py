"""Referrals that are erased, and the time that the retention job waits for."""

from pathlib import Path
from typing import Any

from app.placing import erasure
from app.placing.erasure_list import ErasureList
from app.seal import Keyring
from tests.casework import Desk
from tests.country import Country


async def erase(country: Country, referral_id: str, *, folder: Path) -> bool:
    """Erase a referral as `plek erase` does; return whether this was the first time."""
    async with country.owner.transaction() as tx:
        return (await erasure.erase_referral(tx, referral_id, listed=ErasureList.of(folder)))[1]


async def departed(where: Desk, **referral: Any) -> dict[str, Any]:
    """Return the placement of a household that came and went."""
    placement = await where.arrived(**referral)
    path = f"/placements/{placement['id']}/departure"
    return await where.receiver.post(path, {"destination": "own_home"}, expect=200)


async def data_key(country: Country, referral_id: str) -> bytes:
    """Return the key of a referral, as an attacker might have remembered it."""
    statement = "SELECT key FROM referral_secrets WHERE referral_id = :id"
    wrapped = await country.value(statement, id=referral_id)
    return Keyring.parse(country.key).unwrap(wrapped, row=referral_id).secret
