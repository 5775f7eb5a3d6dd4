"""Places: what a provider says of its units, and whether they are free."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from app.database import counters
from app.database.transaction import Transaction
from app.errors import Conflict, Missing
from app.registry import names
from app.registry.sites import announce_counts
from app.registry.store import place_rows, site_rows
from app.registry.store.place_rows import PlaceAttributes, PlaceRow, PlaceState
from app.seal import DataKey, Keyring

FREE = PlaceState("free")


class PlaceClaimed(Conflict):
    """A hold or a placement lives on the place.

    What a household was promised must not change.
    """

    def __init__(self) -> None:
        super().__init__("claimed", "A hold or a placement lives on this place.")


@dataclass(frozen=True, slots=True)
class OwnPlace:
    """A place as its owner sees it."""

    label: str
    row: PlaceRow
    key: DataKey = field(repr=False)
    """The data key of its site."""


async def add(
    tx: Transaction, *, site_id: UUID, label: str, attributes: PlaceAttributes
) -> OwnPlace:
    """Add a free place to a site of the caller's provider, with a label of its own there."""
    site = await site_rows.read(tx, site_id, provider_id=tx.caller.provider)
    if site is None:
        raise Missing
    id_ = uuid4()
    key = tx.keyring.unwrap(site.key, row=str(site.id))
    row = PlaceRow(
        id=id_,
        site_id=site.id,
        municipality=site.traits.municipality,
        group_id=await place_rows.find_group(tx, site.id, attributes=attributes),
        attributes=attributes,
        state=FREE,
        claim=None,
        created_at=tx.at,
        key=site.key,
        sealed=key.seal(label.encode(), row=str(id_)),
    )
    await place_rows.count_members(tx, into=row.group_id)
    await place_rows.add(
        tx,
        row,
        provider_id=tx.caller.provider,
        label_hash=names.hash_name(await names.read_key(tx), label, within=site.id),
    )
    await announce_counts(tx, municipality=row.municipality)
    await counters.advance(tx, "register")
    return OwnPlace(label, row, key)


async def read(tx: Transaction, place_id: UUID, *, lock: bool = False) -> OwnPlace:
    """Return a place of the caller's provider.

    With `lock`, nobody else can take or change it.
    """
    if lock:
        # Lock before reading: the row may have changed during the wait.
        await place_rows.lock(tx, place_id, provider_id=tx.caller.provider)
    row = await place_rows.read(tx, place_id, provider_id=tx.caller.provider)
    if row is None:
        raise Missing
    return _unseal([row], tx.keyring)[0]


async def list_own(
    tx: Transaction, *, site_id: UUID | None, limit: int, after: tuple[datetime, UUID] | None
) -> list[OwnPlace]:
    """Return places of the caller's provider, oldest first.

    Of one site if it is given.
    """
    rows = await place_rows.list_of_provider(
        tx, tx.caller.provider, site_id=site_id, limit=limit, after=after
    )
    return _unseal(rows, tx.keyring)


async def change(
    tx: Transaction, place: OwnPlace, *, changes: Mapping[str, Any], state: PlaceState | None
) -> OwnPlace:
    """Change the named attributes of a locked place, and declare its state if one is given.

    While a hold or a placement lives on it, only the label may change.
    """
    row = place.row
    label: str = changes.get("label", place.label)
    attributes = replace(
        row.attributes, **{name: value for name, value in changes.items() if name != "label"}
    )
    if label != place.label:
        row = replace(row, sealed=place.key.seal(label.encode(), row=str(row.id)))
        label_hash = names.hash_name(await names.read_key(tx), label, within=row.site_id)
        await place_rows.relabel(tx, row.id, sealed=row.sealed, label_hash=label_hash)
    moved = attributes != row.attributes
    if (moved or state is not None) and row.claimed:
        raise PlaceClaimed
    declared = _state_to_declare(row, state, moved=moved)
    if declared is not None:
        if not await place_rows.declare(tx, row.id, state=declared):
            raise PlaceClaimed
        row = replace(row, state=declared)
    if moved:
        row = await _move(tx, row, attributes)
    if declared is not None or moved:
        await announce_counts(tx, municipality=row.municipality)
    if moved:
        await counters.advance(tx, "register")
    return OwnPlace(label, row, place.key)


def _state_to_declare(row: PlaceRow, state: PlaceState | None, *, moved: bool) -> PlaceState | None:
    """Return the state to declare for a changed place, or None if nothing has to be declared.

    A place that changes is taken from a hold that ran out on it: such a hold must not be revived on
    what is now another place.
    """
    if state is not None and state != row.state:
        return state
    return row.state if moved and row.claim == "hold" else None


async def _move(tx: Transaction, row: PlaceRow, attributes: PlaceAttributes) -> PlaceRow:
    group_id = await place_rows.find_group(tx, row.site_id, attributes=attributes)
    await place_rows.count_members(tx, into=group_id, out_of=row.group_id)
    await place_rows.move(tx, row.id, group_id=group_id)
    return replace(row, group_id=group_id, attributes=attributes)


def _unseal(rows: list[PlaceRow], keyring: Keyring) -> list[OwnPlace]:
    """Unseal the labels; the key of each site is unwrapped once."""
    keys: dict[UUID, DataKey] = {}
    opened: list[OwnPlace] = []
    for row in rows:
        key = keys.get(row.site_id) or keyring.unwrap(row.key, row=str(row.site_id))
        keys[row.site_id] = key
        opened.append(OwnPlace(key.unseal(row.sealed, row=str(row.id)).decode(), row, key))
    return opened
