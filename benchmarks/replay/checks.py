"""What must be true when the replay is over.

Asked of the database itself, as the owner of its tables.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import text

from app.database.transaction import Transaction
from app.seal import Keyring

# A claim on a place lasts from the hold until the hold was over, or, where it became a placement,
# until that was over.
CLAIMS = """
SELECT h.place_id, h.created_at AS begins,
       CASE WHEN p.id IS NOT NULL THEN coalesce(p.departed_at, p.safety_checked_at, 'infinity')
            WHEN h.status IN ('no_answer', 'expired') THEN least(h.expires_at, h.resolved_at)
            WHEN h.resolved_at IS NULL THEN h.expires_at
            ELSE h.resolved_at END AS ends
FROM holds AS h LEFT JOIN placements AS p ON p.hold_id = h.id
"""
TWICE = f"""
SELECT count(*) FROM (
  SELECT begins, max(ends) OVER (PARTITION BY place_id ORDER BY begins, ends
                                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM ({CLAIMS}) AS claims
) AS one_after_another WHERE begins < before
"""  # noqa: S608 - both parts stand here
LEAVES = """
SELECT count(*) FROM (
  SELECT p.id, 'arrival' AS type FROM placements AS p WHERE p.cross_regional AND p.arrived_at IS NOT NULL
  UNION ALL SELECT p.id, 'departure' FROM placements AS p WHERE p.cross_regional AND p.departed_at IS NOT NULL
) AS due FULL JOIN (
  SELECT placement_id AS id, type, count(*) AS leaves FROM leaves
  WHERE type IN ('arrival', 'departure') GROUP BY placement_id, type
) AS there USING (id, type)
WHERE there.leaves IS DISTINCT FROM 1 OR due.type IS NULL
"""
GAPS = """
SELECT coalesce(max(index), -1) + 1 - count(DISTINCT index) AS missing, count(*) - count(DISTINCT index) AS twice
FROM leaves
"""
PLACED = """
SELECT p.id, r.id AS referral_id, r.origin, s.municipality, x.key, x.sealed
FROM placements AS p JOIN sites AS s ON s.id = p.site_id
JOIN referrals AS r ON r.id = p.referral_id JOIN referral_secrets AS x ON x.referral_id = r.id
"""

Check = Callable[[Transaction], Awaitable[str | None]]
"""What is wrong, if anything is."""


async def no_place_twice(tx: Transaction) -> str | None:
    """No place was claimed twice at any time."""
    twice = (await tx.rows(text(TWICE)))[0][0]
    return f"{twice} claims began before the one before was over" if twice else None


def acknowledged(statuses: Mapping[str, str]) -> Check:
    """Return the check that every acknowledged placement is there, with its status."""

    async def check(tx: Transaction) -> str | None:
        found = {
            str(row.id): row.status
            for row in await tx.rows(text("SELECT id, status FROM placements"))
        }
        lost = [id_ for id_, status in statuses.items() if found.get(id_) != status]
        more = len(found) - len(statuses)
        if lost:
            return f"{len(lost)} of {len(statuses)} are missing, or have another status"
        return f"{more} are there that nobody was told of" if more else None

    return check


async def one_leaf_each(tx: Transaction) -> str | None:
    """Each arrival and departure in another region has exactly one leaf; nothing else has."""
    wrong = (await tx.rows(text(LEAVES)))[0][0]
    return (
        f"{wrong} arrivals or departures have none, or several, or one too many" if wrong else None
    )


async def no_gaps(tx: Transaction) -> str | None:
    """The ledger's indexes have no gaps."""
    found = (await tx.rows(text(GAPS)))[0]
    return (
        f"{found.missing} indexes missing, {found.twice} given twice"
        if found.missing or found.twice
        else None
    )


def nobody_in_danger(keyring: Keyring) -> Check:
    """Return the check that no household was placed inside one of its danger zones."""

    async def check(tx: Transaction) -> str | None:
        rows = await tx.rows(text("SELECT zone, site, km FROM clearances"))
        clearances: dict[tuple[str, str], int] = {(row.zone, row.site): row.km for row in rows}
        unassessed_km = (await tx.snapshots.reference(tx)).policy.unassessed_radius_km
        inside = 0
        for row in await tx.rows(text(PLACED)):
            known = keyring.unwrap(row.key, row=str(row.referral_id)).unseal_json(
                row.sealed, row=str(row.referral_id)
            )
            zones = _zones(known, origin=row.origin, unassessed_km=unassessed_km)
            inside += any(
                row.municipality == zone or clearances.get((zone, row.municipality), -1) < radius_km
                for zone, radius_km in zones
            )
        return f"{inside} households were placed inside a zone" if inside else None

    return check


def _zones(known: Mapping[str, Any], *, origin: str, unassessed_km: int) -> list[tuple[str, int]]:
    zones = [(zone["municipality"], zone["radius_km"]) for zone in known["danger_zones"]]
    return [*zones, (origin, unassessed_km)] if known["danger_assessment"] == "not_asked" else zones
