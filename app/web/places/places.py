"""Own places: added, several alike at once, and changed."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from app.api.kit.wire import parse_id, sent
from app.api.registry.places import PlaceChange, PlaceOut, PlaceWanted
from app.database.transaction import Transaction
from app.deps import Tx
from app.registry import places, sites
from app.registry.imports.csv_files import tidy_text
from app.registry.places import OwnPlace, PlaceAttributes
from app.registry.sites import OwnSite
from app.web.language import _, ngettext
from app.web.page import Page, PageIn
from app.web.places import view
from app.web.places.answers import said, sheet, version_of
from app.web.places.forms import NOTHING, TAKEN, Faults, Form, FormIn, read, unchanged

router = APIRouter(include_in_schema=False)

USUAL: Mapping[str, Any] = {"genders": ["female"], "sonsUpToAge": 17, "bedSpaces": 2}
"""What most places are like."""


@router.get("/places/site/{id}/place")
async def new(id: str, page: PageIn, tx: Tx) -> Response:
    """Show the form of new places at a site."""
    site = await sites.read(tx, parse_id(id))
    return _new(page, site, values=USUAL, faults={})


@router.post("/places/site/{id}/place")
async def add(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Add free places that are alike, one for each label."""
    # Locked: who sends the same again waits here, and finds the labels taken.
    site = await sites.read(tx, parse_id(id), lock=True)
    labels = [
        label for label in (part.strip() for part in (form.one("label") or "").split(",")) if label
    ]
    faults: Faults = {} if labels else {"label": NOTHING}
    wanted: list[PlaceWanted] = []
    for label in labels:
        body, wrong = read(PlaceWanted, _body(form) | {"siteId": id, "label": label})
        wanted += [] if body is None else [body]
        faults = {**faults, **wrong}
    known = await _labels(tx, site.id)
    if not known.isdisjoint(map(tidy_text, labels)) or len(set(labels)) < len(labels):
        faults = {**faults, "label": TAKEN}
    if faults:
        return _new(page, site, values=form.values, faults=faults)
    for one in wanted:
        content = sent(one, all_fields=True)
        label = content.pop("label")
        del content["site_id"]
        attributes = PlaceAttributes(**content)
        await places.add(tx, site_id=site.id, label=label, attributes=attributes)
    return said(
        page,
        ngettext("One place is added.", "%(num)d places are added.", len(wanted))
        % {"num": len(wanted)},
    )


@router.get("/places/place/{id}")
async def one(id: str, page: PageIn, tx: Tx) -> Response:
    """Show what there is to say of a place.

    Why it is out of service, and what it is like.
    """
    place = await places.read(tx, parse_id(id))
    site = await sites.read(tx, place.row.site_id)
    return _sheet(page, place, site, values=PlaceOut.of(place).model_dump(by_alias=True), faults={})


@router.post("/places/place/{id}")
async def change(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Change what a place is like.

    Of one that somebody was promised, only its label.
    """
    place = await places.read(tx, parse_id(id), lock=True)
    site = await sites.read(tx, place.row.site_id)
    unchanged(form, version_of(PlaceOut.of(place)))
    label = {"label": form.one("label")}
    wanted, faults = read(PlaceChange, label if place.row.claimed else _body(form) | label)
    others = await _labels(tx, site.id) - {tidy_text(place.label)}
    if wanted is not None and tidy_text(wanted.label) in others:
        wanted, faults = None, {"label": TAKEN}
    if wanted is None:
        return _sheet(page, place, site, values=form.values, faults=faults)
    await places.change(tx, place, changes=wanted.attributes(), state=None)
    return said(page, _("%(place)s is changed.") % {"place": wanted.label})


def _body(form: Form) -> dict[str, Any]:
    return {
        "kind": form.one("kind"),
        "bedSpaces": form.number("bedSpaces"),
        "sharing": form.one("sharing"),
        "genders": form.many("genders"),
        "sonsUpToAge": form.number("sonsUpToAge"),
        "features": form.many("features"),
    }


async def _labels(
    tx: Transaction,
    site_id: UUID,
) -> set[str]:
    known = await view.own_places(tx, site_id=site_id)
    return {tidy_text(place.label) for place in known}


def _new(page: Page, site: OwnSite, *, values: Mapping[str, Any], faults: Faults) -> Response:
    return sheet(
        page,
        "places/_place_new.html",
        status=400 if faults else 200,
        site=site,
        values=values,
        faults=faults,
    )


def _sheet(
    page: Page, place: OwnPlace, site: OwnSite, *, values: Mapping[str, Any], faults: Faults
) -> Response:
    return sheet(
        page,
        "places/_place.html",
        status=400 if faults else 200,
        place=place,
        site=site,
        values=values,
        faults=faults,
        version=version_of(PlaceOut.of(place)),
    )
