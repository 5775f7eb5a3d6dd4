"""Availability: live for the owner, in bands and in steps for others, with its freshness."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.database import outbox
from app.database.caller import STAFF
from app.database.transaction import Transaction
from app.registry.store import availability_rows
from app.registry.store.availability_rows import AvailabilityCount

FEW = 2
"""The most free places that the band of a few stands for; above it no number is told."""

Cell = tuple[str, str]
"""A region's code and a kind of place."""


@dataclass(frozen=True, slots=True)
class Availability:
    """The places of one kind in a region.

    `own` are those of the caller's provider, live.
    """

    region: str
    kind: str
    free: str
    """A band: `0`, `1-2` or `3+`."""
    total: int
    freshness: str
    """Of the least fresh site: `fresh`, `stale`, or `unknown` if one was never confirmed."""
    own: AvailabilityCount | None


async def read(
    tx: Transaction, *, kind: str | None = None, region: str | None = None
) -> list[Availability]:
    """Return availability by region and kind as of the last step, with own places live."""
    own = {cell: counts[0] for cell, counts in _by_cell(await _live(tx)).items()}
    return [
        available
        for available in await _read(tx, own)
        if region in {None, available.region} and kind in {None, available.kind}
    ]


async def read_in_bands(tx: Transaction) -> list[Availability]:
    """Return availability as everybody may see it, without own places.

    A device may keep it.
    """
    return await _read(tx, {})


async def _read(tx: Transaction, own: Mapping[Cell, AvailabilityCount]) -> list[Availability]:
    policy = (await tx.snapshots.reference(tx)).policy
    stepped = _by_cell(await availability_rows.read_step(tx))
    stale_before = tx.at - timedelta(hours=policy.fresh_hours)
    return [
        _available(
            cell, stepped.get(cell) or [own[cell]], own=own.get(cell), stale_before=stale_before
        )
        for cell in sorted(stepped.keys() | own.keys())
    ]


async def refresh_counts(tx: Transaction) -> None:
    """Take a step: count everything again, and tell all staff which regions changed in bands."""
    before = await availability_rows.read_step(tx)
    after = await availability_rows.take_step(tx)
    kept = {count.key for count in after}
    vanished = [count for count in before if count.key not in kept]
    if vanished:
        await availability_rows.forget_counts(tx, vanished)
    old, new = _bands(before), _bands(after)
    for region in sorted(
        {cell[0] for cell in old.keys() | new.keys() if old.get(cell) != new.get(cell)}
    ):
        await outbox.add(tx, kind="availability", subject=region, audience=None)


def band(free: int) -> str:
    """Return the band in which others see a number of free places."""
    if free == 0:
        return "0"
    return "1-2" if free <= FEW else "3+"


def freshness(counts: Iterable[AvailabilityCount], *, stale_before: datetime) -> str:
    """Return the freshness of the least fresh count.

    Never confirmed is unknown, not stale.
    """
    worst = "fresh"
    for count in counts:
        if count.unconfirmed or count.oldest_confirmation is None:
            return "unknown"
        if count.oldest_confirmation < stale_before:
            worst = "stale"
    return worst


async def _live(tx: Transaction) -> list[AvailabilityCount]:
    if not tx.caller.has(*STAFF):
        return []
    return await availability_rows.count_live(tx, tx.caller.provider)


def _available(
    cell: Cell,
    counts: Sequence[AvailabilityCount],
    *,
    own: AvailabilityCount | None,
    stale_before: datetime,
) -> Availability:
    region, kind = cell
    return Availability(
        region=region,
        kind=kind,
        free=band(sum(count.free for count in counts)),
        total=sum(count.total for count in counts),
        freshness=freshness(counts, stale_before=stale_before),
        own=own,
    )


def _by_cell(counts: Iterable[AvailabilityCount]) -> Mapping[Cell, list[AvailabilityCount]]:
    cells: defaultdict[Cell, list[AvailabilityCount]] = defaultdict(list)
    for count in counts:
        cells[count.region, count.kind].append(count)
    return cells


def _bands(counts: Iterable[AvailabilityCount]) -> Mapping[Cell, str]:
    return {
        cell: band(sum(count.free for count in there)) for cell, there in _by_cell(counts).items()
    }
