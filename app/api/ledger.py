"""The ledger's leaves and proofs, for those who check that the burden was shared."""

import base64
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import BeforeValidator, Field, JsonValue

from app.api.kit.lists import ListIn
from app.api.kit.wire import Out
from app.deps import Tx
from app.ledger import checkpoints, entries

router = APIRouter(tags=["Ledger"])

Base64 = Annotated[str, BeforeValidator(lambda content: base64.b64encode(content).decode())]
"""Bytes as they are sent."""
LARGEST = 2**53 - 1
"""The largest whole number that every client can read."""


class EntryOut(Out):
    """A leaf of the ledger."""

    index: int
    type: str
    leaf: Base64 = Field(
        validation_alias="content", description="The leaf's canonical bytes, base64."
    )
    opening: Mapping[str, JsonValue] | None = Field(
        description="What the leaf says; for the auditors of the two regions concerned, once it is "
        "time."
    )


class EntriesOut(Out):
    """A page of leaves, in order."""

    items: list[EntryOut]
    next_cursor: str | None


@router.get(
    "/ledger/entries",
    response_model=EntriesOut,
    summary="Leaves in order",
    description="Return the ledger's leaves after an index, with their openings where the caller "
    "is entitled to them.",
)
async def list_ledger_entries(
    tx: Tx,
    page: ListIn,
    after: Annotated[
        int, Query(ge=-1, le=LARGEST, description="The index of the last leaf seen.")
    ] = -1,
) -> Response:
    """Return the ledger's leaves after an index, with the openings due to the caller."""
    seen = after if page.after is None else int(page.after[0])
    found = await entries.list_entries(tx, after=seen, limit=page.limit)
    return EntriesOut.of(page.cut(found, place=lambda entry: (str(entry.index),))).reply()


Index = Annotated[int, Query(ge=0, le=LARGEST, description="The index of a leaf.")]
Size = Annotated[
    int, Query(ge=0, le=LARGEST, description="How many leaves the tree has: as a checkpoint says.")
]


class ProofOut(Out):
    """A proof: hashes as RFC 9162 has them."""

    hashes: list[Base64] = Field(description="In order, each 32 bytes as base64.")


@router.get(
    "/ledger/checkpoint",
    response_class=PlainTextResponse,
    summary="The tree, signed",
)
async def read_ledger_checkpoint(tx: Tx) -> Response:
    """Read a checkpoint of the ledger's tree: a signed note (C2SP tlog-checkpoint, Ed25519).

    Auditors and administrators get the newest; anyone else that of the last midnight.
    """
    return PlainTextResponse(await checkpoints.visible_note(tx))


@router.get(
    "/ledger/inclusion-proofs",
    response_model=ProofOut,
    summary="A leaf is in the tree",
    description="Prove that a leaf is in the tree of a size whose checkpoint the asker may see: "
    "RFC 9162, section 2.1.3.",
)
async def prove_ledger_inclusion(tx: Tx, leaf: Index, size: Size) -> Response:
    """Prove that a leaf is in the tree of a size that the caller may see."""
    return ProofOut.of(await checkpoints.prove_inclusion(tx, leaf=leaf, size=size)).reply()


@router.get(
    "/ledger/consistency-proofs",
    response_model=ProofOut,
    summary="The tree only grew",
    description="Prove that one tree grew out of another, both of sizes whose checkpoints the "
    "asker may see: RFC 9162, 2.1.4.",
)
async def prove_ledger_consistency(
    tx: Tx,
    old: Annotated[Size, Query(alias="from")],
    new: Annotated[Size, Query(alias="to")],
) -> Response:
    """Prove that one tree grew out of another, both of sizes that the caller may see."""
    return ProofOut.of(await checkpoints.prove_consistency(tx, old=old, new=new)).reply()
