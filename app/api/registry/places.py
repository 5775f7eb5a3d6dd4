"""Own places on the wire: what each is like, and whether it is free."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
)

from app.allocation.values import MOST_BEDS, OLDEST_CHILD
from app.api.kit.known_codes import Features, Genders, OutOfServiceReason, PlaceKind, Sharing
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import OnceIn
from app.api.kit.wire import (
    Id,
    In,
    Line,
    Moment,
    Name,
    Out,
    absent,
    aliases_from,
    check_match,
    parse_id,
    parse_optional_id,
    sent_fields,
    single,
)
from app.deps import Tx
from app.registry import places
from app.registry.places import PlaceAttributes, PlaceState

router = APIRouter(tags=["Places"])

OUT = "out_of_service"

BedSpaces = Annotated[
    int, Field(strict=True, ge=1, le=MOST_BEDS, description="Persons that it sleeps.")
]
SonsUpToAge = Annotated[
    int,
    Field(strict=True, ge=0, le=OLDEST_CHILD, description="Sons up to and including this age."),
]


class PlaceWanted(In):
    """A place to be added to an own site."""

    site_id: Line
    label: Name = Field(
        description="No two places of a site have the same, whatever their case.", examples=["2B"]
    )
    kind: PlaceKind
    bed_spaces: BedSpaces
    sharing: Sharing
    genders: Genders
    sons_up_to_age: SonsUpToAge = 17
    features: Features = Field(default_factory=list[str])


class PlaceChange(In):
    """What of a place is to be changed; what is not sent stays as it is."""

    label: Name = Field(default_factory=absent)
    kind: PlaceKind = Field(default_factory=absent)
    bed_spaces: BedSpaces = Field(default_factory=absent)
    sharing: Sharing = Field(default_factory=absent)
    genders: Genders = Field(default_factory=absent)
    sons_up_to_age: SonsUpToAge = Field(default_factory=absent)
    features: Features = Field(default_factory=absent)
    status: Literal["free", "occupied", "out_of_service"] = Field(
        default_factory=absent, description="`occupied`: by a household that came without Plek."
    )
    reason: OutOfServiceReason | None = Field(
        default=None,
        validate_default=True,
        description="Why it is out of service; required for exactly that.",
    )
    until: Moment | None = Field(default=None, description="When it may be back in service.")

    @field_validator("reason")
    @classmethod
    def _reason_where_out(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if "status" in info.data and (reason is not None) != (info.data["status"] == OUT):
            message = "belongs to the status out_of_service, and only to that"
            raise ValueError(message)
        return reason

    @field_validator("until")
    @classmethod
    def _until_where_out(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        if until is not None and info.data.get("status", OUT) != OUT:
            message = "belongs to the status out_of_service"
            raise ValueError(message)
        return until

    def state(self) -> PlaceState | None:
        """Return the state that was sent, if one was."""
        return (
            PlaceState(self.status, self.reason, self.until)
            if "status" in self.model_fields_set
            else None
        )

    def attributes(self) -> dict[str, Any]:
        """Return everything else that was sent."""
        return {
            name: value
            for name, value in sent_fields(self).items()
            if name not in PlaceState.__slots__
        }


class PlaceOut(Out, alias_generator=aliases_from("row", "row.attributes", "row.state")):
    """An own place."""

    id: Id
    site_id: Id
    label: str
    kind: str
    bed_spaces: int
    sharing: str
    genders: list[str]
    sons_up_to_age: int
    features: list[str]
    status: Literal["free", "held", "occupied", "out_of_service"]
    reason: str | None = Field(description="Why it is out of service.")
    until: datetime | None = Field(description="When it may be back in service.")


class PlacesOut(Out):
    """A page of own places, oldest first."""

    items: list[PlaceOut]
    next_cursor: str | None


@router.post(
    "/places",
    status_code=201,
    response_model=PlaceOut,
    summary="Add a place",
)
async def create_place(wanted: PlaceWanted, tx: Tx, once: OnceIn) -> Response:
    """Add a free place to an own site; 409 `label_taken` if a place there has the same label."""
    content = sent_fields(wanted, all_fields=True)
    site_id, label = parse_id(content.pop("site_id")), content.pop("label")
    place = await places.add(
        tx, site_id=site_id, label=label, attributes=PlaceAttributes(**content)
    )
    return await once.keep(tx, PlaceOut.of(place).reply(201, etag=True))


@router.get("/places", response_model=PlacesOut, summary="Own places")
async def list_places(
    tx: Tx,
    page: ListIn,
    site_id: Annotated[
        str | None, Query(alias="siteId", max_length=200, description="Only of this site.")
    ] = None,
) -> Response:
    """Return the own places."""
    found = await places.list_own(
        tx, site_id=parse_optional_id(site_id), limit=page.limit + 1, after=moment_and_id(page)
    )
    shown = page.cut(
        found, place=lambda place: (place.row.created_at.isoformat(), str(place.row.id))
    )
    return PlacesOut.of(shown).reply()


@router.get("/places/{id}", response_model=PlaceOut, summary="One own place")
async def read_place(id: str, request: Request, tx: Tx) -> Response:
    """Return an own place."""
    place = await places.read(tx, parse_id(id))
    return single(PlaceOut.of(place), request)


@router.patch("/places/{id}", response_model=PlaceOut, summary="Change a place")
async def change_place(id: str, wanted: PlaceChange, request: Request, tx: Tx) -> Response:
    """Change an own place or its status; 409 `claimed` while a hold or a placement lives.

    The label may change all the same, to one that no other place there has (409 `label_taken`).
    Without If-Match the last write wins.
    """
    place = await places.read(tx, parse_id(id), lock=True)
    check_match(request, PlaceOut.of(place))
    changed = await places.change(tx, place, changes=wanted.attributes(), state=wanted.state())
    return PlaceOut.of(changed).reply(etag=True)
