"""Pages that a device keeps for when there is no connection, if its user chose so.

They have free places in bands, and telephone numbers, but nothing of their reader: no own count,
no form, no menu, no client. The service worker that keeps them knows these two pages and no other.
"""

from fastapi import APIRouter, Request, Response

from app.deps import Tx
from app.reference import load
from app.registry import availability
from app.web.assets import assets, reply
from app.web.country.bands import rows_of
from app.web.country.country import switchboards
from app.web.page import AnyPage, PageIn

router = APIRouter(include_in_schema=False)

WORKER_POLICY = (
    "default-src 'none'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)
"""The policy of the service worker: it may ask this service, and nothing else."""


@router.get("/country/kept")
async def kept_country(
    page: PageIn,
    tx: Tx,
) -> Response:
    """Show free places and telephone numbers, on the page that a device may keep for a day."""
    regions = (await tx.snapshots.reference(tx)).regions
    kinds = tuple(load().codes["place_kinds"].codes)
    rows = rows_of(await availability.read_in_bands(tx), regions.values(), kinds)
    return page.show(
        "offline/kept.html",
        rows=rows,
        kinds=kinds,
        providers=await switchboards(tx),
        at=tx.at,
        kept=True,
    )


@router.get("/country/nothing-kept")
async def nothing_kept_page(page: AnyPage) -> Response:
    """Show that there is no connection, and that the copy on the device has grown too old."""
    return page.show("offline/nothing.html")


@router.get("/service-worker.js")
async def service_worker(request: Request) -> Response:
    """Return the service worker from the root, so that it answers for every page.

    A browser asks for it anew each time.
    """
    answer = reply(request, assets()["service-worker.js"], cache_control="no-store")
    answer.headers["Content-Security-Policy"] = WORKER_POLICY
    return answer
