"""Files of own sites or places.

Looked at first, then taken in as a whole with one press.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from app.deps import Tx
from app.registry.imports import imports
from app.registry.imports.csv_columns import PLACES, SITES
from app.registry.imports.csv_files import ImportCounts, ImportFaults
from app.web.language import _
from app.web.page import Page, PageIn

router = APIRouter(include_in_schema=False)

KINDS = {kind.name: kind for kind in (PLACES, SITES)}
PAGE, PART = "places/import.html", "places/_imported.html"


@dataclass(frozen=True, slots=True)
class Found:
    """What a file would do, or has done; or what is wrong with it, line by line."""

    kind: str
    done: bool = False
    imported: ImportCounts | None = None
    faults: tuple[tuple[int, str, str], ...] = ()
    """The first of what is wrong."""
    wrong: int = 0
    """How much is wrong."""
    digest: str = ""
    """Of the file that was looked at: another one is looked at first, too."""


@router.get("/places/import")
async def form(
    page: PageIn,
    tx: Tx,
) -> Response:
    """Show where a file is chosen, and what must stand in it."""
    slug = (await tx.snapshots.providers(tx))[str(tx.caller.provider)].slug
    return page.show(PAGE, kinds=KINDS, slug=slug, found=None)


@router.post("/places/import")
async def take(request: Request, page: PageIn, tx: Tx) -> Response:
    """Look at a file; or take it in, where this very file was looked at before."""
    async with request.form() as sent:
        kind = KINDS.get(str(sent.get("kind")), PLACES)
        file = sent.get("file")
        raw = await file.read() if isinstance(file, UploadFile) else b""
        digest = hashlib.sha256(raw).hexdigest()
        keep = sent.get("take") == digest
    try:
        imported = await imports.import_own_file(tx, kind, raw, keep=keep)
    except ImportFaults as refused:
        faults = tuple(
            (fault.line, fault.column, _(fault.text) % fault.values) for fault in refused.faults
        )
        found = Found(kind.name, faults=faults, wrong=refused.count)
        return await _show(page, tx, found, status=400)
    return await _show(page, tx, Found(kind.name, done=keep, imported=imported, digest=digest))


async def _show(page: Page, tx: Tx, found: Found, *, status: int = 200) -> Response:
    known: dict[str, Any] = {"kinds": KINDS, "found": found}
    known["slug"] = (await tx.snapshots.providers(tx))[str(tx.caller.provider)].slug
    return page.show(PART if page.partial else PAGE, status=status, **known)
