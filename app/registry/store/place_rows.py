"""Places, the groups of alike places they belong to, and the state their owner declares.

Changing a place begins with locking its claim: then nobody can take it, and a hold on it can
neither be confirmed nor renewed. Referrals are locked before claims, so the referral of a hold that
ran out is never waited for.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy import (
    Boolean,
    DateTime,
    bindparam,
    case,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy import Uuid as UuidType
from sqlalchemy.dialects.postgresql import insert as insert_or

from app import metrics
from app.database.pool import Row
from app.database.transaction import Transaction
from app.models import Claim, Place, PlaceGroup, PlaceSecret, Site, SiteSecret
from app.registry.store.taken_names import refuse_taken_names


@dataclass(frozen=True, slots=True)
class PlaceAttributes:
    """What makes places alike.

    `genders` and `features` are sorted, so equals share a group.
    """

    kind: str
    bed_spaces: int
    sharing: str
    genders: tuple[str, ...]
    sons_up_to_age: int
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaceState:
    """A place's status: `free`, `held`, `occupied` or `out_of_service`, with reason and end.

    Only a place out of service has a reason and an end.
    """

    status: str
    reason: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A stored place by the database's clock, its label sealed with the site's wrapped `key`."""

    id: UUID
    site_id: UUID
    municipality: str
    group_id: UUID
    attributes: PlaceAttributes
    state: PlaceState
    claim: str | None
    """The kind of its claim: None, hold, placement, occupied, out_of_service or proposed."""
    created_at: datetime
    key: bytes = field(repr=False)
    sealed: bytes = field(repr=False)

    @property
    def claimed(self) -> bool:
        """Whether a hold or a placement lives on it."""
        return self.state.status != "free" and self.claim in {"hold", "placement"}


_ATTRIBUTES = tuple(PlaceAttributes.__slots__)
_STATUS = case(
    (Claim.claimed_until <= func.clock_timestamp(), "free"),
    (Claim.kind == "proposed", "free"),
    (Claim.kind == "hold", "held"),
    (Claim.kind == "out_of_service", "out_of_service"),
    else_="occupied",
).label("status")
_READ = (
    select(
        Place.id,
        Place.site_id,
        Site.municipality,
        Place.group_id,
        *(getattr(PlaceGroup, name) for name in _ATTRIBUTES),
        _STATUS,
        Claim.kind.label("claim"),
        Claim.reason,
        Claim.expected_until,
        Place.created_at,
        SiteSecret.key,
        PlaceSecret.sealed,
    )
    .join(Site, Site.id == Place.site_id)
    .join(SiteSecret, SiteSecret.site_id == Place.site_id)
    .join(PlaceSecret, PlaceSecret.place_id == Place.id)
    .join(PlaceGroup, PlaceGroup.id == Place.group_id)
    .join(Claim, Claim.place_id == Place.id)
    .order_by(Place.created_at, Place.id)
)


async def lock(tx: Transaction, place_id: UUID, *, provider_id: UUID) -> None:
    """Keep others from taking or changing this provider's place until the transaction ends."""
    await tx.rows(
        select(Claim.place_id)
        .join(Place, Place.id == Claim.place_id)
        .where(Claim.place_id == place_id, Place.provider_id == provider_id)
        .with_for_update(of=Claim, key_share=True)
    )


async def read(tx: Transaction, place_id: UUID, *, provider_id: UUID) -> PlaceRow | None:
    """Return a place of this provider."""
    row = await tx.row(_READ.where(Place.id == place_id, Place.provider_id == provider_id))
    return None if row is None else _place(row)


