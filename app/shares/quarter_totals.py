"""Sealing quarters: the worker adds up what the openings say, and the ledger gets the totals in clear, once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.allocation.shares.nights import Stay
from app.allocation.shares.quarters import Quarter, from_to, last_over, quarter_of
from app.allocation.shares.totals import Totals, content_of, says_the_same, totals_of
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.ledger.ledger import append_clear
from app.reference import load
from app.shares import quarter_figures, stay_book
from app.shares.stay_book import Told
from app.shares.store import quarter_totals
from app.shares.store import stay_book as rows
from app.shares.store.quarter_totals import PairRow

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


async def seal(
    tx: Transaction,
) -> Sealing:
    """Seal every quarter that is over for as long as the policy says and has not been sealed, as the worker.

    With them, and only then, those that were sealed before are sealed anew where something that
    became known since changes them: once a quarter, so that no single fact shows by itself.
    """
    missing = await _missing(tx)
    if not missing:
        return Sealing()
    sealed = await quarter_totals.sealed_leaves(tx)
    told = await stay_book.read(tx, missing[0], sealed=sealed)
    before = await quarter_totals.newest(
        tx, [str(quarter) for quarter in from_to(told.first, missing[-1])]
    )
    first = anew = 0
    for account in await _accounts(tx, told, missing[-1]):
        old = before.get(str(account.quarter))
        if old is None:
            first += await _append(tx, account, version=1, stays=told.stays)
        elif not says_the_same(old.content, account.content):
            correction = {"corrects": old.index, "by": BY, "code": LATER_FACTS}
            anew += await _append(
                tx, account, version=old.version + 1, stays=told.stays, correction=correction
            )
    await rows.note_running(tx, (stay.arrival for stay in told.stays), leaves=told.leaves)
    return Sealing(first, anew)


async def _missing(
    tx: Transaction,
) -> tuple[Quarter, ...]:
    """Return which quarters are to be sealed, in order: from the ledger's first leaf on, none is left out."""
    began = await quarter_totals.began(tx)
    if began is None:
        return ()
    written_at, opening = began
    days = [load().country.day_of(written_at)]
    if opening is not None:
        key = await keys.read(tx, keys.LEDGER)
        days.append(stay_book.opened(key, *opening).date)
    policy = (await tx.snapshots.reference(tx)).policy
    over = last_over(load().country.day_of(tx.at), days=policy.quarter_grace_days)
    sealed = await quarter_totals.sealed_names(tx)
    return tuple(
        quarter for quarter in from_to(quarter_of(min(days)), over) if str(quarter) not in sealed
    )


async def _accounts(tx: Transaction, told: Told, last: Quarter) -> list[Account]:
    reference = await tx.snapshots.reference(tx)
    # Every leaf that this rests on was written before now, and opens so many days later at the
    # latest.
    open_from = load().country.day_of(tx.at) + timedelta(
        days=reference.policy.opening_delay_days + 1
    )

    def account(quarter: Quarter) -> Account:
        totals = totals_of(
            quarter, told.stays, weights=told.weights, regions=sorted(reference.regions)
        )
        return Account(
            quarter, totals, content_of(quarter, totals, leaves=told.leaves, open_from=open_from)
        )

    return await asyncio.to_thread(
        lambda: [account(quarter) for quarter in from_to(told.first, last)]
    )


async def _append(
    tx: Transaction,
    account: Account,
    *,
    version: int,
    stays: Sequence[Stay],
    correction: Mapping[str, object] | None = None,
) -> bool:
    """Seal a version of a quarter's totals; False where somebody else has done so meanwhile."""
    name = str(account.quarter)
    if not await quarter_totals.claim(tx, name, version=version):
        return False
    await quarter_totals.add_pairs(tx, _pairs(account), version=version)
    if version == 1:
        await quarter_totals.add_figures(
            tx, name, await quarter_figures.taken(tx, account.quarter, stays)
        )
    leaf_type = "quarter_total" if correction is None else "correction"
    index = await append_clear(
        tx, leaf_type=leaf_type, content={**account.content, **(correction or {})}
    )
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
