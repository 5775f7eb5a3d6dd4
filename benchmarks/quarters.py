"""The time to seal a quarter as the ledger grows, beside a bare loop over its leaves."""

import asyncio
import datetime as dt
import hashlib
import json
import statistics
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from time import perf_counter
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from app.allocation.ledger.leaves import leaf_bytes
from app.allocation.ledger.openings import OpeningContent, commitment, opening_document
from app.allocation.policy.documents import canonical_json
from app.allocation.shares.quarters import last_closed_quarter, quarter_of, quarters_between
from app.database import counters
from app.database.sealing import keys
from app.database.transaction import WORKER, Database, Transaction
from app.reference import load
from app.seal import DataKey, Keyring
from app.shares import fair_shares, quarter_totals
from benchmarks import plans
from benchmarks.figures import Line
from benchmarks.ground import Ground, opened_ground, plek

SIZES = (1_000, 10_000, 100_000)
A_DAY = 425 / 91
"""Leaves: some 850 stays a year, as the country has them; so 100,000 leaves are 59 years."""
STAY_NIGHTS = 90
GRACE = dt.timedelta(days=15)
ROUNDS = 7
ANALYZE_EVERY = 8
"""Quarters."""
GROWTH_BARS = {"sealing a quarter": 1.5, "showing how regions stand": 4.0}
"""The latter also reads the totals of every quarter: 2 with a thousand leaves, 235 with a hundred
thousand."""
FLAT = 1.1
SEED = 18
POLICY = "sha256:" + hashlib.sha256(b"policy").hexdigest()

ADD_LEAVES = text("""
INSERT INTO leaves (index, type, content, placement_id)
SELECT * FROM unnest(CAST(:indexes AS bigint[]), CAST(:types AS text[]), CAST(:contents AS bytea[]),
                     CAST(:stays AS uuid[]))
""")
ADD_OPENINGS = text("""
INSERT INTO openings (index, origin_region, receiving_region, opens_at, sealed)
SELECT made.index, made.origin, made.receiving, '2000-01-01', made.sealed
FROM unnest(CAST(:indexes AS bigint[]), CAST(:origins AS text[]), CAST(:receivings AS text[]),
            CAST(:sealed AS bytea[])) AS made (index, origin, receiving, sealed)
""")
ADVANCE = text("UPDATE heads SET value = :value WHERE name = 'ledger'")
NOTED_THEN = text(
    "UPDATE running_stays SET noted_at = :at WHERE noted_at > now() - interval '1 day'"
)
SINCE = text("SELECT index AS leaf, sealed FROM openings WHERE index >= :first ORDER BY index")


class Fact(NamedTuple):
    """That a household came, or left, on a day; `stay` tells households apart."""

    day: dt.date
    stay: int
    opening: OpeningContent


@dataclass(frozen=True, slots=True)
class Aged:
    """A ledger of some leaves, each quarter sealed but the last, and the worker's way to it."""

    ground: Ground
    keyring: Keyring
    key: DataKey
    leaves: int

    async def bare(self, tx: Transaction) -> None:
        """Read what came in half a year by its key, and open it."""
        first = self.leaves - round(182 * A_DAY)
        for row in await tx.rows(SINCE, {"first": first}):
            json.loads(self.key.unseal(row.sealed, row=str(row.leaf)))

    async def seal(self, tx: Transaction) -> None:
        """Seal the quarter that is due."""
        await quarter_totals.seal_quarters(tx)

    async def show(self, tx: Transaction) -> None:
        """Let rankings see how regions stand."""
        await fair_shares.show_balances(tx)


ACTS: dict[str, Callable[[Aged, Transaction], Awaitable[None]]] = {
    "bare": Aged.bare,
    "sealing a quarter": Aged.seal,
    "showing how regions stand": Aged.show,
}


def measure(sizes: Sequence[int] = SIZES) -> list[Line]:
    """Seal the same quarter of younger and older ledgers, in turn with the bare loop.

    Print the oldest one's plans.
    """
    with ExitStack() as stack:
        aged = {size: _aged(stack.enter_context(opened_ground(demo=False)), size) for size in sizes}
        medians = asyncio.run(_medians(aged))
    return [line for name in list(ACTS)[1:] for line in _lines(name, medians, sorted(sizes))]


async def _medians(aged: Mapping[int, Aged]) -> Mapping[tuple[str, int], float]:
    """Return how long each act takes with each ledger, in milliseconds."""
    found: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        databases = {
            size: await stack.enter_async_context(_worker(one.ground)) for size, one in aged.items()
        }
        for turn in range(
            -1, ROUNDS
        ):  # in turn, so that what else the machine does meets all; the first warms up
            for size, one in aged.items():
                for name, act in ACTS.items():
                    taken = await _milliseconds(databases[size], partial(act, one))
                    if turn >= 0:
                        found[name, size].append(taken)
        oldest = max(aged)
        for line in await plans.of_the_worker(databases[oldest], aged[oldest].seal):
            print(f"  {line}")
    return {what: statistics.median(times) for what, times in found.items()}


@asynccontextmanager
async def _worker(ground: Ground) -> AsyncGenerator[Database]:
    database = Database(
        replace(ground.installation.settings, pool_size=1),
        url=ground.installation.database_url,
        keyring=ground.keyring(),
    )
    try:
        yield database
    finally:
        await database.close()


async def _milliseconds(database: Database, act: Callable[[Transaction], Awaitable[None]]) -> float:
    """Act as the worker, and take it back."""
    async with database.transaction(actor=WORKER) as tx:
        begun = perf_counter()
        await act(tx)
        taken = perf_counter() - begun
        await tx.connection.execute("ROLLBACK")
    return 1000 * taken


