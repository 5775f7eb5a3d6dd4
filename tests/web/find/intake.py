"""What tests of finding a place begin with.

The form filled in as shortly as can be, and who works there.
"""

import re
from typing import Any
from urllib.parse import urlencode

from tests.casework import Desk
from tests.country import Country, shelter
from tests.web.visitor import SeenPage, Visitor, hidden, visitor

FEW: dict[str, str | list[str]] = {
    "urgency": "acute",
    "adult_0_gender": "female",
    "origin": "Den Haag",
}


async def referred(worker: Visitor, **values: str | list[str]) -> SeenPage:
    """Fill in the form and send it."""
    return await worker.press(await worker.get("/find/new"), "/find/new", FEW | values)


async def worker_of(country: Country) -> Visitor:
    """Return an intake worker of the desk's provider."""
    return await visitor(country, "intake_worker", provider="haven")


def id_of(seen: SeenPage) -> str:
    """Return whose page this is."""
    found: list[str] = re.findall(r"/find/([0-9a-f-]{36})", str(seen.response.url) + seen.text)
    return found[0]


def again_of(seen: SeenPage) -> str:
    """Return what a page of a referral asks to know whether what it shows is still so."""
    shown = {name: hidden(seen.response.text, name) for name in ("seen", "said", "ranking")}
    return f"/find/{id_of(seen)}/now?{urlencode(shown)}"


async def hold_of(there: Desk) -> dict[str, Any]:
    """Return the newest hold at the shelter, as its coordinator sees it."""
    hold: dict[str, Any] = (await there.receiver.get("/holds"))["items"][0]
    return hold


async def second_shelter(country: Country) -> None:
    """Make a second shelter, of a third provider."""
    await shelter(country, "berk", kind="regular")
