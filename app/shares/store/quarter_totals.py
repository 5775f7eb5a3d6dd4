"""Totals of quarters: who seals one, the leaf that it has, and what pairs of regions settle by it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from app.database.transaction import Transaction
from app.models import Leaf, Opening, PairNights, QuarterFigures, QuarterTotal, Weight


@dataclass(frozen=True, slots=True)
class Sealed:
    """A quarter's newest totals: their version, their leaf, and what it says in clear."""

    quarter: str
    version: int
    index: int
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PairRow:
    """Place-nights from one region to another in a month, by reason."""

    quarter: str
    origin: str
    receiving: str
    month: date
    reason: str
    nights: int
    after_ready: int
    stays: int


_NEWEST = (
    select(
        QuarterTotal.quarter, QuarterTotal.version, QuarterTotal.index.label("leaf"), Leaf.content
    )
    .ext(distinct_on(QuarterTotal.quarter))
    .join(Leaf, Leaf.index == QuarterTotal.index)
    .order_by(QuarterTotal.quarter, QuarterTotal.version.desc())
)


async def newest(tx: Transaction, quarters: Sequence[str] | None = None) -> dict[str, Sealed]:
    """Return the newest totals of some quarters, or of all that have been sealed, by quarter."""
    wanted = _NEWEST if quarters is None else _NEWEST.where(QuarterTotal.quarter.in_(quarters))
    return {
        row.quarter: Sealed(row.quarter, row.version, row.leaf, said(row.content))
        for row in await tx.rows(wanted)
    }


def said(leaf: bytes) -> Mapping[str, Any]:
    """Return what a leaf says in clear."""
    content: Mapping[str, Any] = json.loads(leaf)["content"]
    return content


async def sealed_names(tx: Transaction) -> set[str]:
    """Return the quarters that have been sealed."""
    return {row.quarter for row in await tx.rows(select(QuarterTotal.quarter).distinct())}


async def sealed_leaves(tx: Transaction) -> int:
    """Return from how many leaves totals were made last; 0 where none were."""
    wanted = select(Leaf.content).join(QuarterTotal, QuarterTotal.index == Leaf.index)
    row = await tx.row(wanted.order_by(QuarterTotal.index.desc()).limit(1))
    return 0 if row is None else said(row.content)["leaves"]


async def began(tx: Transaction) -> tuple[datetime, tuple[int, bytes] | None] | None:
    """Return when the first leaf was written, and the first opening that there is, sealed; None without a leaf."""
    first = await tx.row(select(Leaf.written_at).order_by(Leaf.index).limit(1))
    if first is None:
        return None
    row = await tx.row(
        select(Opening.index.label("leaf"), Opening.sealed).order_by(Opening.index).limit(1)
    )
    return first.written_at, None if row is None else (row.leaf, row.sealed)


async def weights_on(tx: Transaction, day: date) -> dict[str, tuple[int, str]]:
    """Return each region's weight in force on a day, and where the figure comes from."""
    rows = await tx.rows(
        select(Weight.region, Weight.weight, Weight.source)
        .ext(distinct_on(Weight.region))
        .where(Weight.valid_from <= day)
        .order_by(Weight.region, Weight.valid_from.desc())
    )
    return {row.region: (row.weight, row.source) for row in rows}


# --- sealing --------------------------------------------------------------------------


async def claim(tx: Transaction, quarter: str, *, version: int) -> bool:
    """Take it upon oneself to seal a version of a quarter's totals; False where somebody else has.

    Whoever comes second waits for the first, and finds it sealed.
    """
    new = insert(QuarterTotal).values(quarter=quarter, version=version).on_conflict_do_nothing()
    return await tx.run(new) == 1


async def cite(tx: Transaction, quarter: str, *, version: int, index: int) -> None:
    """Note the leaf of totals that were claimed."""
    ours = (QuarterTotal.quarter == quarter, QuarterTotal.version == version)
    await tx.run(
        update(QuarterTotal).where(*ours, QuarterTotal.index.is_(None)).values(index=index)
    )


async def add_pairs(tx: Transaction, rows: Sequence[PairRow], *, version: int) -> None:
    """Store what pairs of regions settle by a version of a quarter's totals."""
    if rows:
        values = [
            {name: getattr(row, name) for name in PairRow.__slots__} | {"version": version}
            for row in rows
        ]
        await tx.run_each(insert(PairNights), values)


async def add_figures(tx: Transaction, quarter: str, figures: Mapping[str, Any]) -> None:
    """Store the figures about a quarter that no opening has; the first that were taken stay."""
    await tx.run(
        insert(QuarterFigures)
        .values(quarter=quarter, figures=dict(figures))
        .on_conflict_do_nothing()
    )


# --- reading --------------------------------------------------------------------------


async def figures(
    tx: Transaction, quarters: Sequence[str] | None = None
) -> dict[str, Mapping[str, Any]]:
    """Return the figures about some quarters, or all, that no opening has, by quarter."""
    wanted = select(QuarterFigures.quarter, QuarterFigures.figures)
    rows = await tx.rows(
        wanted if quarters is None else wanted.where(QuarterFigures.quarter.in_(quarters))
    )
    return {row.quarter: row.figures for row in rows}


async def pairs(
    tx: Transaction, quarters: Sequence[str], *, region: str, other: str | None
) -> list[PairRow]:
    """Return what a region settles with another, or with every other, by the newest totals of some quarters."""
    newer = (
        select(func.max(QuarterTotal.version))
        .where(QuarterTotal.quarter == PairNights.quarter)
        .scalar_subquery()
    )
    ours = or_(PairNights.origin == region, PairNights.receiving == region)
    wanted = (
        select(*(getattr(PairNights, name) for name in PairRow.__slots__))
        .where(PairNights.quarter.in_(quarters), PairNights.version == newer, ours)
        .order_by(PairNights.origin, PairNights.receiving, PairNights.month, PairNights.reason)
    )
    if other is not None:
        wanted = wanted.where(or_(PairNights.origin == other, PairNights.receiving == other))
    return [PairRow(*row) for row in await tx.rows(wanted)]
