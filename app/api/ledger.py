"""The ledger's leaves, for those who check that the burden was shared."""

import base64
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field, JsonValue

from app.api.pages import PageIn
from app.api.wire import Out
from app.deps import CallerIn, PartsIn, Tx
from app.services import entries

router = APIRouter(tags=["Ledger"])

LARGEST = 2**53 - 1
"""The largest whole number that every client can read."""


class EntryOut(Out):
    """A leaf of the ledger."""

    index: int
    type: str
    leaf: str = Field(description="The leaf's canonical bytes, base64.")
    opening: Mapping[str, JsonValue] | None = Field(
        description="What the leaf says; for the auditors of the two regions concerned, once it is time."
    )

    @classmethod
    def of(cls, entry: entries.Entry) -> "EntryOut":
        """Return an entry as it is sent."""
        leaf = base64.b64encode(entry.content).decode()
        return cls(index=entry.index, type=entry.type, leaf=leaf, opening=entry.opening)


class EntriesOut(Out):
    """A page of leaves, in order."""

    items: list[EntryOut]
    next_cursor: str | None


@router.get("/ledger/entries", response_model=EntriesOut, operation_id="listLedgerEntries", summary="Leaves in order")
async def list_ledger_entries(
    tx: Tx,
    caller: CallerIn,
    parts: PartsIn,
    page: PageIn,
    after: Annotated[int, Query(ge=-1, le=LARGEST, description="The index of the last leaf seen.")] = -1,
) -> Response:
    """Return the ledger's leaves after an index, with their openings where the caller is entitled to them."""
    seen = after if page.after is None else int(page.after[0])
    found = await entries.listed(tx, caller, keyring=parts.keyring, after=seen, limit=page.limit + 1)
    items, cursor = page.cut(found, place=lambda entry: (str(entry.index),))
    return EntriesOut(items=[EntryOut.of(entry) for entry in items], next_cursor=cursor).reply()
