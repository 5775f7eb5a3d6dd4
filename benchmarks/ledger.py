"""The ledger: an export checked beside a loop that parses and hashes its lines.

Appending and proving as it grows.
"""

import datetime as dt
import hashlib
import json
import statistics
from collections.abc import Awaitable, Callable
from random import Random
from time import perf_counter
from typing import NamedTuple

from sqlalchemy import text

from app.allocation.ledger.exports import ExportReader, export_line
from app.allocation.ledger.leaves import leaf_bytes
from app.allocation.ledger.openings import OpeningContent, commitment, opening_document
from app.database.transaction import Transaction
from app.ledger import checkpoints, ledger
from app.ledger.checkpoints import MerkleProof
from app.ledger.store import tree
from benchmarks.figures import Line
from benchmarks.ground import Ground, opened_ground, plek

LINES = 100_000
ROUNDS = 5
VERIFY_BAR, VERIFY_AIM = 0.5, 1.0
LEAVES = 1_000_000
FEW = 1_000
TRIES = 300
GROWTH_BARS = {"append": 1.5, "prove": 2.0}
"""A tree of a million leaves is twice as high as one of a thousand; an append reads nothing of
it."""
FLAT = 1.1
SEED = 62
POLICY = "sha256:" + hashlib.sha256(b"policy").hexdigest()
# What the worker would have found there: leaves in clear, one after the other.
MANY_LEAVES = r"""
INSERT INTO leaves (index, type, content)
SELECT n, 'cap', convert_to(
  format('{"content":{"nights":%s,"region":"GM0193"},"index":%s,"type":"cap","version"\:1}', n % 90, n), 'UTF8')
FROM generate_series((SELECT value FROM heads WHERE name = 'ledger'), :last) AS n
"""
READ = """
SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint AS rows
FROM pg_stat_xact_user_tables WHERE relname IN ('subtrees', 'leaves')
"""


class Cost(NamedTuple):
    """What something costs: milliseconds, and rows read of the ledger."""

    milliseconds: float
    rows: float


def measure(*, leaves: int = LEAVES) -> list[Line]:
    """Measure both."""
    return [*verification(), *growth(leaves=leaves)]


def verification() -> list[Line]:
    """Check exports with every opening and with none, beside the bare loop over their lines."""
    return [
        _verified("every opening shown", _export(shown=True)),
        _verified("no opening shown", _export(shown=False)),
    ]


def growth(*, leaves: int) -> list[Line]:
    """Append to and prove of a ledger of a thousand leaves, and of a million."""
    found: dict[tuple[str, int], list[Cost]] = {}
    with opened_ground(demo=False) as small, opened_ground(demo=False) as large:
        grounds = {FEW: small, leaves: large}
        for size, ground in grounds.items():
            _fill_up(ground, size=size)
        for turn in range(ROUNDS):  # in turn, so that what else the machine does meets both
            for size, ground in grounds.items():
                for name, cost in _costs(ground, size=size, seed=SEED + turn).items():
                    found.setdefault((name, size), []).append(cost)
    return [
        _grown(name, found[name, FEW], found[name, leaves], leaves=leaves)
        for name in ("append", "prove")
    ]


def _export(*, shown: bool) -> list[bytes]:
    drawn = Random(SEED)
    lines: list[bytes] = []
    regions = [f"GM{number:04}" for number in range(35)]
    for index in range(LINES):
        origin, receiving = drawn.sample(regions, 2)
        opening = OpeningContent(
            type="arrival",
            origin=origin,
            receiving=receiving,
            kind="crisis",
            date=dt.date(2026, 1, 1) + dt.timedelta(days=index % 365),
            reason="safety",
            persons=drawn.choice(["1", "2", "3-4", "5+"]),
            lawful_regions=tuple(sorted(drawn.sample(regions, 12))),
            policy_hash=POLICY,
            swap_id=None,
        )
        salt = drawn.randbytes(16)
        leaf = leaf_bytes(index, "arrival", commitment(opening, salt))
        lines.append(export_line(index, leaf, opening_document(opening, salt) if shown else None))
    return lines


