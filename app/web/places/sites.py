"""Own sites: added, changed, said to be true, paused.

And the sheet from which an address can be asked for.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from app.api.kit.disclosure import admit_apart
from app.api.kit.wire import parse_id, sent
from app.api.registry.addresses import RevealWanted, reveal_address
from app.api.registry.sites import SiteChange, SiteOut, SiteWanted
from app.database.transaction import Transaction
from app.deps import Tx
from app.errors import Invalid
from app.registry import sites
from app.registry.address import AddressQuestion
from app.registry.imports.csv_files import tidy_text
from app.registry.sites import SiteTraits
from app.web.language import _
from app.web.page import Page, PageIn
from app.web.places import view
from app.web.places.answers import said, sheet, version_of
from app.web.places.forms import TAKEN, Form, FormIn, faults_of, read, required, unchanged

router = APIRouter(include_in_schema=False)


@router.get("/places/site")
async def new(page: PageIn, tx: Tx) -> Response:
    """Show the form of a new site."""
    return await _new(page, tx, values={}, faults={})


@router.post("/places/site")
async def add(page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Add a site; its places come next."""
    where = {name: form.one(name) for name in ("street", "postcode", "city")}
    wanted, faults = read(
        SiteWanted, _body(form) | {"municipality": form.one("municipality"), "address": where}
    )
    # What has its name already cannot be told from it, by people or by files.
    await sites.lock_additions(tx)
    if wanted is not None and await _has(tx, wanted.name):
        wanted, faults = None, {"name": TAKEN}
    if wanted is None:
        return await _new(page, tx, values=form.values, faults=faults)
    content = sent(wanted, all_fields=True)
    name, address = content.pop("name"), content.pop("address")
    await sites.add(tx, name=name, address=address, traits=SiteTraits(**content))
    return said(page, _("%(site)s is added. Now add its places.") % {"site": name})


@router.get("/places/site/{id}")
async def one(id: str, page: PageIn, tx: Tx) -> Response:
    """Show what there is to say and to do about a site."""
    site = await sites.read(tx, parse_id(id))
    return await _sheet(page, tx, site, values=_values(site), faults={})


@router.post("/places/site/{id}")
async def change(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Change a site."""
    site = await sites.read(tx, parse_id(id), lock=True)
    unchanged(form, version_of(SiteOut.of(site)))
    wanted, faults = read(SiteChange, _body(form))
    if wanted is not None and await _has(tx, wanted.name, but=site.id):
        wanted, faults = None, {"name": TAKEN}
    if wanted is None:
        return await _sheet(page, tx, site, values=form.values, faults=faults)
    try:
        await sites.change(tx, site, changes=sent(wanted))
    except Invalid as refusal:
        return await _sheet(page, tx, site, values=form.values, faults=faults_of(refusal))
    return said(page, _("%(site)s is changed.") % {"site": wanted.name})


@router.post("/places/site/{id}/confirmation")
async def confirm(
    id: str,
    page: PageIn,
    tx: Tx,
) -> Response:
    """Say that everything at a site is true as of now."""
    await sites.confirm(tx, parse_id(id))
    return said(page, _("Thank you: everything there is true as of now."))


@router.post("/places/site/{id}/admission")
async def admit(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Pause the admission of a site, or open it again."""
    wanted = required(SiteChange, {"admission": form.one("admission")})
    site = await sites.read(tx, parse_id(id), lock=True)
    await sites.change(tx, site, changes=sent(wanted))
    if wanted.admission == "open":
        return said(page, _("%(site)s admits people again.") % {"site": site.name})
    return said(
        page, _("%(site)s admits nobody for now. Who has a promise keeps it.") % {"site": site.name}
    )


@router.post("/places/site/{id}/alarm")
async def alarm(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Say why nobody is safe at a site any more; or that they are again."""
    wanted = required(SiteChange, {"compromised": form.one("compromised")})
    site = await sites.read(tx, parse_id(id), lock=True)
    await sites.change(tx, site, changes=sent(wanted))
    if wanted.compromised is None:
        return said(page, _("%(site)s is safe again.") % {"site": site.name})
    return said(
        page,
        _("Everybody concerned by %(site)s is warned. Nobody is sent there.") % {"site": site.name},
    )


@router.post("/places/site/{id}/address", dependencies=[Depends(admit_apart)])
async def reveal(id: str, request: Request, form: FormIn) -> Response:
    """Show the address of an own site once, for a purpose.

    The access log has its entry before the address is read.
    """
    wanted = required(RevealWanted, {"purpose": form.one("purpose")})
    question = AddressQuestion(parse_id(id), wanted.purpose, None)
    found = await reveal_address(request, question)
    return sheet(Page(request), "places/_address.html", address=found)


def _body(form: Form) -> dict[str, Any]:
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


async def _has(tx: Transaction, name: str, *, but: UUID | None = None) -> bool:
    known = await view.own_sites(tx)
    return any(tidy_text(site.name) == tidy_text(name) and site.id != but for site in known)


async def _new(
    page: Page, tx: Transaction, *, values: Mapping[str, Any], faults: Mapping[str, str]
) -> Response:
    towns = (await tx.snapshots.reference(tx)).municipalities.values()
    return sheet(
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
    return sheet(
        page,
        "places/_site.html",
        status=400 if faults else 200,
        site=site,
        town=reference.municipalities[site.traits.municipality].name,
        values=values,
        faults=faults,
        version=version_of(SiteOut.of(site)),
    )
