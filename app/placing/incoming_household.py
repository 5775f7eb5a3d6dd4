"""Who is coming, as the receiver may know it before a person there accepts them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.allocation.ranking.safety import dangers_on, lawful_rooms
from app.database import register
from app.database.transaction import Transaction
from app.ranking import rankings
from app.reference import load
from app.referrals import referrals

NOT_ASSESSED = "not_assessed"
ASKED = (
    "urgency",
    "reason",
    "household",
    "danger_assessment",
    "threat_level",
    "target_groups",
    "needs",
    "languages",
    "safety_plan",
)
"""What an acceptance is about; to it come the regions of the danger, and whether there is room."""


async def read_asked(
    tx: Transaction, content: Mapping[str, Any], *, place_id: UUID, sender_id: UUID
) -> Mapping[str, Any]:
    """Return what a provider is told of a household before a person there accepts it.

    No municipality, radius or whereabouts, and of the sender the switchboard: an account that makes
    a place up learns the regions, and no more, before others have seen that it was accepted.
    """
    reference = await tx.snapshots.reference(tx)
    today = load().country.day_of(tx.at)
    need = referrals.need_of(content, reference)
    dangers = dangers_on(need, today=today, policy=reference.policy)
    sender = (await tx.snapshots.providers(tx))[str(sender_id)]
    group = (await register.place_standing(tx, place_id)).group
    rooms = lawful_rooms(
        (group.municipality,),
        zones=dangers.zones,
        clearances=rankings.lasting_situation(
            need, reference=reference, municipalities=(group.municipality,), at=tx.at
        ).clearances,
        ample_margin_km=reference.policy.ample_margin_km,
    )
    room = rooms.get(group.municipality)
    zones = {
        (reference.region_of(zone["municipality"]), zone["cause"])
        for zone in _zones(content)
        if zone["until"] is None or zone["until"] >= today.isoformat()
    }
    return {name: content[name] for name in ASKED} | {
        "origin_region": reference.region_of(content["origin_municipality"]),
        "danger": [{"region": region, "cause": cause} for region, cause in sorted(zones)],
        "clearance": NOT_ASSESSED if not dangers.assessed else room and room.band,
        "switchboard": sender.phone,
    }


def _zones(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    zones: list[Mapping[str, Any]] = content["danger_zones"]
    return zones


def municipalities(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the municipalities that a look at the danger opens: of origin and of zones."""
    zones = [{name: zone[name] for name in ("municipality", "cause")} for zone in _zones(content)]
    return {"origin_municipality": content["origin_municipality"], "danger_zones": zones}
