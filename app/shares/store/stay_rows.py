"""The ledger's rows about stays, read by indexes, so that the ledger's age costs nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, bindparam, select, text

from app.database.transaction import Transaction
from app.models import Leaf, RunningStays
from app.shares.store.quarter_rows import content_of_leaf


@dataclass(frozen=True, slots=True)
class SettledRow:
    """A sealed opening of a stay that a region settles, and when it is due."""

    leaf: int
    referral_id: UUID | None
    opens_at: datetime
    departure: int | None
    """The leaf by which the stay ended: from then on all of its openings are due."""
    sealed: bytes = field(repr=False)


_TO_SETTLE = text("SELECT * FROM openings_to_settle(:since, :below, :over_before)").bindparams(
    bindparam("since", type_=BigInteger()),
    bindparam("below", type_=BigInteger()),
    bindparam("over_before", type_=DateTime(timezone=True)),
)


async def openings_to_settle(
    tx: Transaction, *, since: int, below: int, over_before: datetime
) -> list[SettledRow]:
    """Return the openings below an index of stays that concern the caller's region, in order.

    Those that had ended before a moment are left out, unless they have a leaf from `since` on. What
    is not due yet is there too: it must be seen to be known, and goes into no figure.
    """
    values = {"since": since, "below": below, "over_before": over_before}
    return [SettledRow(*row) for row in await tx.rows(_TO_SETTLE, values)]


async def openings(
    tx: Transaction, *, after: int, below: int, since: int, most: int
) -> list[tuple[int, bytes]]:
    """Return the index and sealed opening of leaves between two indexes, in order.

    Of all stays; or with `since` (a number of leaves, see `leaves_at_last_note`) of the stays that
    were going on then and of those with a later leaf.
    """
    values = {"after": after, "below": below, "most": most}
    rows = await (tx.rows(_SINCE, {**values, "since": since}) if since else tx.rows(_ALL, values))
    return [(row.leaf, row.sealed) for row in rows]


_ALL = text("""
SELECT index AS leaf, sealed FROM openings
WHERE index > :after AND index < :below ORDER BY index LIMIT :most
""")
# Plans are made without the values: a limit on the openings' own index would look selective, and
# lead from there to the stays, comparing every one with every other.
_SINCE = text("""
WITH those AS (
  SELECT placement_id FROM leaves
  WHERE index >= :since AND index < :below AND placement_id IS NOT NULL
  UNION
  SELECT l.placement_id FROM running_stays AS r, unnest(r.arrivals) AS a (index), leaves AS l
  WHERE r.leaves = :since AND l.index = a.index
), theirs AS MATERIALIZED (
  SELECT l.index FROM those JOIN leaves AS l ON l.placement_id = those.placement_id
)
SELECT o.index AS leaf, o.sealed FROM theirs AS l JOIN openings AS o ON o.index = l.index
WHERE l.index > :after AND l.index < :below ORDER BY l.index LIMIT :most
""")
_TOLD = text("""
SELECT o.index AS leaf, l.placement_id, o.sealed
FROM leaves AS l JOIN openings AS o ON o.index = l.index
WHERE o.index < :below
  AND l.placement_id IN (
    SELECT n.placement_id FROM leaves AS n WHERE n.index >= :since AND n.index < :below)
ORDER BY o.index
""")
# Only the departure's own leaf tells the end of a stay: an opening of version 1 did not say which
# arrival it ends. That one was taken back its correction tells, which is sealed.
_NOTE = text("""
INSERT INTO running_stays (leaves, arrivals)
SELECT CAST(:leaves AS bigint), array(
  SELECT a.index
  FROM unnest(CAST(:arrivals AS bigint[])) AS a (index) JOIN leaves AS l ON l.index = a.index
  WHERE a.index = ANY (CAST(:running AS bigint[])) OR NOT EXISTS (
    SELECT FROM leaves AS d
    WHERE d.placement_id = l.placement_id AND d.type = 'departure'
      AND d.index < CAST(:leaves AS bigint))
  ORDER BY a.index)
ON CONFLICT DO NOTHING
""")


async def openings_of_changed_stays(
    tx: Transaction, *, since: int, below: int
) -> list[tuple[int, UUID, bytes]]:
    """Return index, stay and sealed opening of all leaves of stays with a leaf in a range."""
    rows = await tx.rows(_TOLD, {"since": since, "below": below})
    return [(row.leaf, row.placement_id, row.sealed) for row in rows]


async def leaves_at_last_note(tx: Transaction, *, before: datetime) -> int:
    """Return the number of leaves at the last note of running stays before a moment, or 0."""
    wanted = select(RunningStays.leaves).where(RunningStays.noted_at < before)
    row = await tx.row(wanted.order_by(RunningStays.leaves.desc()).limit(1))
    return 0 if row is None else row.leaves


async def note_running(
    tx: Transaction, arrivals: Iterable[int], *, running: Iterable[int], leaves: int
) -> None:
    """Note which of these stays, by their arrivals, have no end among the first `leaves`.

    `running` are those without an end by all corrections.
    """
    values = {"arrivals": sorted(arrivals), "running": sorted(running), "leaves": leaves}
    await tx.run(_NOTE, values)


async def weights_leaves(tx: Transaction, *, below: int) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the index and content of the leaves about weights below an index, in order."""
    # A leaf about weights is about no stay; saying so leads the plan to the index of those few
    # leaves.
    about = (Leaf.type == "weights", Leaf.placement_id.is_(None), Leaf.index < below)
    wanted = select(Leaf.index.label("leaf"), Leaf.content).where(*about).order_by(Leaf.index)
    return [(row.leaf, content_of_leaf(row.content)) for row in await tx.rows(wanted)]