def _lines(name: str, medians: Mapping[tuple[str, int], float], sizes: list[int]) -> Iterator[Line]:
    youngest = sizes[0]
    for size in sizes:
        growth = medians[name, size] / medians[name, youngest]
        yield Line(
            f"ledger, {name}, {size:,} leaves",
            bare=f"{medians['bare', size]:.0f} ms",
            plek=f"{medians[name, size]:.0f} ms",
            ratio=medians["bare", size] / medians[name, size],
            bar=f"≤ {GROWTH_BARS[name]:g} x {youngest:,}",
            aim="flat",
            met=growth <= GROWTH_BARS[name],
            reached_aim=growth <= FLAT,
        )


def _aged(ground: Ground, size: int) -> Aged:
    plek("migrate", "--data-dir", str(ground.folder))
    begun, keyring = perf_counter(), ground.keyring()
    key, leaves = asyncio.run(_lived(ground, size))
    ground.owner("VACUUM ANALYZE")
    print(
        f"ledger: {leaves:,} leaves there and sealed quarter by quarter after "
        f"{perf_counter() - begun:.0f} s"
    )
    return Aged(ground, keyring, key, leaves)


async def _lived(ground: Ground, size: int) -> tuple[DataKey, int]:
    """Write so many leaves, and seal each quarter when it was due.

    Return their key, and how many there are.
    """
    async with ground.installation.owner() as owner, _worker(ground) as worker:
        async with owner.transaction() as tx:
            last = last_closed_quarter(load().country.day_of(tx.at), days=GRACE.days)
            key = await keys.read(tx, keys.LEDGER)
            regions = sorted((await tx.snapshots.reference(tx)).regions)
        facts, arrivals = _facts(regions, size, until=last.after + GRACE), dict[int, int]()
        for number, quarter in enumerate(quarters_between(quarter_of(facts[0].day), last)):
            due, told = (
                quarter.after + GRACE,
                bisect_left(facts, quarter.after + GRACE, key=lambda fact: fact.day),
            )
            async with owner.transaction() as tx:
                await _add(tx, facts[:told], arrivals, key)
                if number % ANALYZE_EVERY == 0:  # as autovacuum does
                    await tx.run(text("ANALYZE leaves, openings, running_stays, quarter_totals"))
            facts = facts[told:]
            if quarter < last:
                then = dt.datetime.combine(due, dt.time(12), tzinfo=dt.UTC)
                async with worker.transaction(actor=WORKER) as tx:
                    await quarter_totals.seal_quarters(replace(tx, at=then))
                async with owner.transaction() as tx:
                    await tx.run(NOTED_THEN, {"at": then})
        async with owner.transaction() as tx:
            return key, await counters.read(tx, "ledger")


def _facts(regions: Sequence[str], leaves: int, *, until: dt.date) -> list[Fact]:
    """Draw households that came and left until a day, evenly over the years."""
    drawn = Random(SEED)
    days = round(leaves / A_DAY)
    facts: list[Fact] = []
    for stay in range(leaves // 2):
        came = until - dt.timedelta(days=drawn.randrange(1, days + 1))
        left = came + dt.timedelta(days=min(round(drawn.expovariate(1 / STAY_NIGHTS)), 365))
        origin, receiving = drawn.sample(regions, 2)
        lawful = tuple(sorted({receiving, *drawn.sample(regions, 12)}))
        persons = drawn.choice(("1", "2", "3-4", "5+"))
        arrival = OpeningContent(
            "arrival", origin, receiving, "crisis", came, "safety", persons, lawful, POLICY, None
        )
        facts.append(Fact(came, stay, arrival))
        if left < until:
            facts.append(Fact(left, stay, replace(arrival, type="departure", date=left)))
    return sorted(facts, key=lambda fact: (fact.day, fact.opening.type))


async def _add(
    tx: Transaction, facts: Sequence[Fact], arrivals: dict[int, int], key: DataKey
) -> None:
    first = await counters.read(tx, "ledger")
    written: list[tuple[int, Fact, bytes, bytes]] = []
    for index, fact in enumerate(facts, first):
        opening = fact.opening
        if opening.type == "arrival":
            arrivals[fact.stay] = index
        else:
            opening = replace(opening, arrival=arrivals[fact.stay])
        salt = hashlib.sha256(b"%d" % index).digest()[:16]
        sealed = key.seal(canonical_json(opening_document(opening, salt)), row=str(index))
        written.append(
            (index, fact, leaf_bytes(index, opening.type, commitment(opening, salt)), sealed)
        )
    indexes = [index for index, *_ in written]
    await tx.run(text("ALTER TABLE leaves DISABLE TRIGGER without_gaps"))
    await tx.run(
        ADD_LEAVES,
        {
            "indexes": indexes,
            "types": [fact.opening.type for _, fact, _, _ in written],
            "contents": [content for *_, content, _ in written],
            "stays": [UUID(int=fact.stay) for _, fact, _, _ in written],
        },
    )
    await tx.run(
        ADD_OPENINGS,
        {
            "indexes": indexes,
            "origins": [fact.opening.origin for _, fact, _, _ in written],
            "receivings": [fact.opening.receiving for _, fact, _, _ in written],
            "sealed": [sealed for *_, sealed in written],
        },
    )
    await tx.run(text("ALTER TABLE leaves ENABLE TRIGGER without_gaps"))
    await tx.run(ADVANCE, {"value": first + len(written)})