async def list_of_provider(
    tx: Transaction,
    provider_id: UUID,
    *,
    site_id: UUID | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[PlaceRow]:
    """Return a provider's places, oldest first; of one site if it is given."""
    statement = _READ.where(Place.provider_id == provider_id).limit(limit)
    if site_id is not None:
        statement = statement.where(Place.site_id == site_id)
    if after is not None:
        statement = statement.where(tuple_(Place.created_at, Place.id) > tuple_(*after))
    return [_place(row) for row in await tx.rows(statement)]


async def add(tx: Transaction, place: PlaceRow, *, provider_id: UUID, label_hash: bytes) -> None:
    """Store a new, free place in a group that counts it already.

    Refuse a label that another place of the site has.
    """
    await tx.run(
        insert(Place).values(
            id=place.id,
            provider_id=provider_id,
            site_id=place.site_id,
            group_id=place.group_id,
            created_at=place.created_at,
        )
    )
    secret = {"sealed": place.sealed, "label_hash": label_hash}
    with refuse_taken_names():
        await tx.run(
            insert(PlaceSecret).values(place_id=place.id, provider_id=provider_id, **secret)
        )
    await tx.run(insert(Claim).values(place_id=place.id, group_id=place.group_id))


async def relabel(tx: Transaction, place_id: UUID, *, sealed: bytes, label_hash: bytes) -> None:
    """Store a new label; refuse one that another place of the site has."""
    relabelled = update(PlaceSecret).where(PlaceSecret.place_id == place_id)
    with refuse_taken_names():
        await tx.run(relabelled.values(sealed=sealed, label_hash=label_hash))


async def find_group(tx: Transaction, site_id: UUID, *, attributes: PlaceAttributes) -> UUID:
    """Find or make the group of places with these attributes at a site."""
    values = {"site_id": site_id, **asdict(attributes)}
    await tx.run(insert_or(PlaceGroup).values(id=uuid4(), **values).on_conflict_do_nothing())
    same = [getattr(PlaceGroup, name) == value for name, value in values.items()]
    return (await tx.rows(select(PlaceGroup.id).where(*same)))[0].id


async def count_members(tx: Transaction, *, into: UUID, out_of: UUID | None = None) -> None:
    """Correct the counts of two groups, in one order so that two moves never deadlock."""
    steps = {into: 1} | ({} if out_of is None else {out_of: -1})
    for group_id, step in sorted(steps.items()):
        await tx.run(
            update(PlaceGroup)
            .where(PlaceGroup.id == group_id)
            .values(places=PlaceGroup.places + step)
        )


async def move(tx: Transaction, place_id: UUID, *, group_id: UUID) -> None:
    """Put a place into another group of its site; its claim follows."""
    await tx.run(update(Place).where(Place.id == place_id).values(group_id=group_id))


_RESOLVE = text("SELECT status FROM note_lapsed(NULL, :place_id) AS status").bindparams(
    bindparam("place_id", type_=UuidType())
)

_OCCUPY = text("""
UPDATE claims SET kind = :kind, hold_id = NULL, placement_id = NULL, since = clock_timestamp(),
                  claimed_until = CASE WHEN :free THEN '-infinity' ELSE 'infinity' END::timestamptz,
                  reason = :reason, expected_until = :expected_until
WHERE place_id = :place_id
  AND (kind IS NULL OR kind IN ('occupied', 'out_of_service', 'proposed')
       OR (kind = 'hold' AND claimed_until <= clock_timestamp()))
""").bindparams(
    bindparam("place_id", type_=UuidType()),
    bindparam("free", type_=Boolean()),
    bindparam("expected_until", type_=DateTime(timezone=True)),
)


async def declare(tx: Transaction, place_id: UUID, *, state: PlaceState) -> bool:
    """Make a place free, occupied or out of service.

    False if it has a live hold or placement.

    A hold that ran out is resolved as the sweeper would do it. If its referral is locked, it is
    left to the sweeper: the referral counts as open already.
    """
    values = {
        "place_id": place_id,
        "free": state.status == "free",
        "kind": None if state.status == "free" else state.status,
        "reason": state.reason,
        "expected_until": state.until,
    }
    if await tx.run(_OCCUPY, values) == 0:
        return False
    if lapsed := await tx.rows(_RESOLVE, {"place_id": place_id}):
        tx.after_commit.append(partial(metrics.count_holds, [row.status for row in lapsed]))
        tx.wrote_outbox()
    return True


def _place(row: Row) -> PlaceRow:
    attributes = PlaceAttributes(
        kind=row.kind,
        bed_spaces=row.bed_spaces,
        sharing=row.sharing,
        genders=tuple(row.genders),
        sons_up_to_age=row.sons_up_to_age,
        features=tuple(row.features),
    )
    out = row.status == "out_of_service"
    return PlaceRow(
        id=row.id,
        site_id=row.site_id,
        municipality=row.municipality,
        group_id=row.group_id,
        attributes=attributes,
        state=PlaceState(
            row.status, row.reason if out else None, row.expected_until if out else None
        ),
        claim=row.claim,
        created_at=row.created_at,
        key=row.key,
        sealed=row.sealed,
    )
