"""Caps: everybody's to see, with what they displaced.

A region's controller sets one, after being told what it does.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response
from pydantic import ValidationError

from app.api.kit.wire import parse_id
from app.api.shares.caps import MOST, CapIn
from app.database.caller import Role
from app.deps import Tx
from app.errors import Conflict, Fault, Invalid, Refusal
from app.placing import caps
from app.placing.caps import CapRequest
from app.reference import load
from app.web.page import PageIn

router = APIRouter()

SHOWN = 200
Field = Annotated[str, Form(max_length=60)]


def filled(
    at_most: Field = "", reason: Field = "", first: Field = "", until: Field = ""
) -> Mapping[str, str]:
    """Return what was filled in, as it was; an empty first day is today."""
    return {"atMost": at_most.strip(), "reason": reason, "from": first, "until": until}


FormIn = Annotated[Mapping[str, str], Depends(filled)]


@router.get("/share/caps")
async def listed(
    page: PageIn,
    tx: Tx,
) -> Response:
    """Show every region's caps, and the form for one's own."""
    return page.show("share/caps.html", **await _around(tx))


@router.post("/share/caps/confirmation")
async def confirm(page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Say what the cap would do, before anything is done."""
    wanted, faults = _read(form)
    if wanted is not None:
        faults = _fields(caps.faults_of(tx, wanted))
    if wanted is None or faults:
        return page.show("share/caps.html", status=400, **await _around(tx, form, faults=faults))
    names = await _names(tx)
    return page.show(
        "share/cap_confirmation.html",
        wanted=wanted,
        form=form,
        region=names.get(tx.caller.region or "", ""),
    )


@router.post("/share/caps")
async def set_cap(page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Set the cap that was confirmed."""
    wanted, faults = _read(form)
    refusal: Refusal | None = None
    if wanted is not None:
        try:
            await caps.set_cap(tx, wanted)
        except Invalid as invalid:
            faults = _fields(invalid.faults)
        except Conflict as conflict:
            refusal = conflict
        else:
            return page.go("/share/caps")
    around = await _around(tx, form, faults=faults, refusal=refusal)
    return page.show("share/caps.html", status=409 if refusal else 400, **around)


@router.post("/share/caps/{id}/withdrawal")
async def withdraw(page: PageIn, tx: Tx, id: str) -> Response:
    """End a cap of one's own region at once."""
    await caps.withdraw_cap(tx, parse_id(id))
    return page.go("/share/caps")


def _read(form: Mapping[str, str]) -> tuple[CapRequest | None, Collection[str]]:
    """Return what is wanted, by the rules of the API.

    Or the fields in which something is wrong.
    """
    most = form["atMost"]
    said = {
        **form,
        "atMost": int(most) if most.isascii() and most.isdigit() else most,
        "from": form["from"] or None,
    }
    try:
        read = CapIn.model_validate(said)
    except ValidationError as wrong:
        return None, {str(fault["loc"][0]) for fault in wrong.errors()}
    return CapRequest(read.at_most, read.reason, read.from_, read.until), ()


def _fields(faults: Iterable[Fault]) -> Collection[str]:
    return {fault.pointer.removeprefix("/") for fault in faults}


async def _names(tx: Tx) -> Mapping[str, str]:
    return {
        code: region.name for code, region in (await tx.snapshots.reference(tx)).regions.items()
    }


async def _around(
    tx: Tx,
    form: Mapping[str, str] | None = None,
    *,
    faults: Collection[str] = (),
    refusal: Refusal | None = None,
) -> dict[str, Any]:
    shown = await caps.list_for(tx, region=None, limit=SHOWN, after=None)
    region = tx.caller.region if tx.caller.has(Role.AUDITOR) else None
    return {
        "shown": sorted(shown, key=lambda one: not one.in_force),
        "region": region,
        "names": await _names(tx),
        "reasons": tuple(load().codes["cap_reasons"].codes),
        "form": form or filled(),
        "faults": faults,
        "most": MOST,
        "today": load().country.day_of(tx.at),
        "refusal": refusal,
    }
