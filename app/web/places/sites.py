"""Own sites: to add, change, confirm, pause and warn of, and to ask for their address."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from app.api.kit.disclosure import admit_apart
from app.api.kit.wire import parse_id, sent_fields
from app.api.registry.addresses import RevealWanted, reveal_address
from app.api.registry.sites import SiteChange, SiteOut, SiteWanted
from app.database.transaction import Transaction
from app.deps import Tx
from app.errors import Conflict, Invalid
from app.registry import sites
from app.registry.address import AddressQuestion
from app.registry.sites import SiteTraits
from app.web.language import _
from app.web.page import Page, PageIn
from app.web.places.answers import say, show_sheet, version_of
from app.web.places.forms import (
    FormFields,
    FormIn,
    faults_of,
    parse,
    require,
    require_version,
    taken_by,
)

router = APIRouter(include_in_schema=False)


@router.get("/places/site")
async def show_new_site(page: PageIn, tx: Tx) -> Response:
    """Show the form of a new site."""
    return await _new(page, tx, values={}, faults={})


@router.post("/places/site")
async def add_site(page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Add a site, whose places come next."""
    where = {name: form.one(name) for name in ("street", "postcode", "city")}
    wanted, faults = parse(
        SiteWanted, _body(form) | {"municipality": form.one("municipality"), "address": where}
    )
    if wanted is None:
        return await _new(page, tx, values=form.values, faults=faults)
    content = sent_fields(wanted, all_fields=True)
    name, address = content.pop("name"), content.pop("address")
    try:
        async with tx.attempt():
            await sites.add(tx, name=name, address=address, traits=SiteTraits(**content))
    except Conflict as refusal:
        return await _new(page, tx, values=form.values, faults=taken_by(refusal))
    return say(
        page,
        _("%(site)s is proposed, and a colleague has to approve it. You can add its places.")
        % {"site": name},
    )


@router.get("/places/site/{id}")
async def show_site(id: str, page: PageIn, tx: Tx) -> Response:
    """Show a site, with the form that changes it."""
    site = await sites.read(tx, parse_id(id))
    return await _sheet(page, tx, site, values=_values(site), faults={})


@router.post("/places/site/{id}")
async def change_site(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Change a site."""
    site = await sites.read(tx, parse_id(id), lock=True)
    require_version(form, version_of(SiteOut.of(site)))
    wanted, faults = parse(SiteChange, _body(form))
    if wanted is None:
        return await _sheet(page, tx, site, values=form.values, faults=faults)
    try:
        async with tx.attempt():
            await sites.change(tx, site, changes=sent_fields(wanted))
    except Invalid as refusal:
        return await _sheet(page, tx, site, values=form.values, faults=faults_of(refusal))
    except Conflict as refusal:
        return await _sheet(page, tx, site, values=form.values, faults=taken_by(refusal))
    if site.traits.address_secrecy != "known" and wanted.address_secrecy == "known":
        return say(
            page,
            _("%(site)s is changed. That its address is known, a colleague has to approve.")
            % {"site": wanted.name},
        )
    return say(page, _("%(site)s is changed.") % {"site": wanted.name})


@router.post("/places/site/{id}/move")
async def move_site(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Propose another address of a site."""
    site = await sites.read(tx, parse_id(id), lock=True)
    require_version(form, version_of(SiteOut.of(site)))
    where = {name: form.one(name) for name in ("street", "postcode", "city")}
    wanted, faults = parse(SiteChange, {"municipality": form.one("municipality"), "address": where})
    if wanted is None:
        return await _sheet(page, tx, site, values=_values(site), faults=faults)
    await sites.change(tx, site, changes=sent_fields(wanted))
    return say(
        page, _("Proposed: a colleague has to approve where %(site)s is.") % {"site": site.name}
    )


@router.post("/places/site/{id}/confirmation")
async def confirm_site(
    id: str,
    page: PageIn,
    tx: Tx,
) -> Response:
    """Confirm that all counts at a site are true as of now."""
    await sites.confirm(tx, parse_id(id))
    return say(page, _("Thank you: everything there is true as of now."))


@router.post("/places/site/{id}/admission")
async def set_admission(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Pause the admission of a site, or open it again."""
    wanted = require(SiteChange, {"admission": form.one("admission")})
    site = await sites.read(tx, parse_id(id), lock=True)
    await sites.change(tx, site, changes=sent_fields(wanted))
    if wanted.admission == "open":
        return say(page, _("%(site)s admits people again.") % {"site": site.name})
    return say(
        page, _("%(site)s admits nobody for now. Who has a promise keeps it.") % {"site": site.name}
    )


@router.post("/places/site/{id}/alarm")
async def set_alarm(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Record why a site is unsafe, or that it is safe again."""
    wanted = require(SiteChange, {"compromised": form.one("compromised")})
    site = await sites.read(tx, parse_id(id), lock=True)
    await sites.change(tx, site, changes=sent_fields(wanted))
    if wanted.compromised is None:
        return say(page, _("%(site)s is safe again.") % {"site": site.name})
    return say(
        page,
        _("Everybody concerned by %(site)s is warned. Nobody is sent there.") % {"site": site.name},
    )


@router.post("/places/site/{id}/address", dependencies=[Depends(admit_apart)])
async def reveal_address_of_site(id: str, request: Request, form: FormIn) -> Response:
    """Show the address of an own site once, for a purpose.

    The access log has its entry before the address is read.
    """
    wanted = require(RevealWanted, {"purpose": form.one("purpose")})
    question = AddressQuestion(parse_id(id), wanted.purpose, None)
    found = await reveal_address(request, question)
    return show_sheet(Page(request), "places/_address.html", address=found)


def _body(form: FormFields) -> dict[str, Any]:
    return {
        "name": form.one("name"),
        "addressSecrecy": form.one("addressSecrecy"),
        "supervision": form.one("supervision"),
        "features": form.many("features"),
        "specialisms": form.many("specialisms"),
        "exclusiveTo": form.many("exclusiveTo"),
        "automaticAcceptance": form.one("automaticAcceptance") is not None,
    }


def _values(site: sites.OwnSite) -> Mapping[str, Any]:
    shown = SiteOut.of(site).model_dump(by_alias=True)
    return shown | {"automaticAcceptance": ["yes"] if site.traits.automatic_acceptance else []}


async def _new(
    page: Page, tx: Transaction, *, values: Mapping[str, Any], faults: Mapping[str, str]
) -> Response:
    towns = (await tx.snapshots.reference(tx)).municipalities.values()
    return show_sheet(
        page,
        "places/_site_new.html",
        status=400 if faults else 200,
        towns=sorted(towns, key=lambda town: town.name),
        values=values,
        faults=faults,
    )


async def _sheet(
    page: Page,
    tx: Transaction,
    site: sites.OwnSite,
    *,
    values: Mapping[str, Any],
    faults: Mapping[str, str],
) -> Response:
    reference = await tx.snapshots.reference(tx)
    return show_sheet(
        page,
        "places/_site.html",
        status=400 if faults else 200,
        site=site,
        town=reference.municipalities[site.traits.municipality].name,
        towns=sorted(reference.municipalities.values(), key=lambda town: town.name),
        values=values,
        faults=faults,
        version=version_of(SiteOut.of(site)),
    )
