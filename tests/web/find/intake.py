"""An intake worker at the form, filled in with the least that is enough."""

import re
from typing import Any
from urllib.parse import urlencode

from tests.casework import Desk
from tests.country import Country, shelter
from tests.web.visitor import PageVisitor, SeenPage, hidden, visitor

FEW: dict[str, str | list[str]] = {
    "urgency": "acute",
    "adult_0_gender": "female",
    "origin": "Den Haag",
}


async def register_household(worker: PageVisitor, **values: str | list[str]) -> SeenPage:
    """Register a household with the shortest form."""
    return await worker.press(await worker.get("/find/new"), "/find/new", FEW | values)


async def worker_of(country: Country) -> PageVisitor:
    """Return the browser of an intake worker of the desk's provider."""
    return await visitor(country, "intake_worker", provider="haven")


def id_of(seen: SeenPage) -> str:
    """Return the id of the referral of a page."""
    found: list[str] = re.findall(r"/find/([0-9a-f-]{36})", str(seen.response.url) + seen.text)
    return found[0]


def renewal_path(seen: SeenPage) -> str:
    """Return the path with which a referral's page asks whether its state has changed."""
    shown = {name: hidden(seen.response.text, name) for name in ("seen", "said", "ranking")}
    return f"/find/{id_of(seen)}/now?{urlencode(shown)}"


async def hold_of(there: Desk) -> dict[str, Any]:
    """Return the newest hold at the shelter, as its coordinator sees it."""
    hold: dict[str, Any] = (await there.receiver.get("/holds"))["items"][0]
    return hold


async def second_shelter(country: Country) -> None:
    """Make a second shelter, of a third provider."""
    await shelter(country, "berk", kind="regular")
