"""Sealing quarters: the worker adds up what the openings say, and the ledger gets the totals in clear, once."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.allocation.nights import Stay, StayBook
from app.allocation.openings import Opening, parse_opening
from app.allocation.quarters import Quarter, from_to, last_over, quarter_of
from app.allocation.reach import first_day_reached
from app.allocation.totals import Totals, content_of, says_the_same, totals_of
from app.allocation.weighing import WeightsInTime, weights_of
from app.seal import DataKey, Keyring
from app.services import quarter_figures
from app.services.alternatives import midnight
from app.services.ledger import append_clear, local_day
from app.store import heads, keys, quarter_totals
from app.store.database import Transaction
from app.store.quarter_totals import PairRow, Sealed

BATCH = 5000
"""Openings that are read and opened at once."""
LATER_FACTS = "later_facts"
"""The code of a correction by what became known after a quarter was sealed."""
BY = {"role": "worker", "region": None}


@dataclass(frozen=True, slots=True)
class Account:
    """What a quarter comes to by what is known now."""

    quarter: Quarter
    totals: Totals
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sealing:
    """What was sealed: how many quarters for the first time, and how many anew."""

    first: int = 0
    anew: int = 0


@dataclass(frozen=True, slots=True)
class _Read:
    """What the ledger says, up to a number of leaves, of all who were there in a quarter or later."""

    first: Quarter
    leaves: int
    stays: Sequence[Stay]
    weights: WeightsInTime
    regions: Sequence[str]


async def seal(tx: Transaction, *, keyring: Keyring) -> Sealing:
    """Seal every quarter that is over for as long as the policy says and has not been sealed, as the worker.

    With them, and only then, those that were sealed before are sealed anew where something that became known since
    changes them: once a quarter, so that no single fact shows by itself.
    """
    missing = await _missing(tx, keyring=keyring)
    if not missing:
        return Sealing()
    before = await quarter_totals.newest(tx)
    read = await _read(tx, missing[0], before.values(), keyring=keyring)
    policy = (await tx.snapshots.reference(tx)).policy
    # Every leaf that this rests on was written before now, and opens so many days later at the latest.
    open_from = local_day(tx.at) + timedelta(days=policy.opening_delay_days + 1)
    first = anew = 0
    for account in await asyncio.to_thread(_accounts, read, missing[-1], open_from):
        sealed = before.get(str(account.quarter))
        if sealed is None:
            first += await _append(tx, account, version=1, read=read)
        elif not says_the_same(sealed.content, account.content):
            correction = {"corrects": sealed.index, "by": BY, "code": LATER_FACTS}
            anew += await _append(tx, account, version=sealed.version + 1, read=read, correction=correction)
    return Sealing(first, anew)


async def _missing(tx: Transaction, *, keyring: Keyring) -> tuple[Quarter, ...]:
    """Return which quarters are to be sealed, in order: from the ledger's first leaf on, none is left out."""
    began = await quarter_totals.began(tx)
    if began is None:
        return ()
    written_at, opening = began
    days = [local_day(written_at)]
    if opening is not None:
        key = await keys.read(tx, keys.LEDGER, keyring=keyring)
        days.append(_opened(key, *opening).date)
    policy = (await tx.snapshots.reference(tx)).policy
    over = last_over(local_day(tx.at), days=policy.quarter_grace_days)
    sealed = await quarter_totals.sealed_names(tx)
    return tuple(quarter for quarter in from_to(quarter_of(min(days)), over) if str(quarter) not in sealed)


async def _read(tx: Transaction, missing: Quarter, sealed: Collection[Sealed], *, keyring: Keyring) -> _Read:
    """Read the first quarter to be added up, and everything that counts in it or later.

    Quarters that were sealed before are among them as far back as what became known since reaches. So what this takes
    grows with what happened in a quarter or two, and not with the ledger.
    """
    leaves = await heads.read(tx, "ledger")
    key = await keys.read(tx, keys.LEDGER, keyring=keyring)
    weights = [(index, weights_of(said)) for index, said in await quarter_totals.weights_said(tx, below=leaves)]
    since = max((one.content["leaves"] for one in sealed), default=0)
    first, still_there = missing, 0
    if since:
        told = await quarter_totals.told(tx, since=since, below=leaves)
        opened = await asyncio.to_thread(lambda: [(index, stay, _opened(key, index, row)) for index, stay, row in told])
        day = first_day_reached(opened, weights, since=since)
        first = missing if day is None else min(missing, quarter_of(day))
        # Whoever had left by then, as those totals have it, had no night from then on.
        still_there = await quarter_totals.leaves_before(tx, midnight(first.first))
    book, after = StayBook(), -1
    while rows := await quarter_totals.openings(tx, after=after, below=leaves, still_there=still_there, limit=BATCH):
        # In another thread, so that the process goes on answering others.
        await asyncio.to_thread(_take, book, key, rows)
        after = rows[-1][0]
    stays = list(book.stays())
    if not since:
        first = min([first, *(quarter_of(stay.arrived_on) for stay in stays)])
    regions = sorted((await tx.snapshots.reference(tx)).regions)
    return _Read(first, leaves, stays, WeightsInTime(version for _, version in weights), regions)


def _take(book: StayBook, key: DataKey, rows: Sequence[tuple[int, bytes]]) -> None:
    for index, sealed in rows:
        book.take(index, _opened(key, index, sealed))


def _opened(key: DataKey, index: int, sealed: bytes) -> Opening:
    return parse_opening(json.loads(key.unseal(sealed, row=str(index))))


def _accounts(read: _Read, last: Quarter, open_from: date) -> list[Account]:
    accounts: list[Account] = []
    for quarter in from_to(read.first, last):
        totals = totals_of(quarter, read.stays, weights=read.weights, regions=read.regions)
        content = content_of(quarter, totals, leaves=read.leaves, open_from=open_from)
        accounts.append(Account(quarter, totals, content))
    return accounts


async def _append(
    tx: Transaction, account: Account, *, version: int, read: _Read, correction: Mapping[str, object] | None = None
) -> bool:
    """Seal a version of a quarter's totals; False where somebody else has done so meanwhile."""
    name = str(account.quarter)
    if not await quarter_totals.claim(tx, name, version=version):
        return False
    await quarter_totals.add_pairs(tx, _pairs(account), version=version)
    if version == 1:
        await quarter_totals.add_figures(tx, name, await quarter_figures.taken(tx, account.quarter, read.stays))
    leaf_type = "quarter_total" if correction is None else "correction"
    index = await append_clear(tx, leaf_type=leaf_type, content={**account.content, **(correction or {})})
    await quarter_totals.cite(tx, name, version=version, index=index)
    return True


def _pairs(account: Account) -> list[PairRow]:
    return [
        PairRow(
            str(account.quarter),
            flow.origin,
            flow.receiving,
            flow.month,
            flow.reason,
            amount.nights,
            amount.after_ready,
            amount.stays,
        )
        for flow, amount in sorted(account.totals.flows.items())
    ]
