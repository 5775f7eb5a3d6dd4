"""Measure what a desk that watches the country learns of one household that is placed.

The number that comes out stands in docs/security.md.
"""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from app.database.transaction import WORKER
from app.demo import demo
from app.registry import availability
from tests.casework import fresh
from tests.country import Client, Country, referral_body

ROOT = Path(__file__).parents[3]
MOST = {"limit": 25}

FAMILY = {
    "adults": [{"gender": "female", "age": 31}],
    "children": [{"age": age, "gender": "female"} for age in (3, 6, 9)],
}
ALONE = {"adults": FAMILY["adults"]}
ANYWHERE = {"dangerAssessment": "none_known", "dangerZones": []}
ZONES = (("GM0599", 80), ("GM0193", 80), ("GM0363", 60), ("GM0855", 80), ("GM0014", 120))
PROBES: list[dict[str, Any]] = [
    *(
        {"urgency": urgency, "household": household, **ANYWHERE}
        for urgency in ("acute", "planned")
        for household in (FAMILY, ALONE)
    ),
    *(
        {
            "household": FAMILY,
            "dangerZones": [{"municipality": town, "radiusKm": km, "cause": "home"}],
        }
        for town, km in ZONES
    ),
]
"""The referrals that the observer invents. Twice as many rankings are far from a day's budget; all
of them together show every offer in the country that a family of four could have."""

NEW_EACH_TIME = frozenset({"id", "offerId", "referralId", "asOf"})


def lasting(shown: Any) -> Any:
    """Return an answer without what is new each time it is asked."""
    if isinstance(shown, dict):
        return {name: lasting(part) for name, part in shown.items() if name not in NEW_EACH_TIME}
    return [lasting(part) for part in shown] if isinstance(shown, list) else shown


async def look(country: Country, observer: Client, referrals: list[str]) -> str:
    """Return everything that the observer sees after the next step of what all may see."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await availability.refresh_counts(tx)
    rankings = [await observer.post(f"/referrals/{id_}/rankings", MOST) for id_ in referrals]
    return json.dumps(lasting([rankings, await observer.get("/availability?limit=200")]))


async def test_what_one_account_learns_of_a_household_of_four_stands_in_the_documents(
    country: Country,
) -> None:
    async with country.owner.transaction() as tx:
        made = await demo.fill(tx)
    country.providers |= {provider.slug: provider.id for provider in made.providers}
    watching, placing = made.providers[:2]
    observer = await country.client("intake_worker", provider=watching.slug)
    referrals = [
        (await observer.post("/referrals", referral_body(**probe)))["id"] for probe in PROBES
    ]
    desk = await country.client("intake_worker", provider=placing.slug)
    family = await desk.post(
        "/referrals", referral_body(household=FAMILY, threatLevel=1, **ANYWHERE)
    )
    ranking = await desk.post(f"/referrals/{family['id']}/rankings", MOST)
    before = await look(country, observer, referrals)

    could_be: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    seen: list[str] = []
    for offer in ranking["offers"]:
        wanted = {
            "referralId": family["id"],
            "rankingId": ranking["id"],
            "offerId": offer["offerId"],
            "overrideReason": "client_preference",
        }
        held = await desk.post("/holds", wanted, key=fresh())
        seen.append(await look(country, observer, referrals))
        could_be[seen[-1]].add((offer["region"]["code"], offer["kind"]))
        await desk.ask("DELETE", f"/holds/{held['id']}", expect=204)

    assert await look(country, observer, referrals) == before
    told = sum(len(could_be[after]) == 1 and after != before for after in seen)
    security = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert re.findall(r"(\d+) of (\d+) placements told the region and the kind", security) == [
        ("15", "16"),
        (str(told), str(len(seen))),
    ]
