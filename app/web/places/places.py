"""Own places: to add one or several alike at once, and to change."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from app.allocation.values import MOST_BEDS, OLDEST_CHILD
from app.api.kit.wire import parse_id, sent_fields
from app.api.registry.places import PlaceChange, PlaceOut, PlaceWanted
from app.deps import Tx
from app.errors import Conflict
from app.registry import places, sites
from app.registry.places import OwnPlace, PlaceAttributes
from app.registry.sites import OwnSite
from app.web.language import _, ngettext
from app.web.page import Page, PageIn
from app.web.places.answers import say, show_sheet, version_of
from app.web.places.forms import (
    NOTHING,
    Faults,
    FormFields,
    FormIn,
    parse,
    require_version,
    taken_by,
)

router = APIRouter(include_in_schema=False)

USUAL: Mapping[str, Any] = {"genders": ["female"], "sonsUpToAge": 17, "bedSpaces": 2}
"""The attributes of most places, with which the form of a new one begins."""
LIMITS = {"most_beds": MOST_BEDS, "oldest_child": OLDEST_CHILD}


@router.get("/places/site/{id}/place")
async def show_new_place(id: str, page: PageIn, tx: Tx) -> Response:
    """Show the form of new places at a site."""
    site = await sites.read(tx, parse_id(id))
    return _new(page, site, values=USUAL, faults={})


@router.post("/places/site/{id}/place")
async def add_places(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Add free places that are alike, one for each label."""
    site = await sites.read(tx, parse_id(id))
    labels = [
        label for label in (part.strip() for part in (form.one("label") or "").split(",")) if label
    ]
    faults: Faults = {} if labels else {"label": NOTHING}
    wanted: list[PlaceWanted] = []
    for label in labels:
        body, wrong = parse(PlaceWanted, _body(form) | {"siteId": id, "label": label})
        wanted += [] if body is None else [body]
        faults = {**faults, **wrong}
    if faults:
        return _new(page, site, values=form.values, faults=faults)
    try:
        async with tx.attempt():
            for one in wanted:
                content = sent_fields(one, all_fields=True)
                label = content.pop("label")
                del content["site_id"]
                attributes = PlaceAttributes(**content)
                await places.add(tx, site_id=site.id, label=label, attributes=attributes)
    except Conflict as refusal:
        return _new(page, site, values=form.values, faults=taken_by(refusal))
    return say(
        page,
        ngettext("One place is added.", "%(num)d places are added.", len(wanted))
        % {"num": len(wanted)},
    )


@router.get("/places/place/{id}")
async def show_place(id: str, page: PageIn, tx: Tx) -> Response:
    """Show a place, with its attributes and why it is out of service."""
    place = await places.read(tx, parse_id(id))
    site = await sites.read(tx, place.row.site_id)
    return _sheet(page, place, site, values=PlaceOut.of(place).model_dump(by_alias=True), faults={})


@router.post("/places/place/{id}")
async def change_place(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Change the attributes of a place; of a claimed one, only its label."""
    place = await places.read(tx, parse_id(id), lock=True)
    site = await sites.read(tx, place.row.site_id)
    require_version(form, version_of(PlaceOut.of(place)))
    label = {"label": form.one("label")}
    wanted, faults = parse(PlaceChange, label if place.row.claimed else _body(form) | label)
    if wanted is None:
        return _sheet(page, place, site, values=form.values, faults=faults)
    try:
        async with tx.attempt():
            await places.change(tx, place, changes=wanted.attributes(), state=None)
    except Conflict as refusal:
        return _sheet(page, place, site, values=form.values, faults=taken_by(refusal))
    return say(page, _("%(place)s is changed.") % {"place": wanted.label})


def _body(form: FormFields) -> dict[str, Any]:
    return {
        "kind": form.one("kind"),
        "bedSpaces": form.number("bedSpaces"),
        "sharing": form.one("sharing"),
        "genders": form.many("genders"),
        "sonsUpToAge": form.number("sonsUpToAge"),
        "features": form.many("features"),
    }


def _new(page: Page, site: OwnSite, *, values: Mapping[str, Any], faults: Faults) -> Response:
    return show_sheet(
        page,
        "places/_place_new.html",
        status=400 if faults else 200,
        site=site,
        values=values,
        faults=faults,
        **LIMITS,
    )


def _sheet(
    page: Page, place: OwnPlace, site: OwnSite, *, values: Mapping[str, Any], faults: Faults
) -> Response:
    return show_sheet(
        page,
        "places/_place.html",
        status=400 if faults else 200,
        place=place,
        site=site,
        values=values,
        faults=faults,
        **LIMITS,
        version=version_of(PlaceOut.of(place)),
    )
