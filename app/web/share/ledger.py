"""The ledger's lines about a region, which the reader's browser can verify."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.allocation.ledger.exports import export_line
from app.allocation.policy.documents import canonical_json
from app.api.ledger import Index, Size, prove_ledger_inclusion, read_ledger_checkpoint
from app.database.caller import Role
from app.deps import Tx
from app.ledger import checkpoints, entries
from app.web.page import PageIn

router = APIRouter()

AT_ONCE = 25
JSONL = "application/jsonl; charset=utf-8"


@router.get("/share/ledger")
async def list_lines(
    page: PageIn,
    tx: Tx,
    before: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """Show the lines that the reader can read, newest first."""
    found = await entries.list_readable(tx, before=before, limit=AT_ONCE)
    regions = (await tx.snapshots.reference(tx)).regions
    return page.show(
        "share/ledger.html",
        leaves=[_leaf(one) for one in found[:AT_ONCE]],
        older=found[AT_ONCE - 1].index if len(found) > AT_ONCE else None,
        newest=before is None,
        keys=[key.to_text() for key in await checkpoints.verifiers(tx)],
        names={code: region.name for code, region in regions.items()},
        region=tx.caller.region if tx.caller.has(Role.AUDITOR) else None,
    )


@router.get("/share/ledger/proof")
async def prove_inclusion(tx: Tx, leaf: Index, size: Size) -> Response:
    """Prove that a leaf is in the tree, as the API does."""
    return await prove_ledger_inclusion(tx, leaf, size)


@router.get("/share/ledger/checkpoint")
async def read_checkpoint(tx: Tx) -> Response:
    """Return the newest checkpoint, as the API does."""
    return await read_ledger_checkpoint(tx)


@router.get("/share/ledger/export")
async def export_lines(tx: Tx) -> Response:
    """Export every signed line with the openings that the region may see.

    The format is that of `plek ledger export`.
    """
    _, found = await entries.export_signed(tx)
    written = b"".join([export_line(one.index, one.content, one.opening) async for one in found])
    name = f"ledger-{tx.caller.region}.jsonl" if tx.caller.region else "ledger.jsonl"
    return Response(
        written, headers={"Content-Disposition": f'attachment; filename="{name}"'}, media_type=JSONL
    )


def _leaf(entry: entries.LedgerEntry) -> dict[str, Any]:
    """Return a line with its content, by its opening or in clear, and the bytes of its hash."""
    said = json.loads(entry.content)
    return {
        "index": entry.index,
        "type": entry.type,
        "bytes": entry.content.decode(),
        "opening": entry.opening,
        "opening_bytes": None if entry.opening is None else canonical_json(entry.opening).decode(),
        "in_clear": said.get("content"),
    }
