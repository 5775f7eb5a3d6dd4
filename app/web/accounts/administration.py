"""An administrator's other pages: providers, weights of regions, records."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from app.api.kit.wire import parse_id
from app.api.reference import RegionsWanted
from app.consistency import consistency
from app.database.reference import weights_in_force
from app.deps import Tx
from app.errors import Fault, Invalid, Missing
from app.registry import providers as registered
from app.web.page import PageIn
from app.web.places.forms import FormIn, parse

if TYPE_CHECKING:
    from datetime import date

router = APIRouter(include_in_schema=False)


@router.get("/provider-list")
async def list_providers(page: PageIn, tx: Tx) -> Response:
    """List the providers, with their switchboards and regions."""
    cards = await tx.snapshots.providers(tx)
    regions = (await tx.snapshots.reference(tx)).regions
    rows = [
        (card, [regions[code].name for code in card.regions])
        for card in sorted(cards.values(), key=lambda card: card.name)
    ]
    return page.show("providers.html", rows=rows)


@router.get("/provider-list/{id}")
async def show_provider(id: str, page: PageIn, tx: Tx) -> Response:
    """Show in which regions a provider works, and let that be changed."""
    card = (await tx.snapshots.providers(tx)).get(str(parse_id(id)))
    if card is None:
        raise Missing
    regions = (await tx.snapshots.reference(tx)).regions.values()
    return page.show(
        "provider.html", card=card, regions=sorted(regions, key=lambda region: region.name)
    )


@router.post("/provider-list/{id}")
async def set_regions(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Say in which regions a provider works."""
    wanted, faults = parse(RegionsWanted, {"regions": form.many("regions")})
    if wanted is None:
        raise Invalid(Fault("/regions", next(iter(faults.values()))))
    await registered.set_regions(tx, parse_id(id), regions=wanted.regions)
    return page.go("/provider-list")


@router.get("/weights")
async def list_weights(page: PageIn, tx: Tx) -> Response:
    """List the weight of each region with its source, the heaviest first."""
    regions = (await tx.snapshots.reference(tx)).regions
    found = sorted(await weights_in_force(tx), key=lambda row: (-row.weight, row.region))
    total = sum(row.weight for row in found)
    since: dict[tuple[date, str], list[tuple[str, int, int]]] = {}
    for row in found:
        part = round(row.weight * 1000 / total) if total else 0
        since.setdefault((row.valid_from, row.source), []).append(
            (regions[row.region].name, row.weight, part)
        )
    return page.show("weights.html", since=since)


@router.get("/records")
async def show_records(page: PageIn, tx: Tx) -> Response:
    """Show which records disagree, as the daily check found."""
    rows, checked_at = await consistency.list_open(tx)
    return page.show("records.html", rows=rows, checked_at=checked_at)
