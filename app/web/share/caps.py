"""Caps of all regions, and the form with which a controller sets one for their region."""

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


def filled_form(
    at_most: Field = "", reason: Field = "", first: Field = "", until: Field = ""
) -> Mapping[str, str]:
    """Return the form of a cap as it was filled in; without a first day it begins today."""
    return {"atMost": at_most.strip(), "reason": reason, "from": first, "until": until}


CapFormIn = Annotated[Mapping[str, str], Depends(filled_form)]


@router.get("/share/caps")
async def show_caps(
    page: PageIn,
    tx: Tx,
) -> Response:
    """Show the caps of every region, and the form for one of the caller's region."""
    return page.show("share/caps.html", **await _values(tx))


@router.post("/share/caps/confirmation")
async def show_confirmation(page: PageIn, tx: Tx, form: CapFormIn) -> Response:
    """Show what a cap would do, before it is set."""
    wanted, faults = _parse(form)
    if wanted is not None:
        faults = _fields(caps.faults_of(tx, wanted))
    if wanted is None or faults:
        return page.show("share/caps.html", status=400, **await _values(tx, form, faults=faults))
    names = await _names(tx)
    return page.show(
        "share/cap_confirmation.html",
        wanted=wanted,
        form=form,
        region=names.get(tx.caller.region or "", ""),
    )


@router.post("/share/caps")
async def set_cap(page: PageIn, tx: Tx, form: CapFormIn) -> Response:
    """Set the cap that was confirmed."""
    wanted, faults = _parse(form)
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
    around = await _values(tx, form, faults=faults, refusal=refusal)
    return page.show("share/caps.html", status=409 if refusal else 400, **around)


@router.post("/share/caps/{id}/withdrawal")
async def withdraw_cap(page: PageIn, tx: Tx, id: str) -> Response:
    """Withdraw a cap of the caller's region at once."""
    await caps.withdraw_cap(tx, parse_id(id))
    return page.go("/share/caps")


def _parse(form: Mapping[str, str]) -> tuple[CapRequest | None, Collection[str]]:
    """Return the cap that the API accepts of a form, or the fields at fault."""
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


async def _values(
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
        "form": form or filled_form(),
        "faults": faults,
        "most": MOST,
        "today": load().country.day_of(tx.at),
        "refusal": refusal,
    }