def _verified(what: str, lines: list[bytes]) -> Line:
    bare: list[float] = []
    ours: list[float] = []
    for _ in range(ROUNDS):
        bare.append(_seconds(lambda: _bare(lines)))
        ours.append(_seconds(lambda: _read(lines)))
    ratio = statistics.median(bare) / statistics.median(ours)
    print(
        f"ledger: {len(lines):,} lines, {what}: bare {_each(bare, lines)}, Plek "
        f"{_each(ours, lines)}"
    )
    return Line(
        f"ledger, verifying, {what}",
        bare=f"{len(lines) / statistics.median(bare):,.0f}/s",
        plek=f"{len(lines) / statistics.median(ours):,.0f}/s",
        ratio=ratio,
        bar=f"≥ {VERIFY_BAR:g}",
        aim=f"≥ {VERIFY_AIM:g}",
        met=ratio >= VERIFY_BAR,
        reached_aim=ratio >= VERIFY_AIM,
    )


def _bare(lines: list[bytes]) -> None:
    for line in lines:
        json.loads(line)
        hashlib.sha256(line).digest()


def _read(lines: list[bytes]) -> None:
    reading = ExportReader()
    for line in lines:
        reading.read(line)
    assert reading.tree.size == len(lines)  # noqa: S101 - all of them were read


def _seconds(act: Callable[[], None]) -> float:
    begun = perf_counter()
    act()
    return perf_counter() - begun


def _each(seconds: list[float], lines: list[bytes]) -> str:
    return f"{1e6 * statistics.median(seconds) / len(lines):.2f} µs a line"


def _fill_up(ground: Ground, *, size: int) -> None:
    plek("migrate", "--data-dir", str(ground.folder))
    begun = perf_counter()
    ground.act(lambda tx: _fill(tx, size))
    while ground.act(checkpoints.sign_tree):
        pass
    ground.owner("VACUUM ANALYZE")
    print(f"ledger: {size:,} leaves there and sealed after {perf_counter() - begun:.0f} s")


def _costs(ground: Ground, *, size: int, seed: int) -> dict[str, Cost]:
    """Return what one append costs, and one pair of proofs."""
    drawn = Random(seed)
    return {
        "prove": ground.act(lambda tx: _times(tx, lambda: _prove(tx, size, drawn))),
        "append": ground.act(lambda tx: _times(tx, lambda: _append(tx))),
    }


async def _fill(tx: Transaction, size: int) -> None:
    await tx.run(text("ALTER TABLE leaves DISABLE TRIGGER without_gaps"))
    await tx.run(text(MANY_LEAVES), {"last": size - 1})
    await tx.run(text("UPDATE heads SET value = :size WHERE name = 'ledger'"), {"size": size})
    await tx.run(text("ALTER TABLE leaves ENABLE TRIGGER without_gaps"))


async def _times(tx: Transaction, act: Callable[[], Awaitable[object]]) -> Cost:
    """Do something many times in a transaction, after a few to warm up.

    Return the time, and the rows read, of one.

    The time is the lower decile: what else the machine does only adds to it.
    """
    for _ in range(10):
        await act()
    before = (await tx.rows(text(READ)))[0].rows
    times: list[float] = []
    for _ in range(TRIES):
        begun = perf_counter()
        await act()
        times.append(perf_counter() - begun)
    read = (await tx.rows(text(READ)))[0].rows - before
    return Cost(1000 * statistics.quantiles(times, n=10)[0], read / TRIES)


async def _append(tx: Transaction) -> object:
    return await ledger.append_clear(tx, leaf_type="cap", content={"region": "GM0193", "nights": 4})


async def _prove(tx: Transaction, size: int, drawn: Random) -> tuple[MerkleProof, MerkleProof]:
    leaf, old = drawn.randrange(size), drawn.randrange(1, size)
    stretches = checkpoints.inclusion_proof(leaf, size), checkpoints.consistency_proof(old, size)
    found = [
        await tree.hashes(tx, {part for one in proof for part in one.subtrees})
        for proof in stretches
    ]
    first, second = (
        MerkleProof(tuple(checkpoints.hash_of(one, hashes) for one in proof))
        for proof, hashes in zip(stretches, found, strict=True)
    )
    return first, second


def _grown(name: str, few: list[Cost], many: list[Cost], *, leaves: int) -> Line:
    then, now = (
        Cost(*(statistics.median(one) for one in zip(*costs, strict=True))) for costs in (few, many)
    )
    ratio = now.milliseconds / then.milliseconds
    return Line(
        f"ledger, {name}, {FEW:,} to {leaves:,} leaves",
        bare=f"{then.milliseconds:.2f} ms, {then.rows:.0f} rows",
        plek=f"{now.milliseconds:.2f} ms, {now.rows:.0f} rows",
        ratio=ratio,
        bar=f"≤ {GROWTH_BARS[name]:g}",
        aim="flat",
        met=ratio <= GROWTH_BARS[name],
        reached_aim=ratio <= FLAT,
    )
