"""Settlements: what a region's auditors may settle with other regions, quarter by quarter."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.allocation.shares.quarters import Quarter
from app.allocation.shares.settlement import (
    DatedOpening,
    QuarterSeal,
    SettledLine,
    settled_lines,
)
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.errors import Forbidden
from app.reference import load
from app.seal import DataKey
from app.shares.fair_shares import read_sealed
from app.shares.stay_book import unseal_opening
from app.shares.store import quarter_rows, stay_rows
from app.shares.store.stay_rows import SettledRow

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PairedNights:
    """A region's place-nights by pair of regions, and by month and reason."""

    pairs: Mapping[tuple[str, str], int]
    months: Mapping[tuple[str, str], int]


async def read_settlement(
    tx: Transaction, quarters: Sequence[Quarter], *, other: str | None = None
) -> tuple[str, list[SettledLine]]:
    """Return the caller's region, and what it settles with another region or with all.

    Only stays whose opening was due when a quarter was sealed are in it. What is told of each
    household stands in its list of accesses. Raises Conflict if a quarter is not sealed yet.
    """
    region = tx.caller.region
    if region is None:
        raise Forbidden
    await read_sealed(tx, quarters)
    first = quarters[0].before
    seals = await quarter_rows.seals(tx, [str(one) for one in (first, *quarters)])
    if seals[0].quarter != first:
        seals = [QuarterSeal(first, 0, NEVER), *seals]
    rows = await stay_rows.openings_to_settle(
        tx,
        since=seals[0].leaves,
        below=seals[-1].leaves,
        over_before=load().country.midnight(quarters[0].first),
    )
    key = await keys.read(tx, keys.LEDGER)

    openings = await asyncio.to_thread(_unsealed, key, rows)
    wanted = frozenset({region} if other is None else {region, other})
    tx.looks.referral_ids.update(
        row.referral_id
        for row, one in zip(rows, openings, strict=True)
        if row.referral_id is not None
        and one.is_due(seals[-1])
        and wanted <= {one.content.origin, one.content.receiving}
    )
    lines = await asyncio.to_thread(lambda: list(settled_lines(openings, seals)))
    return region, [one for one in lines if wanted <= {one.flow.origin, one.flow.receiving}]


def _unsealed(key: DataKey, rows: Iterable[SettledRow]) -> list[DatedOpening]:
    return [
        DatedOpening(
            row.leaf, row.opens_at, row.departure, unseal_opening(key, row.leaf, row.sealed)
        )
        for row in rows
    ]


def paired_nights(lines: Iterable[SettledLine]) -> PairedNights:
    """Return what some lines come to, nights after readiness included."""
    pairs, months = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for line in lines:
        nights = line.amount.nights + line.amount.after_ready
        pairs[line.flow.origin, line.flow.receiving] += nights
        months[f"{line.flow.month:%Y-%m}", line.flow.reason] += nights
    return PairedNights(dict(sorted(pairs.items())), dict(sorted(months.items())))
