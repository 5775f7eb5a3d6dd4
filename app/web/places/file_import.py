"""Import of a file of own sites or places, checked first and then taken in whole."""

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
class FileOutcome:
    """The outcome of a file: what it would change or has changed, or its faults by line."""

    kind: str
    done: bool = False
    imported: ImportCounts | None = None
    faults: tuple[tuple[int, str, str], ...] = ()
    """The first faults: line, column and words."""
    wrong: int = 0
    """The number of all faults."""
    digest: str = ""
    """The digest of the file that was checked: another file is checked first, too."""


@router.get("/places/import")
async def show_form(
    page: PageIn,
    tx: Tx,
) -> Response:
    """Show the form to choose a file, with the columns that it must have."""
    slug = (await tx.snapshots.providers(tx))[str(tx.caller.provider)].slug
    return page.show(PAGE, kinds=KINDS, slug=slug, found=None)


@router.post("/places/import")
async def import_file(request: Request, page: PageIn, tx: Tx) -> Response:
    """Check a file, or import it if this very file was checked before."""
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
        outcome = FileOutcome(kind.name, faults=faults, wrong=refused.count)
        return await _show(page, tx, outcome, status=400)
    outcome = FileOutcome(kind.name, done=keep, imported=imported, digest=digest)
    return await _show(page, tx, outcome)


async def _show(page: Page, tx: Tx, found: FileOutcome, *, status: int = 200) -> Response:
    known: dict[str, Any] = {"kinds": KINDS, "found": found}
    known["slug"] = (await tx.snapshots.providers(tx))[str(tx.caller.provider)].slug
    return page.show(PART if page.partial else PAGE, status=status, **known)
