"""The names of a policy's values, for people; docs/allocation.md explains each value."""

import json
from collections.abc import Mapping
from typing import cast

from app.web.language import _
from app.words import N_

NAMES: Mapping[str, str] = {
    "version": N_("Version"),
    "valid_from": N_("In force from"),
    "bands": N_("Bands, the first before all others"),
    "ample_margin_km": N_("Margin that makes a distance ample, in km"),
    "radii_km": N_("Distances from an unsafe area to choose from, in km"),
    "unassessed_radius_km": N_("Distance where danger was not assessed, in km"),
    "answer_minutes": N_("Minutes for a provider to answer"),
    "hold_minutes": N_("Minutes for which a place is held"),
    "renewals": N_("How often a hold can be renewed"),
    "ranking_minutes": N_("Minutes for which a ranking can be used"),
    "fresh_hours": N_("Hours after which a count is stale"),
    "availability_step_minutes": N_("Minutes between two steps of the counts for everybody"),
    "emergency_nights": N_("Nights in an emergency bed"),
    "occupancy_norm_permille": N_("Norm for occupancy, in thousandths"),
    "swap_max_legs": N_("Most households that move in a swap"),
    "opening_delay_days": N_("Days until an entry of the ledger opens"),
    "retention_days": N_("Days until a referral is erased"),
    "rankings_per_hour": N_("Rankings of one referral in an hour"),
    "reveals_per_hour": N_("Addresses shown to one account in an hour"),
    "break_glass_minutes": N_("Minutes for which a broken glass stays open"),
    "budgets": N_("Budgets of an account and a desk"),
    "second_factor_minutes": N_("Minutes for which a proved second factor counts"),
    "address_hours": N_("Hours after an arrival in which the sender may see the address"),
    "independence_days": N_("Days until an account that was invited approves sites"),
    "account_change_hours": N_("Hours in which a provider can refuse an administrator's act"),
    "vouched_hours": N_("Hours for which a colleague vouches"),
    "approval_hours": N_("Hours for a proposed site to be approved"),
    "new_site_days": N_("Days for which a site is shown as new"),
    "acceptance_minutes": N_("Minutes in which an acceptance can be declined"),
    "decline_hours": N_("Hours for which a decline for want of staff or places counts"),
    "reopening_days": N_("Days in which a closed referral can be opened again"),
    "arrival_back_hours": N_("Hours that an arrival may be dated back"),
    "review": N_("Review of the access log"),
    "waiting_order": N_("Order of the waiting list"),
    "safety_plan_hours": N_("Hours until a safety plan is asked for"),
    "alternative_check_hours": N_("Hours between two checks on an alternative"),
    "arrival_alarm_minutes": N_("Minutes until an arrival is missed"),
    "arrival_alarm_again_hours": N_("Hours until a missed arrival is told again"),
    "swap_answer_minutes": N_("Minutes for the last consent to a swap"),
    "swap_agreement_days": N_("Days for which an agreement to move counts"),
    "swap_quiet_days": N_("Days in peace after a move"),
    "school_from_age": N_("Age from which a child goes to school"),
    "school_until_age": N_("Age until which a child goes to school"),
    "blank_minutes": N_("Minutes until an untouched screen is covered"),
    "session_idle_minutes": N_("Minutes until an idle session ends"),
    "session_hours": N_("Hours after which every session ends"),
    "points": N_("Points"),
    "nearness": N_("nearness"),
    "fit": N_("fit"),
    "specialism": N_("specialism"),
    "headroom": N_("headroom"),
    "solidarity": N_("solidarity"),
    "continuity": N_("continuity"),
    "freshness": N_("freshness"),
    "most": N_("at most"),
}
"""By field; a field that is not here goes by its own name."""


def name_of(pointer: str) -> str:
    """Return the words for a JSON pointer into a policy."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return ", ".join(_(NAMES[part]) if part in NAMES else part.replace("_", " ") for part in parts)


def value_text(value: object) -> str:
    """Return a value of a policy as text."""
    if isinstance(value, list):
        return ", ".join(str(item) for item in cast("list[object]", value))
    if value is None:
        return "–"  # noqa: RUF001 - the sign for nothing in tables
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
